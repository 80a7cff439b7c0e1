"""From plan items to visits: no gap, no duplicate, ids that stay, windows inside the year, and the Chinese calendar."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.recurrence import CalendarFor, Due, IsWorkday, Term, due
from services.scheduling.tests.plans import by, calendars, chinese, item, items, years
from shared.contracts.scheduling import OccurrenceScheduled, PlanItem
from shared.rrule import days


def visits(
    *terms: PlanItem | tuple[str, PlanItem | None], year: int = 2021, calendar: CalendarFor = chinese
) -> list[Due]:
    """The visits of an item as it reads from the year's first day on, and from later days on."""
    dated = [term if isinstance(term, tuple) else (f"{year}-01-01", term) for term in terms]
    return list(due([Term(effective_on=date.fromisoformat(day), item=item) for day, item in dated], year, calendar))


def working(day: date) -> bool:
    """Whether the Chinese calendar has people work on a day."""
    is_workday = chinese(day)
    assert is_workday is not None
    return is_workday(day)


def windows(found: list[Due]) -> list[tuple[str, str]]:
    """First and last days."""
    return [(str(one.window_start), str(one.window_end)) for one in found]


@given(duty=items(), year=years, calendar=calendars())
def test_every_date_of_the_rule_has_one_visit_unless_a_rest_day_skips_it(
    duty: PlanItem, year: int, calendar: IsWorkday
) -> None:
    found = visits(duty, year=year, calendar=by(calendar))

    nominal = days(duty.rrule, year)
    expected = [day for day in nominal if duty.workdays != "skip" or calendar(day)]
    assert [one.period for one in found] == [f"{day:%Y-%m}" for day in expected]
    assert len({one.occurrence_id for one in found}) == len(found)
    if duty.workdays != "move":
        assert [one.window_start for one in found] == expected


@given(duty=items(), year=years, calendar=calendars())
def test_windows_open_before_they_end_and_stay_inside_the_year(duty: PlanItem, year: int, calendar: IsWorkday) -> None:
    for one in visits(duty, year=year, calendar=by(calendar)):
        assert date(year, 1, 1) <= one.window_start <= one.window_end <= date(year, 12, 31)
        scheduled = OccurrenceScheduled(
            occurrence_id=one.occurrence_id,
            plan_item_id="i",
            system_id="hvac",
            activity=duty.activity,
            period=one.period,
            window_start=one.window_start,
            window_end=one.window_end,
            point_ids=(),
        )
        assert list(scheduled.faults()) == []


@given(duty=items(), year=years, one=calendars(), other=calendars())
def test_an_id_means_the_same_date_whatever_the_calendar_says(
    duty: PlanItem, year: int, one: IsWorkday, other: IsWorkday
) -> None:
    ignoring = visits(PlanItem(**{**vars(duty), "workdays": "ignore"}), year=year, calendar=by(one))
    nominal = {visit.occurrence_id: (visit.period, visit.window_end) for visit in ignoring}

    for calendar in (one, other):
        for visit in visits(duty, year=year, calendar=by(calendar)):
            assert nominal[visit.occurrence_id] == (visit.period, visit.window_end)


@given(duty=items(), later=items(), day=st.dates(date(2021, 1, 2), date(2021, 12, 31)), withdrawn=st.booleans())
def test_a_change_leaves_all_visits_of_dates_before_it_as_they_were(
    duty: PlanItem, later: PlanItem, day: date, withdrawn: bool
) -> None:
    before = visits(PlanItem(**{**vars(duty), "workdays": "ignore"}))
    changed = visits(PlanItem(**{**vars(duty), "workdays": "ignore"}), (str(day), None if withdrawn else later))

    kept = [visit for visit in before if visit.window_start < day]
    assert changed[: len(kept)] == kept
    assert len({visit.occurrence_id for visit in changed}) == len(changed)
    rest = changed[len(kept) :]
    named = [each for each in days(later.rrule, 2021) if each >= day and (later.workdays != "skip" or working(each))]
    assert [visit.period for visit in rest] == ([] if withdrawn else [f"{each:%Y-%m}" for each in named])
    assert not {visit.occurrence_id for visit in before} & {visit.occurrence_id for visit in rest}


@given(
    duty=items(), later=items(), days=st.lists(st.dates(date(2021, 1, 2), date(2021, 12, 31)), min_size=2, max_size=2)
)
def test_an_id_of_a_reading_does_not_hang_on_the_day_of_its_change(
    duty: PlanItem, later: PlanItem, days: list[date]
) -> None:
    one, other = (
        {visit.occurrence_id: visit for visit in visits(duty, (str(day), later)) if "r1" in visit.occurrence_id}
        for day in days
    )

    shared = set(one) & set(other)
    assert {id_: one[id_] for id_ in shared} == {id_: other[id_] for id_ in shared}


