"""The rules of work orders: their states, and who may move them on."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from services.work_orders import findings, omissions
from services.work_orders.clock_trust import Told
from shared.aggregate import Aggregate
from shared.contracts.asset_registry import Nameplate
from shared.contracts.work_orders import (
    ClockFlag,
    EquipmentReplaced,
    PointResult,
    PointsInspected,
    WorkAccepted,
    WorkHeld,
    WorkKind,
    WorkOrderAssigned,
    WorkOrderCancelled,
    WorkOrderClosed,
    WorkOrderEscalated,
    WorkOrderOpened,
    WorkPerformed,
    WorkResumed,
    WorkReturned,
    WorkStarted,
)
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Event


class Status(StrEnum):
    """Where a work order stands (domain.md, States)."""

    OPENED = "opened"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    PERFORMED = "performed"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    CANCELLED = "cancelled"


FIRST_TO_RISE = timezone(timedelta(hours=14))
"""Where a day begins before it does elsewhere; which zone a facility is in is not known here."""
ENDS: Mapping[type[Event], Status] = {
    WorkAccepted: Status.ACCEPTED,
    WorkOrderClosed: Status.CLOSED,
    WorkOrderCancelled: Status.CANCELLED,
}
UNFINISHED = (Status.OPENED, Status.ASSIGNED, Status.IN_PROGRESS, Status.ON_HOLD)


class WorkOrder(Aggregate):
    """One job on one system, done by one person and accepted by another."""

    category = "work-order"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.opened: WorkOrderOpened | None = None
        self.status = Status.OPENED
        self.assignee: str | None = None
        self.doers: set[str] = set()
        self.inspected: set[str] = set()
        self.last_at: datetime | None = None
        self.escalated = 0

    @property
    def order(self) -> WorkOrderOpened:
        """What was ordered."""
        if self.opened is None:
            raise NotFound(f"no work order {self.id}")
        return self.opened

    @property
    def kind(self) -> WorkKind:
        """What kind of work it is."""
        return self.order.kind

    def open(self, order: WorkOrderOpened, at: datetime) -> None:
        """Open it once."""
        if self.exists:
            raise Rejected(f"work order {self.id} is open already")
        self.record(order, at)

    def assign(self, assignee: str, at: datetime) -> None:
        """Give it to somebody, or to somebody else, before work begins."""
        self._must_be("assigned", Status.OPENED, Status.ASSIGNED)
        self.record(WorkOrderAssigned(work_order_id=self.id, assignee=assignee), at)

    def start(self, at: datetime, now: datetime) -> None:
        """Begin assigned work."""
        self._must_be("started", Status.ASSIGNED)
        self._must_go_forward("at", Told(at=at, now=now))
        self.record(WorkStarted(work_order_id=self.id, at=at), at)

    def hold(self, at: datetime, reason: str, now: datetime) -> None:
        """Let work rest."""
        self._must_be("held", Status.IN_PROGRESS)
        self._must_go_forward("at", Told(at=at, now=now))
        self.record(WorkHeld(work_order_id=self.id, at=at, reason=reason), at)

    def resume(self, at: datetime, now: datetime) -> None:
        """Go on with resting work."""
        self._must_be("resumed", Status.ON_HOLD)
        self._must_go_forward("at", Told(at=at, now=now))
        self.record(WorkResumed(work_order_id=self.id, at=at), at)

    def inspect(self, results: tuple[PointResult, ...], told: Told, by: str, known: findings.Known) -> None:
        """Say what was found at points of this order, once a point in one call; raises Invalid for everything wrong."""
        self._must_be("inspected", Status.IN_PROGRESS)
        if errors := told.faults("at") | findings.faults(results, self.order.point_ids, known):
            raise Invalid(errors)
        inspected = PointsInspected(
            work_order_id=self.id,
            occurrence_id=self.order.occurrence_id,
            system_id=self.order.system_id,
            results=results,
            captured_at=told.captured_at,
            inspected_by=by,
        )
        self.record(inspected, told.at)

    def perform(
        self,
        told: Told,
        by: str,
        *,
        summary: str | None = None,
        omitted: tuple[str, ...] = (),
        zone: ZoneInfo | None = None,
    ) -> tuple[ClockFlag, ...]:
        """Say that work in progress is done; answers what is odd about its times.

        `omitted` are exactly the points of a round without a result; `zone` is the facility's, needed for work with a
        window.
        """
        self._must_be("performed", Status.IN_PROGRESS)
        errors = told.faults("performed_at") or self._backwards("performed_at", told.at)
        if faults := self._omission_faults(omitted):
            errors |= {"omitted_point_ids": faults}
        if errors:
            raise Invalid(errors)
        flags = self._flags(told, zone)
        performed = WorkPerformed(
            work_order_id=self.id,
            kind=self.kind,
            occurrence_id=self.order.occurrence_id,
            system_id=self.order.system_id,
            performed_at=told.at,
            performed_by=by,
            summary=summary,
            captured_at=told.captured_at,
            omitted_point_ids=tuple(point for point in self.order.point_ids if point in set(omitted)) or None,
            flags=flags or None,
        )
        self.record(performed, told.at)
        return flags

    def accept(self, by: str, at: datetime) -> None:
        """Accept performed work; the doer may not accept their own."""
        self._must_be_judged_by(by, "accepted")
        self.record(
            WorkAccepted(work_order_id=self.id, kind=self.kind, system_id=self.order.system_id, accepted_by=by), at
        )

    def return_work(self, by: str, reason: str, at: datetime) -> None:
        """Return performed work to its doer."""
        self._must_be_judged_by(by, "returned")
        returned = WorkReturned(
            work_order_id=self.id, kind=self.kind, system_id=self.order.system_id, returned_by=by, reason=reason
        )
        self.record(returned, at)

    def close(self, reason: str | None, at: datetime) -> None:
        """Close accepted work."""
        self._must_be("closed", Status.ACCEPTED)
        self.record(WorkOrderClosed(work_order_id=self.id, reason=reason), at)

    def cancel(self, reason: str | None, at: datetime) -> None:
        """Call off work that is not done yet; its occurrence stays due."""
        self._must_be("cancelled", *UNFINISHED)
        self.record(WorkOrderCancelled(work_order_id=self.id, reason=reason), at)

    def escalate(self, now: datetime) -> None:
        """Tell a supervisor, then a manager, that it is due and not done; each once, as of when that became true.

        Planned work is judged by its window instead. What was finished before anybody looked is not escalated.
        """
        order = self.order
        if self.status not in UNFINISHED or order.occurrence_id is not None or order.due_at is None:
            return
        for level, at in enumerate((order.due_at, order.escalates_at), start=1):
            if at is not None and self.escalated < level and at <= now:
                to: Literal["supervisor", "manager"] = "supervisor" if level == 1 else "manager"
                told = WorkOrderEscalated(work_order_id=self.id, level=level, to=to, due_at=order.due_at)
                self.record(told, at)

    def replace_equipment(
        self,
        point_id: str,
        requested_on: date,
        replaced_on: date,
        at: datetime,
        *,
        nameplate: Nameplate | None = None,
    ) -> None:
        """Say that equipment at one of its points was replaced, and what stands there now."""
        if point_id not in self.order.point_ids:
            raise Invalid({"point_id": [f"{point_id} is not of this work order"]})
        if replaced_on < requested_on:
            raise Invalid({"replaced_on": [f"expected a day on or after requested_on {requested_on}"]})
        must_have_come("replaced_on", replaced_on, at)
        _must_be_right(nameplate, at)
        replaced = EquipmentReplaced(
            work_order_id=self.id,
            point_id=point_id,
            requested_on=requested_on,
            replaced_on=replaced_on,
            nameplate=nameplate,
        )
        self.record(replaced, at)

    def _must_be(self, done: str, *allowed: Status) -> None:
        if not self.exists:
            raise NotFound(f"no work order {self.id}")
        if self.status not in allowed:
            raise Rejected(f"{self.status} work cannot be {done}: expected {' or '.join(allowed)}")

    def _must_be_judged_by(self, by: str, done: str) -> None:
        self._must_be(done, Status.PERFORMED)
        if by in {self.assignee, *self.doers}:
            raise Rejected(f"work is {done} by someone other than its doer")

    def _must_go_forward(self, field: str, told: Told) -> None:
        if errors := told.faults(field) or self._backwards(field, told.at):
            raise Invalid(errors)

    def _backwards(self, field: str, at: datetime) -> dict[str, list[str]]:
        """What is wrong with a time before the last start, hold, resumption or performance."""
        if self.last_at is None or at >= self.last_at:
            return {}
        return {field: [f"expected a time no earlier than {self.last_at.isoformat()}, when this work last moved on"]}

    def _omission_faults(self, omitted: tuple[str, ...]) -> list[str]:
        if self.kind != "inspection":
            return ["expected only of an inspection"] if omitted else []
        return omissions.faults(omitted, self.order.point_ids, self.inspected)

    def _flags(self, told: Told, zone: ZoneInfo | None) -> tuple[ClockFlag, ...]:
        opens, ends = self.order.window_start, self.order.window_end
        return told.flags(opens, ends, zone) if opens and ends and zone else ()

    def apply(self, event: Event) -> None:
        """Fold one event into the state; never refuse it."""
        self.last_at = _moved_at(event) or self.last_at
        match event:
            case WorkOrderOpened():
                self.opened = event
            case WorkOrderAssigned():
                self.assignee, self.status = event.assignee, Status.ASSIGNED
            case WorkStarted() | WorkResumed() | WorkReturned():
                self.status = Status.IN_PROGRESS
            case WorkHeld():
                self.status = Status.ON_HOLD
            case PointsInspected():
                self.inspected.update(result.point_id for result in event.results)
                self.doers.update({event.inspected_by} if event.inspected_by else ())
            case WorkPerformed():
                self.doers.add(event.performed_by)
                self.status = Status.PERFORMED
            case WorkAccepted() | WorkOrderClosed() | WorkOrderCancelled():
                self.status = ENDS[type(event)]
            case WorkOrderEscalated():
                self.escalated = event.level


def _must_be_right(nameplate: Nameplate | None, now: datetime) -> None:
    """Refuse a nameplate that contradicts itself, or of equipment installed on a day that has not come."""
    if nameplate is None:
        return
    if faults := {f"nameplate.{field}": [why] for field, why in nameplate.faults()}:
        raise Invalid(faults)
    if nameplate.installed_on is not None:
        must_have_come("nameplate.installed_on", nameplate.installed_on, now)


def must_have_come(field: str, day: date, now: datetime) -> None:
    """Refuse a claimed day that has not begun anywhere on earth."""
    if day > now.astimezone(FIRST_TO_RISE).date():
        raise Rejected(f"{field} {day} lies in the future")


def _moved_at(event: Event) -> datetime | None:
    """When work moved on, as far as its doers say."""
    match event:
        case WorkStarted() | WorkHeld() | WorkResumed():
            return event.at
        case WorkPerformed():
            return event.performed_at
    return None
