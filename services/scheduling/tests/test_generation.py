"""Ten random years of random plans with their changes and calendars: no gap, no duplicate, all within the year."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.scheduling.aggregate import Plan
from services.scheduling.recurrence import Due
from services.scheduling.tests.plans import items
from services.scheduling.workdays import WorkdayCalendar
from shared.contracts.scheduling import (
    PlanAdopted,
    PlanItem,
    PlanItemChanged,
    PlanItemWithdrawn,
    WorkdayCalendarAdopted,
)
from shared.event import Event
from shared.rrule import days

NOON = datetime(2021, 3, 9, 4, tzinfo=UTC)
Reading = tuple[date, PlanItem | None]

ten_years = st.lists(st.integers(1900, 2999), min_size=10, max_size=10, unique=True)
in_year = st.integers(0, 364)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, PlanItem | None]]:
    """How an item reads: from the beginning, and from some days of the year on; perhaps not at all in the end."""
    changes = sorted(draw(st.lists(in_year, max_size=3, unique=True)))
    readings: list[tuple[int, PlanItem | None]] = [(-1, draw(items()))]
    readings += [(day, draw(items())) for day in changes]
    ends = draw(st.booleans())
    if changes and ends:
        readings[-1] = (changes[-1], None)
    return readings


@st.composite
def versions(draw: st.DrawFn) -> list[tuple[int | None, set[int]]]:
    """What is special of some days of a year, by none to three calendars; the first may hold for the whole year."""
    special = st.sets(in_year, max_size=60)
    since = sorted(draw(st.lists(in_year, max_size=3, unique=True)))
    whole = draw(st.booleans())
    return [(None if whole and not number else day, draw(special)) for number, day in enumerate(since)]


def calendar_of(year: int, told: list[tuple[int | None, set[int]]]) -> WorkdayCalendar:
    """A calendar with these versions."""
    first, calendar = date(year, 1, 1), WorkdayCalendar(str(year))
    for since, special in told:
        unusual = [first + timedelta(days=number) for number in sorted(special)]
        adopted = WorkdayCalendarAdopted(
            year=year,
            source="国办发明电",
            holidays=tuple(day for day in unusual if day.weekday() < 5),
            make_up_workdays=tuple(day for day in unusual if day.weekday() >= 5),
            effective_on=None if since is None else first + timedelta(days=since),
        )
        calendar.adopt(adopted, NOON)
    return calendar


def plan_of(year: int, readings: list[Reading]) -> Plan:
    """A plan with one item that changes."""
    (_, adopted), *later = readings
    assert adopted is not None
    events: list[Event] = [PlanAdopted(plan_id="p", year=year, items=(adopted,))]
    for day, item in later:
        said = {"plan_id": "p", "plan_item_id": "i", "effective_on": day, "reason": "改期"}
        if item is None:
            events.append(PlanItemWithdrawn(**said))  # type: ignore[arg-type]
        else:
            reads = {"rrule": item.rrule, "window_days": item.window_days or 9, "workdays": item.workdays}
            events.append(PlanItemChanged(**said, **reads))  # type: ignore[arg-type]
    return Plan.replay("p", events)


def nominal(year: int, readings: list[Reading]) -> list[tuple[date, PlanItem]]:
    """Every date that is named by the rule which holds on it."""
    found = []
    for day in (date(year, 1, 1) + timedelta(days=number) for number in range(366)):
        item = next(item for since, item in reversed(readings) if since <= day)
        if item is not None and day.year == year and day in days(item.rrule, year):
            found.append((day, item))
    return found


def last_day(day: date, item: PlanItem) -> date:
    """Of the window that opens on a nominal date."""
    if item.window_days is None:
        return max(
            day + timedelta(days=number) for number in range(31) if (day + timedelta(days=number)).month == day.month
        )
    return min(date(day.year, 12, 31), day + timedelta(days=min(item.window_days, 366) - 1))


@settings(max_examples=25, deadline=None)
@given(years=ten_years, history=histories(), told=versions())
def test_every_nominal_date_has_one_visit_unless_a_known_calendar_skips_it(
    years: list[int], history: list[tuple[int, PlanItem | None]], told: list[tuple[int | None, set[int]]]
) -> None:
    for year in years:
        readings = [(date.min if day < 0 else date(year, 1, 1) + timedelta(days=day), item) for day, item in history]
        calendar = calendar_of(year, told)

        visits = list(plan_of(year, readings).due(calendar.for_date))

        changed = [(day, item and (item if day == date.min else _with_window(item))) for day, item in readings]
        asked = [(day, item) for day, item in nominal(year, changed) if not _skipped(calendar, day, item)]
        assert Counter(_months_and_ends(visits)) == Counter(
            (f"{day:%Y-%m}", last_day(day, item)) for day, item in asked
        )
        assert len({visit.occurrence_id for visit in visits}) == len(visits)
        assert all(date(year, 1, 1) <= one.window_start <= one.window_end <= date(year, 12, 31) for one in visits)
        unmoved = [visit for visit in visits if visit.item.workdays != "move" or visit.held_until]
        assert Counter(visit.window_start for visit in unmoved) <= Counter(day for day, _ in asked)


def _with_window(item: PlanItem) -> PlanItem:
    """As a change can say it, which takes no window away."""
    return replace(item, window_days=item.window_days or 9)


def _skipped(calendar: WorkdayCalendar, day: date, item: PlanItem) -> bool:
    is_workday = calendar.for_date(day)
    return item.workdays == "skip" and is_workday is not None and not is_workday(day)


def _months_and_ends(visits: list[Due]) -> list[tuple[str, date]]:
    return [(visit.period, visit.window_end) for visit in visits]
