"""The rules of work orders: their states, and who may move them on."""

from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

from shared.aggregate import Aggregate
from shared.contracts.work_orders import (
    EquipmentReplaced,
    PointResult,
    PointsInspected,
    WorkAccepted,
    WorkHeld,
    WorkKind,
    WorkOrderAssigned,
    WorkOrderCancelled,
    WorkOrderClosed,
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
UNFINISHED = (Status.OPENED, Status.ASSIGNED, Status.IN_PROGRESS, Status.ON_HOLD)


class WorkOrder(Aggregate):
    """One job on one system, done by one person and accepted by another."""

    category = "work-order"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.opened: WorkOrderOpened | None = None
        self.status = Status.OPENED
        self.assignee: str | None = None
        self.doers: frozenset[str] = frozenset()

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
        self.record(WorkStarted(work_order_id=self.id, at=_past("at", at, now)), at)

    def hold(self, at: datetime, reason: str, now: datetime) -> None:
        """Let work rest."""
        self._must_be("held", Status.IN_PROGRESS)
        self.record(WorkHeld(work_order_id=self.id, at=_past("at", at, now), reason=reason), at)

    def resume(self, at: datetime, now: datetime) -> None:
        """Go on with resting work."""
        self._must_be("resumed", Status.ON_HOLD)
        self.record(WorkResumed(work_order_id=self.id, at=_past("at", at, now)), at)

    def inspect(self, results: tuple[PointResult, ...], at: datetime) -> None:
        """Say what was found at points of this order, once a point in one call."""
        self._must_be("inspected", Status.IN_PROGRESS)
        ids = [result.point_id for result in results]
        errors = {
            f"results[{number}].point_id": [
                f"{id_} is not of this work order" if id_ not in known else f"{id_} is twice"
            ]
            for known in [set(self.order.point_ids)]
            for number, id_ in enumerate(ids)
            if id_ not in known or ids.index(id_) != number
        }
        if errors or not results:
            raise Invalid(errors or {"results": ["expected at least one result"]})
        self.record(
            PointsInspected(
                work_order_id=self.id,
                occurrence_id=self.order.occurrence_id,
                system_id=self.order.system_id,
                results=results,
            ),
            at,
        )

    def perform(self, performed_at: datetime, by: str, summary: str | None, now: datetime) -> None:
        """Say that work in progress is done."""
        self._must_be("performed", Status.IN_PROGRESS)
        self.record(
            WorkPerformed(
                work_order_id=self.id,
                kind=self.kind,
                occurrence_id=self.order.occurrence_id,
                system_id=self.order.system_id,
                performed_at=_past("performed_at", performed_at, now),
                performed_by=by,
                summary=summary,
            ),
            performed_at,
        )

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

    def replace_equipment(self, point_id: str, requested_on: date, replaced_on: date, at: datetime) -> None:
        """Say that equipment at one of its points was replaced."""
        if point_id not in self.order.point_ids:
            raise Invalid({"point_id": [f"{point_id} is not of this work order"]})
        if replaced_on < requested_on:
            raise Invalid({"replaced_on": [f"expected a day on or after requested_on {requested_on}"]})
        must_have_come("replaced_on", replaced_on, at)
        replaced = EquipmentReplaced(
            work_order_id=self.id, point_id=point_id, requested_on=requested_on, replaced_on=replaced_on
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

    def apply(self, event: Event) -> None:
        """Fold one event into the state; never refuse it."""
        match event:
            case WorkOrderOpened():
                self.opened = event
            case WorkOrderAssigned():
                self.assignee, self.status = event.assignee, Status.ASSIGNED
            case WorkStarted() | WorkResumed() | WorkReturned():
                self.status = Status.IN_PROGRESS
            case WorkHeld():
                self.status = Status.ON_HOLD
            case WorkPerformed():
                self.doers, self.status = self.doers | {event.performed_by}, Status.PERFORMED
            case WorkAccepted():
                self.status = Status.ACCEPTED
            case WorkOrderClosed():
                self.status = Status.CLOSED
            case WorkOrderCancelled():
                self.status = Status.CANCELLED


def must_have_come(field: str, day: date, now: datetime) -> None:
    """Refuse a claimed day that has not begun anywhere on earth."""
    if day > now.astimezone(FIRST_TO_RISE).date():
        raise Rejected(f"{field} {day} lies in the future")


def _past(field: str, moment: datetime, now: datetime) -> datetime:
    """A claimed time, which may not lie in the future of the store's clock."""
    if moment > now:
        raise Rejected(f"{field} {moment.isoformat()} lies in the future of {now.isoformat()}")
    return moment
