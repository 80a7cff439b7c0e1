"""What scheduling publishes: plans, the occurrences made from them, and what became overdue, missed or excused."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import msgspec

from shared.event import Event, Moment
from shared.schema import Id, Period, Year

Activity = Literal["inspection", "maintenance", "service", "test"]
Workdays = Literal["ignore", "skip", "move"]
Days = Annotated[int, msgspec.Meta(ge=1)]


@dataclass(frozen=True, kw_only=True)
class PlanItem:
    """One recurring duty: on each date of the RRULE (RFC 5545) a window of `window_days` opens.

    Without `window_days` the window runs to the end of the month.
    """

    plan_item_id: Id
    system_id: Id
    activity: Activity
    rrule: str
    workdays: Workdays
    window_days: Days | None = None


class PlanAdopted(Event):
    """The plan of a year holds from now on."""

    plan_id: Id
    year: Year
    items: tuple[PlanItem, ...]


class PlanItemChanged(Event):
    """A duty is done differently from a day on; what was scheduled before stands."""

    plan_id: Id
    plan_item_id: Id
    effective_on: date
    reason: str
    rrule: str | None = None
    window_days: Days | None = None
    workdays: Workdays | None = None


class PlanItemWithdrawn(Event):
    """A duty ends on a day; what was scheduled before stands."""

    plan_id: Id
    plan_item_id: Id
    effective_on: date
    reason: str


class OccurrenceScheduled(Event):
    """One visit is due within a window (应检周期), for the points that the system had when it was made."""

    occurrence_id: Id
    plan_item_id: Id
    system_id: Id
    activity: Activity
    period: Period
    window_start: date
    window_end: date
    point_ids: tuple[Id, ...]

    def faults(self) -> Iterator[tuple[str, str]]:
        """A window opens before it ends and lies within the year of its period."""
        if self.window_end < self.window_start:
            yield "window_end", f"expected a day on or after window_start {self.window_start}"
        for name, day in (("window_start", self.window_start), ("window_end", self.window_end)):
            if f"{day.year:04}" != self.period[:4]:
                yield name, f"expected a day in the year of the period {self.period}"


class OccurrenceWithdrawn(Event):
    """A visit is not due after all, and why."""

    occurrence_id: Id
    reason: str


class OccurrencePerformed(Event):
    """The work of a visit was reported performed; it can no longer become missed or be withdrawn."""

    occurrence_id: Id
    work_order_id: Id
    performed_at: Moment


class OccurrenceOverdue(Event):
    """The window of a visit is over and no work in it is known; it may still be recorded for some days."""

    occurrence_id: Id
    system_id: Id
    period: Period


class OccurrenceMissed(Event):
    """Nothing was recorded in time (漏检); only an excuse changes what that costs."""

    occurrence_id: Id
    system_id: Id
    period: Period
    closed_at: Moment


class OccurrenceExcused(Event):
    """A manager excused a visit, or, with `point_ids`, only these points of it."""

    occurrence_id: Id
    reason: str
    approved_by: str
    point_ids: tuple[Id, ...] | None = None
