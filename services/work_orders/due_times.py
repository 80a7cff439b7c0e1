"""When jobs are due: working hours counted over the shifts of workdays; an emergency counts every hour of every day.

A year whose workday calendar is not known is counted by Monday to Friday, and the answer says so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.work_orders.levels import hours_of
from shared.contracts.work_orders import DueBasis, Priority, ServiceLevelsAdopted, WorkKind, WorkOrderOpened
from shared.errors import Invalid


@dataclass(frozen=True, kw_only=True)
class Workdays:
    """In what the workdays of one year differ from Monday to Friday."""

    holidays: frozenset[date]
    make_up_workdays: frozenset[date]


Calendars = Mapping[int, Workdays]
"""What is known of years; a year that is not there is unknown."""


@dataclass(frozen=True, kw_only=True)
class Reckoning:
    """By what a facility counts: its service levels, its local time, and the workdays that are known."""

    levels: ServiceLevelsAdopted
    zone: ZoneInfo
    calendars: Calendars


@dataclass(frozen=True, kw_only=True)
class Due:
    """A moment in local time, and how it was counted."""

    at: datetime
    basis: DueBasis


def with_due_times(order: WorkOrderOpened, opened_at: datetime, by: Reckoning) -> WorkOrderOpened:
    """An order with the times at which a supervisor, then a manager, hears that it is not done.

    An order for a planned visit has none: its window judges it. A due time that somebody set holds; raises Invalid where
    it lies before the opening.
    """
    if order.occurrence_id is not None:
        return order
    if order.due_at is not None and order.due_at < opened_at:
        raise Invalid({"due_at": [f"expected no time before the opening, {opened_at.astimezone(by.zone).isoformat()}"]})
    first = due_at(opened_at, order.priority, order.kind, by)
    again = due_at(order.due_at or first.at, order.priority, order.kind, by)
    basis = again.basis if order.due_at or again.basis == "weekdays" else first.basis
    return replace(order, due_at=order.due_at or first.at, escalates_at=again.at, due_basis=basis)


def due_at(opened_at: datetime, priority: Priority, kind: WorkKind, by: Reckoning) -> Due:
    """When a job opened then is due; what is opened outside working hours begins with the next shift.

    Whole elapsed hours are counted, also on a day on which the clocks are changed.
    """
    left = timedelta(hours=hours_of(by.levels, priority))
    opened_at = opened_at.astimezone(UTC)
    if kind == "emergency":
        return Due(at=(opened_at + left).astimezone(by.zone), basis="around_the_clock")
    basis: DueBasis = "workdays"
    for day in _days_from(opened_at.astimezone(by.zone).date()):
        if day.year not in by.calendars:
            basis = "weekdays"
        for opens, closes in _shifts_of(day, by):
            begins = max(opens, opened_at)
            if begins < closes and left <= closes - begins:
                return Due(at=(begins + left).astimezone(by.zone), basis=basis)
            left -= max(closes - begins, timedelta())
    raise AssertionError("unreachable")


def is_workday(day: date, calendars: Calendars) -> bool:
    """Whether people work on a day, as far as its year is known; else whether it is one of Monday to Friday."""
    known = calendars.get(day.year)
    if known is None:
        return day.weekday() < 5
    return day in known.make_up_workdays or (day.weekday() < 5 and day not in known.holidays)


def _days_from(day: date) -> Iterator[date]:
    while True:
        yield day
        day += timedelta(days=1)


def _shifts_of(day: date, by: Reckoning) -> Iterator[tuple[datetime, datetime]]:
    """When the shifts of a day open and close, in UTC: in local time, differences would pass over changed clocks."""
    if is_workday(day, by.calendars):
        for shift in by.levels.shifts:
            yield _moment(day, shift.opens, by.zone), _moment(day, shift.closes, by.zone)


def _moment(day: date, words: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(words), tzinfo=zone).astimezone(UTC)
