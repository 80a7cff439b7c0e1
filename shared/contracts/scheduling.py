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
WithdrawnBecause = Literal["plan", "workdays", "system"]


@dataclass(frozen=True, kw_only=True)
class PlanItem:
    """One recurring duty: on each date of the RRULE (RFC 5545) a window of `window_days` opens.

    Without `window_days` the window runs to the end of the month. Its work orders are given to `assignee` from the start.
    """

    plan_item_id: Id
    system_id: Id
    activity: Activity
    rrule: str
    workdays: Workdays
    window_days: Days | None = None
    assignee: str | None = None


class PlanAdopted(Event):
    """The plan of a year holds from now on."""

    plan_id: Id
    year: Year
    items: tuple[PlanItem, ...]


class PlanItemChanged(Event):
    """A duty is done differently from a day on: on every nominal date that lies on it or later."""

    plan_id: Id
    plan_item_id: Id
    effective_on: date
    reason: str
    rrule: str | None = None
    window_days: Days | None = None
    workdays: Workdays | None = None
    assignee: str | None = None


class PlanItemWithdrawn(Event):
    """A duty ends on a day: nothing is due on a nominal date that lies on it or later."""

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
    assignee: str | None = None

    def faults(self) -> Iterator[tuple[str, str]]:
        """A window opens before it ends and lies within the year of its period."""
        if self.window_end < self.window_start:
            yield "window_end", f"expected a day on or after window_start {self.window_start}"
        for name, day in (("window_start", self.window_start), ("window_end", self.window_end)):
            if f"{day.year:04}" != self.period[:4]:
                yield name, f"expected a day in the year of the period {self.period}"


class OccurrenceWithdrawn(Event):
    """A visit is not due after all, and why.

    `because` says what it followed from: its plan changed, the workday calendar was amended, or its system went out of
    commission. Without it somebody withdrew this visit alone, and none is made in its place.
    """

    occurrence_id: Id
    reason: str
    because: WithdrawnBecause | None = None


class OccurrenceWithdrawalDeferred(Event):
    """A visit that had begun when its system went out of commission is to be withdrawn as of that day, `told_on`.

    That is decided once it is known whether work was done in it: `occurrence_performed` or `occurrence_withdrawn` follows.
    """

    occurrence_id: Id
    told_on: date
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


class WorkdayCalendarAdopted(Event):
    """Which days of a year are worked, as far as they differ from Monday to Friday; the last word on a year holds.

    `source` is the library with its version, or the notice that an office entered. Visits are read by it whose nominal
    date is `effective_on` or later; all of the year without it.
    """

    year: Year
    source: str
    holidays: tuple[date, ...]
    make_up_workdays: tuple[date, ...]
    reason: str | None = None
    effective_on: date | None = None

    def is_workday(self, day: date) -> bool:
        """Whether people work on a day of the year."""
        return day in self.make_up_workdays if day.weekday() >= 5 else day not in self.holidays

    def faults(self) -> Iterator[tuple[str, str]]:
        """Holidays are days from Monday to Friday of the year, make-up workdays (调休) days of its weekends."""
        for name, days, weekend in (
            ("holidays", self.holidays, False),
            ("make_up_workdays", self.make_up_workdays, True),
        ):
            for number, day in enumerate(days):
                if day.year != self.year:
                    yield f"{name}[{number}]", f"expected a day of {self.year}, not {day}"
                elif (day.weekday() >= 5) != weekend:
                    yield (
                        f"{name}[{number}]",
                        f"expected {'a Saturday or Sunday' if weekend else 'Monday to Friday'}: {day}",
                    )
                elif day in days[:number]:
                    yield f"{name}[{number}]", f"{day} is there twice"
