"""From a plan item to the windows in which its visits are due. Pure: the workday calendar is passed in."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from shared.contracts.scheduling import PlanItem
from shared.rrule import days

IsWorkday = Callable[[date], bool]


@dataclass(frozen=True, kw_only=True)
class Due:
    """One visit: its deterministic id, the month that it counts for, and its window (both days inclusive)."""

    occurrence_id: str
    item: PlanItem
    period: str
    window_start: date
    window_end: date


@dataclass(frozen=True, kw_only=True)
class Term:
    """From a day on an item reads so; `item` is None once it is withdrawn."""

    effective_on: date
    item: PlanItem | None


def due(terms: Sequence[Term], year: int, is_workday: IsWorkday) -> Iterator[Due]:
    """Every visit of one item in a year, in order.

    The number in an id counts the nominal dates of its month, also those that a rest day skips; so an id does not move
    when the calendar or a later term of the item changes.
    """
    numbers: defaultdict[str, int] = defaultdict(int)
    for day, item in _dates(terms, year):
        period = f"{day:%Y-%m}"
        numbers[period] += 1
        visit = Due(
            occurrence_id=f"{item.plan_item_id}:{period}:{numbers[period]}",
            item=item,
            period=period,
            window_start=day,
            window_end=_window_end(day, item.window_days),
        )
        if item.workdays == "ignore" or is_workday(day):
            yield visit
        elif item.workdays == "move":
            yield replace(visit, window_start=_first_workday(visit, is_workday))


def _dates(terms: Sequence[Term], year: int) -> Iterator[tuple[date, PlanItem]]:
    """The nominal dates, each with the item as it reads on that day."""
    ends = [term.effective_on for term in terms[1:]] + [date.max]
    for term, end in zip(terms, ends, strict=True):
        if term.item is None:
            continue
        for day in days(term.item.rrule, year):
            if term.effective_on <= day < end:
                yield day, term.item


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
