"""From a plan item to the windows in which its visits are due. Pure: the workday calendars are passed in."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from shared.contracts.scheduling import PlanItem
from shared.rrule import days

IsWorkday = Callable[[date], bool]
CalendarFor = Callable[[date], IsWorkday | None]
"""The calendar by which a nominal date is read; None where it has none."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """One visit: its deterministic id, the month that it counts for, and its window (both days inclusive).

    `held_until` is its nominal date where whether or when it is due hangs on a calendar that nobody knows: it is not made
    before, and then with its nominal window.
    """

    occurrence_id: str
    item: PlanItem
    period: str
    window_start: date
    window_end: date
    held_until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Term:
    """From a day on an item reads so, and why; `item` is None once it is withdrawn."""

    effective_on: date
    item: PlanItem | None
    reason: str | None = None


def due(terms: Sequence[Term], year: int, calendar_for: CalendarFor) -> Iterator[Due]:
    """Every visit of one item in a year, in order.

    An id is `{item}:{period}:{n}`, and `{item}:{period}:{n}r{k}` by the item's k-th change: n counts the nominal dates of
    that reading's rule in that month, also those that a rest day skips or that are before the change. So an id means the
    same date for ever, and ids of different readings never clash.
    """
    for number, day, item, reading in _dates(terms, year):
        revised = f"r{reading}" if reading else ""
        visit = Due(
            occurrence_id=f"{item.plan_item_id}:{day:%Y-%m}:{number}{revised}",
            item=item,
            period=f"{day:%Y-%m}",
            window_start=day,
            window_end=_window_end(day, item.window_days),
        )
        is_workday = calendar_for(day)
        if item.workdays == "ignore":
            yield visit
        elif is_workday is None:
            yield replace(visit, held_until=day)
        elif is_workday(day):
            yield visit
        elif item.workdays == "move":
            yield replace(visit, window_start=_first_workday(visit, is_workday))


def nominal(terms: Sequence[Term], year: int) -> Iterator[tuple[date, PlanItem]]:
    """The nominal dates of one item in a year, whatever the calendar says, each with the item as it reads then."""
    return ((day, item) for _, day, item, _ in _dates(terms, year))


def _dates(terms: Sequence[Term], year: int) -> Iterator[tuple[int, date, PlanItem, int]]:
    """The nominal dates, each with its number in its month by the rule of then, the item as it reads, and the reading."""
    ends = [term.effective_on for term in terms[1:]] + [date.max]
    for reading, (term, end) in enumerate(zip(terms, ends, strict=True)):
        if term.item is None:
            continue
        numbers: defaultdict[int, int] = defaultdict(int)
        for day in days(term.item.rrule, year):
            numbers[day.month] += 1
            if term.effective_on <= day < end:
                yield numbers[day.month], day, term.item, reading


def _window_end(start: date, window_days: int | None) -> date:
    """The last day of the window: of its month without `window_days`, and never beyond its year."""
    if window_days is None:
        return (start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    end_of_year = date(start.year, 12, 31)
    return start + timedelta(days=min(window_days - 1, (end_of_year - start).days))


def _first_workday(visit: Due, is_workday: IsWorkday) -> date:
    """The workday nearest to the nominal date within the window; the nominal date where the window has none."""
    days = (visit.window_end - visit.window_start).days
    candidates = (visit.window_start + timedelta(days=number) for number in range(days + 1))
    return next((day for day in candidates if is_workday(day)), visit.window_start)
