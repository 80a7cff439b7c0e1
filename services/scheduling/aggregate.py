"""The rules of plans and of the occurrences made from them."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.scheduling.recurrence import CalendarFor, Due, Term, due
from shared.aggregate import Aggregate
from shared.contracts.scheduling import (
    OccurrenceExcused,
    OccurrenceMissed,
    OccurrenceOverdue,
    OccurrencePerformed,
    OccurrenceScheduled,
    OccurrenceWithdrawalDeferred,
    OccurrenceWithdrawn,
    PlanAdopted,
    PlanItem,
    PlanItemChanged,
    PlanItemWithdrawn,
    WithdrawnBecause,
)
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Event
from shared.rrule import days

GRACE_DAYS = 5
"""How many days after a window its work may still be recorded (`backfill_days` of the rulebooks)."""
LONGEST_ITEM_ID, MOST_CHANGES = 60, 99
"""So that occurrence and work order ids, which are made from an item's id and its changes, stay within 80."""


class Plan(Aggregate):
    """What is to be done in one year, and how that changed."""

    category = "plan"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.year = 0
        self.terms: dict[str, list[Term]] = {}

    def adopt(self, year: int, items: tuple[PlanItem, ...], at: datetime) -> None:
        """Adopt it once; every fault of its items is named."""
        if self.exists:
            raise Rejected(f"plan {self.id} is adopted already; change its items instead")
        if faults := dict(_faults(items, year)):
            raise Invalid(faults)
        self.record(PlanAdopted(plan_id=self.id, year=year, items=items), at)

    def change(self, change: PlanItemChanged, today: date, at: datetime) -> None:
        """Change an item from a day on that has not come yet."""
        item = self._must_be_ahead(change.plan_item_id, change.effective_on, today)
        if change.rrule is not None and (fault := _rrule_fault(change.rrule, self.year)):
            raise Invalid({"rrule": [fault]})
        if len(self.terms[change.plan_item_id]) > MOST_CHANGES:
            raise Rejected(f"an item is changed at most {MOST_CHANGES} times a year")
        if _changed(item, change) == item:
            raise Rejected("nothing would change: expected another rrule, window_days, workdays or assignee")
        self.record(change, at)

    def withdraw(self, withdrawal: PlanItemWithdrawn, today: date, at: datetime) -> None:
        """End an item from a day on that has not come yet."""
        self._must_be_ahead(withdrawal.plan_item_id, withdrawal.effective_on, today)
        self.record(withdrawal, at)

    def due(self, calendar_for: CalendarFor) -> Iterator[Due]:
        """Every visit of the year, item by item."""
        for terms in self.terms.values():
            yield from due(terms, self.year, calendar_for)

    def _must_be_ahead(self, plan_item_id: str, effective_on: date, today: date) -> PlanItem:
        terms = self.terms.get(plan_item_id)
        item = terms[-1].item if terms else None
        if not terms or item is None:
            raise NotFound(f"no item {plan_item_id} in plan {self.id}")
        if effective_on.year > self.year:
            raise Invalid({"effective_on": [f"expected a day of {self.year} at the latest, the year of the plan"]})
        if effective_on <= max(today, terms[-1].effective_on):
            raise Rejected("a plan changes only the future: effective_on must be after today and the last change")
        return item

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event:
            case PlanAdopted():
                self.year = event.year
                self.terms = {item.plan_item_id: [Term(effective_on=date.min, item=item)] for item in event.items}
            case PlanItemChanged():
                item = self.terms[event.plan_item_id][-1].item
                if item is None:  # a withdrawn item is not changed: `change` refuses, a fold passes over
                    return
                term = Term(effective_on=event.effective_on, item=_changed(item, event), reason=event.reason)
                self.terms[event.plan_item_id].append(term)
            case PlanItemWithdrawn():
                term = Term(effective_on=event.effective_on, item=None, reason=event.reason)
                self.terms[event.plan_item_id].append(term)


def _changed(item: PlanItem, change: PlanItemChanged) -> PlanItem:
    return replace(
        item,
        rrule=change.rrule or item.rrule,
        window_days=change.window_days or item.window_days,
        workdays=change.workdays or item.workdays,
        assignee=change.assignee or item.assignee,
    )


def _faults(items: tuple[PlanItem, ...], year: int) -> Iterator[tuple[str, list[str]]]:
    ids = [item.plan_item_id for item in items]
    if not items:
        yield "items", ["expected at least one item"]
    for number, item in enumerate(items):
        if len(item.plan_item_id) > LONGEST_ITEM_ID:
            yield f"items[{number}].plan_item_id", [f"expected at most {LONGEST_ITEM_ID} characters"]
        if ids.index(item.plan_item_id) != number:
            yield f"items[{number}].plan_item_id", [f"{item.plan_item_id} is there twice"]
        if item.assignee is not None and not item.assignee.strip():
            yield f"items[{number}].assignee", ["expected words, not blank"]
        if fault := _rrule_fault(item.rrule, year):
            yield f"items[{number}].rrule", [fault]