def test_ids_of_a_change_count_the_dates_of_its_own_rule_and_name_it() -> None:
    found = visits(
        item("FREQ=WEEKLY;BYDAY=MO"),
        ("2021-03-16", item("FREQ=MONTHLY;BYMONTHDAY=10,20,30")),
        ("2021-03-25", item("FREQ=MONTHLY;BYMONTHDAY=30")),
    )

    march = [one for one in found if one.period == "2021-03"]
    assert [(one.occurrence_id, one.window_start.day) for one in march] == [
        ("i:2021-03:1", 1),
        ("i:2021-03:2", 8),
        ("i:2021-03:3", 15),
        ("i:2021-03:2r1", 20),
        ("i:2021-03:1r2", 30),
    ]


def test_without_window_days_a_window_runs_to_the_end_of_its_month() -> None:
    found = visits(item("FREQ=MONTHLY;BYMONTHDAY=28"), year=2024)

    assert windows(found)[:2] == [("2024-01-28", "2024-01-31"), ("2024-02-28", "2024-02-29")]


def test_a_window_of_some_days_counts_its_first_and_may_reach_into_the_next_month_but_not_the_next_year() -> None:
    assert windows(visits(item("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=31", window_days=1))) == [("2021-03-31", "2021-03-31")]
    assert windows(visits(item("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=31", window_days=2))) == [("2021-03-31", "2021-04-01")]
    assert windows(visits(item("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=20", window_days=90))) == [
        ("2021-12-20", "2021-12-31")
    ]


def test_every_15_days_is_counted_from_the_first_of_january() -> None:
    found = visits(item("FREQ=DAILY;INTERVAL=15", window_days=15))

    assert len(found) == 25
    assert windows(found)[:2] == [("2021-01-01", "2021-01-15"), ("2021-01-16", "2021-01-30")]
    assert windows(found)[-1] == ("2021-12-27", "2021-12-31")


def test_on_national_day_a_visit_is_held_skipped_or_moved_to_the_first_workday_in_its_window() -> None:
    october = "FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=1"

    assert windows(visits(item(october))) == [("2021-10-01", "2021-10-31")]
    assert windows(visits(item(october, "skip"))) == []
    assert windows(visits(item(october, "move"))) == [("2021-10-08", "2021-10-31")]
    assert windows(visits(item(october, "move", window_days=9))) == [("2021-10-08", "2021-10-09")]


def test_a_window_without_any_workday_opens_on_its_nominal_date() -> None:
    assert windows(visits(item("FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=1", "move", window_days=7))) == [
        ("2021-10-01", "2021-10-07")
    ]


@pytest.mark.parametrize("day", ["2021-09-26", "2021-10-09", "2021-02-07", "2021-02-20"])
def test_a_make_up_workday_is_a_workday_although_it_is_on_a_weekend(day: str) -> None:
    rrule = f"FREQ=YEARLY;BYMONTH={day[5:7]};BYMONTHDAY={day[8:]}"

    assert date.fromisoformat(day).weekday() >= 5
    for workdays in ("skip", "move"):
        assert windows(visits(item(rrule, workdays, window_days=3)))[0][0] == day


def test_a_skipped_date_leaves_its_number_free() -> None:
    found = visits(item("FREQ=MONTHLY;BYMONTHDAY=1,8,15", "skip"))

    october = [one.occurrence_id for one in found if one.period == "2021-10"]
    assert october == ["i:2021-10:2", "i:2021-10:3"]


@pytest.mark.parametrize("year", [2003, 2030])
def test_visits_of_a_year_whose_calendar_is_unknown_are_held_until_their_nominal_date_and_never_guessed(
    year: int,
) -> None:
    for workdays in ("skip", "move"):
        found = visits(item("FREQ=MONTHLY;BYMONTHDAY=1", workdays), year=year)

        assert [one.held_until for one in found] == [one.window_start for one in found]
        assert len(found) == 12

    assert {one.held_until for one in visits(item("FREQ=MONTHLY;BYMONTHDAY=1"), year=year)} == {None}


@pytest.mark.parametrize(
    ("name", "rrule", "first", "times"),
    [
        ("every 15 days", "FREQ=DAILY;INTERVAL=15", ["2021-01-01", "2021-01-16"], 25),
        ("monthly", "FREQ=MONTHLY;BYMONTHDAY=10", ["2021-01-10", "2021-02-10"], 12),
        ("on the last of the month", "FREQ=MONTHLY;BYMONTHDAY=-1", ["2021-01-31", "2021-02-28"], 12),
        ("quarterly", "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=5", ["2021-01-05", "2021-04-05"], 4),
        ("half-yearly", "FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=1", ["2021-01-01", "2021-07-01"], 2),
        ("yearly", "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=20", ["2021-05-20"], 1),
        ("on the second Tuesday", "FREQ=MONTHLY;BYDAY=2TU", ["2021-01-12", "2021-02-09"], 12),
        ("on the last Friday", "FREQ=MONTHLY;BYDAY=-1FR", ["2021-01-29", "2021-02-26"], 12),
        ("every other Monday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", ["2021-01-11", "2021-01-25"], 26),
    ],
)
def test_a_duty_comes_as_often_as_its_rule_says(name: str, rrule: str, first: list[str], times: int) -> None:
    found = visits(item(rrule))

    assert len(found) == times
    assert [str(one.window_start) for one in found][: len(first)] == first