def _rrule_fault(rrule: str, year: int) -> str | None:
    try:
        return None if days(rrule, year) else f"expected a rule that names a day of {year}"
    except ValueError as fault:
        return str(fault)


class Status(StrEnum):
    """Where an occurrence stands."""

    PLANNED = "planned"
    PERFORMED = "performed"
    OVERDUE = "overdue"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"


class Occurrence(Aggregate):
    """One visit that is due: performed in its window, or overdue and then missed by the clock."""

    category = "occurrence"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.status = Status.PLANNED
        self.scheduled: OccurrenceScheduled | None = None

    @property
    def plan(self) -> OccurrenceScheduled:
        """What was scheduled."""
        if self.scheduled is None:
            raise NotFound(f"no occurrence {self.id}")
        return self.scheduled

    def schedule(self, visit: Due, point_ids: tuple[str, ...], at: datetime) -> None:
        """Make it, for the points that the system has now."""
        self.record(
            OccurrenceScheduled(
                occurrence_id=self.id,
                plan_item_id=visit.item.plan_item_id,
                system_id=visit.item.system_id,
                activity=visit.item.activity,
                period=visit.period,
                window_start=visit.window_start,
                window_end=visit.window_end,
                point_ids=point_ids,
                assignee=visit.item.assignee,
            ),
            at,
        )

    def perform(self, work_order_id: str, performed_at: datetime, recorded_at: datetime, zone: ZoneInfo) -> None:
        """Work was reported: it counts if done within the window and recorded in time; else nothing changes."""
        day, recorded_on = performed_at.astimezone(zone).date(), recorded_at.astimezone(zone).date()
        in_window = self.plan.window_start <= day <= self.plan.window_end
        in_time = recorded_on <= self.plan.window_end + timedelta(days=GRACE_DAYS)
        if self.status in (Status.PLANNED, Status.OVERDUE) and in_window and in_time:
            performed = OccurrencePerformed(
                occurrence_id=self.id, work_order_id=work_order_id, performed_at=performed_at
            )
            self.record(performed, recorded_at)

    def pass_time(self, today: date, zone: ZoneInfo) -> None:
        """Let the clock judge: overdue after the window, missed when nothing can be recorded in time any more."""
        overdue_on = self.plan.window_end + timedelta(days=1)
        missed_on = overdue_on + timedelta(days=GRACE_DAYS)
        if self.status is Status.PLANNED and today >= overdue_on:
            overdue = OccurrenceOverdue(occurrence_id=self.id, system_id=self.plan.system_id, period=self.plan.period)
            self.record(overdue, _midnight(overdue_on, zone))
        if self.status is Status.OVERDUE and today >= missed_on:
            closed_at = _midnight(missed_on, zone)
            missed = OccurrenceMissed(
                occurrence_id=self.id, system_id=self.plan.system_id, period=self.plan.period, closed_at=closed_at
            )
            self.record(missed, closed_at)

    def excuse(
        self, point_ids: tuple[str, ...] | None, reason: str, by: str, at: datetime, doers: Collection[str] = ()
    ) -> None:
        """Excuse it, or some of its points; the miss itself stays on record.

        Never by those who should have done it (domain.md, States): its duty's assignee, and the `doers`, whoever its work
        was ever given to or who reported it performed.
        """
        if self.status is Status.WITHDRAWN:
            raise Rejected("a withdrawn occurrence needs no excuse")
        if unknown := sorted(set(point_ids or ()) - set(self.plan.point_ids)):
            raise Invalid({"point_ids": [f"not of this occurrence: {', '.join(unknown)}"]})
        if self.status is Status.PERFORMED and not point_ids:
            raise Rejected("a performed occurrence needs no excuse, unless for points of it: expected point_ids")
        if by == self.plan.assignee or by in doers:
            raise Rejected(f"an occurrence is excused by someone other than who should have done it, not {by}")
        excuse = OccurrenceExcused(occurrence_id=self.id, point_ids=point_ids or None, reason=reason, approved_by=by)
        self.record(excuse, at)

    def withdraw(self, reason: str, today: date, at: datetime, because: WithdrawnBecause | None = None) -> None:
        """Ask it no more; not once its work was performed or its window is over.

        `because` names what it follows from; without it, somebody decided this alone.
        """
        if self.status is not Status.PLANNED or today > self.plan.window_end:
            raise Rejected(
                f"an occurrence can be withdrawn while it is planned, and not after its window: {self.status}"
            )
        self.record(OccurrenceWithdrawn(occurrence_id=self.id, reason=reason, because=because), at)

    def defer_withdrawal(self, reason: str, told_on: date, at: datetime) -> None:
        """Put off whether it is withdrawn, as of a day within its window, until it is known whether its work was done."""
        self.record(OccurrenceWithdrawalDeferred(occurrence_id=self.id, told_on=told_on, reason=reason), at)

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event:
            case OccurrenceScheduled():
                self.scheduled = event
            case OccurrencePerformed():
                self.status = Status.PERFORMED
            case OccurrenceOverdue():
                self.status = Status.OVERDUE
            case OccurrenceMissed():
                self.status = Status.MISSED
            case OccurrenceWithdrawn():
                self.status = Status.WITHDRAWN


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
