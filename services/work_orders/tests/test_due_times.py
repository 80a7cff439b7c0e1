"""Due times on hand-made examples, and what holds of all of them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.work_orders.due_times import Calendars, Due, Reckoning, Workdays, due_at, is_workday, with_due_times
from services.work_orders.levels import DEFAULT, ServiceLevels
from shared.contracts.work_orders import DueBasis, Priority, ServiceLevelsAdopted, Shift, WorkOrderOpened
from shared.errors import Invalid

KUNMING = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
# 国办发明电〔2020〕27号: the holidays of 2021 that are not weekends anyway, and the make-up workdays, from 中秋 on.
YEAR_2021 = Workdays(
    holidays=frozenset(date(2021, 9, day) for day in (20, 21))
    | frozenset(date(2021, 10, day) for day in (1, 4, 5, 6, 7)),
    make_up_workdays=frozenset({date(2021, 9, 18), date(2021, 9, 26), date(2021, 10, 9)}),
)
KNOWN: Calendars = {2021: YEAR_2021}
NIGHTS = ServiceLevelsAdopted(
    urgent=1,
    high=4,
    normal=8,
    low=100,
    shifts=(Shift(opens="00:00", closes="04:00"), Shift(opens="22:00", closes="23:30")),
)
priorities: st.SearchStrategy[Priority] = st.sampled_from(["low", "normal", "high", "urgent"])
zones = st.sampled_from([KUNMING, BERLIN, ZoneInfo("America/Sao_Paulo"), ZoneInfo("Australia/Lord_Howe")])
levels = st.sampled_from([DEFAULT, NIGHTS])
calendars: st.SearchStrategy[Calendars] = st.sampled_from([{}, KNOWN])
reckonings = st.builds(Reckoning, levels=levels, zone=zones, calendars=calendars)
steady = st.builds(
    Reckoning, levels=levels, zone=st.sampled_from([KUNMING, ZoneInfo("Asia/Kolkata")]), calendars=calendars
)
moments = st.integers(0, 6 * 366 * 86_400).map(
    lambda seconds: datetime(2018, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def counted(
    opened: str, priority: Priority = "normal", known: Calendars = KNOWN, kind: Any = "corrective"
) -> tuple[str, DueBasis]:
    """When a job that was opened at a local time is due, by our default, in local time."""
    due = due_at(
        datetime.fromisoformat(opened).replace(tzinfo=KUNMING),
        priority,
        kind,
        Reckoning(levels=DEFAULT, zone=KUNMING, calendars=known),
    )
    return f"{due.at:%Y-%m-%d %H:%M}", due.basis


@pytest.mark.parametrize(
    ("opened", "priority", "due"),
    [
        ("2021-03-09 09:00", "urgent", "2021-03-09 11:00"),
        ("2021-03-09 11:30", "urgent", "2021-03-09 14:30"),  # over noon
        ("2021-03-09 10:00", "urgent", "2021-03-09 12:00"),  # just before it
        ("2021-03-09 12:20", "urgent", "2021-03-09 15:00"),  # at noon
        ("2021-03-09 16:30", "urgent", "2021-03-10 10:30"),  # over night
        ("2021-03-09 17:00", "urgent", "2021-03-10 11:00"),
        ("2021-03-09 03:00", "urgent", "2021-03-09 11:00"),
        ("2021-03-12 16:00", "urgent", "2021-03-15 10:00"),  # Friday to Monday
        ("2021-03-09 09:00", "high", "2021-03-10 10:00"),
        ("2021-03-09 09:00", "normal", "2021-03-12 12:00"),
        ("2021-09-30 16:00", "urgent", "2021-10-08 10:00"),  # 国庆: 1 to 7 October are free
        ("2021-10-08 16:00", "urgent", "2021-10-09 10:00"),  # 调休: Saturday the 9th is worked
        ("2021-09-30 09:00", "normal", "2021-10-11 12:00"),  # 7 hours on the 30th, the 8th and the 9th, 3 on the 11th
        ("2021-09-17 16:30", "high", "2021-09-22 09:30"),  # 中秋: 18th worked, 19th to 21st free
    ],
)
def test_working_hours_are_counted_by_hand(opened: str, priority: Priority, due: str) -> None:
    assert counted(opened, priority) == (due, "workdays")


def test_a_year_that_is_not_known_is_counted_by_monday_to_friday_and_says_so() -> None:
    assert counted("2021-09-30 16:00", "urgent", {}) == ("2021-10-01 10:00", "weekdays")
    assert counted("2021-12-31 16:00", "urgent") == ("2022-01-03 10:00", "weekdays")
    assert counted("2021-12-31 14:00", "urgent") == ("2021-12-31 16:00", "workdays")


def test_an_emergency_counts_every_hour_of_every_day() -> None:
    assert counted("2021-10-02 23:30", "urgent", kind="emergency") == ("2021-10-03 01:30", "around_the_clock")


def test_hours_are_those_that_pass_where_the_clocks_are_changed() -> None:
    works_sundays: Calendars = {
        2021: Workdays(holidays=frozenset(), make_up_workdays=frozenset({date(2021, 3, 28), date(2021, 10, 31)}))
    }
    opened = datetime(2021, 3, 28, tzinfo=BERLIN), datetime(2021, 10, 31, tzinfo=BERLIN)

    spring, autumn = (
        due_at(at, "high", "service", Reckoning(levels=NIGHTS, zone=BERLIN, calendars=works_sundays)).at
        for at in opened
    )

    assert spring.isoformat() == "2021-03-28T23:00:00+02:00"  # 02:00 to 03:00 never was
    assert autumn.isoformat() == "2021-10-31T03:00:00+01:00"  # 02:00 to 03:00 was twice


@given(moments, st.timedeltas(timedelta(), timedelta(days=40)), priorities, reckonings)
def test_what_is_opened_later_is_due_no_earlier(
    opened: datetime, later: timedelta, priority: Priority, by: Reckoning
) -> None:
    first = due_at(opened, priority, "corrective", by).at
    second = due_at(opened + later, priority, "corrective", by).at

    assert first.astimezone(UTC) <= second.astimezone(UTC)


@given(moments, reckonings)
def test_the_more_hours_the_later_it_is_due(opened: datetime, by: Reckoning) -> None:
    ordered: list[Priority] = ["urgent", "high", "normal", "low"]

    dues = [due_at(opened, priority, "corrective", by).at.astimezone(UTC) for priority in ordered]

    assert sorted(set(dues)) == dues


@given(moments, priorities, steady)
def test_a_job_is_due_within_a_shift_of_a_workday_and_as_many_working_hours_later(
    opened: datetime, priority: Priority, by: Reckoning
) -> None:
    opened = opened.replace(second=0, microsecond=0)

    due = due_at(opened, priority, "maintenance", by)

    assert is_workday(due.at.date(), by.calendars)
    assert any(time.fromisoformat(s.opens) < due.at.time() <= time.fromisoformat(s.closes) for s in by.levels.shifts)
    assert worked_minutes(opened.astimezone(by.zone), due.at, by) == getattr(by.levels, priority) * 60


def worked_minutes(begin: datetime, end: datetime, by: Reckoning) -> int:
    """Counted another way: shift by shift in minutes of a zone that never changes its clocks."""
    worked = timedelta()
    for number in range((end.date() - begin.date()).days + 1):
        day = begin.date() + timedelta(days=number)
        for shift in by.levels.shifts if is_workday(day, by.calendars) else ():
            opens, closes = (
                datetime.combine(day, time.fromisoformat(words), begin.tzinfo) for words in (shift.opens, shift.closes)
            )
            worked += max(timedelta(), min(closes, end) - max(opens, begin))
    return worked // timedelta(minutes=1)


ORDER = WorkOrderOpened(work_order_id="w", kind="corrective", system_id="hvac", point_ids=(), priority="urgent")
TUESDAY = datetime(2021, 3, 9, 9, tzinfo=KUNMING)


def timed(**more: Any) -> WorkOrderOpened:
    """The order, opened on Tuesday morning."""
    order = WorkOrderOpened(**{**vars(ORDER), **more})
    return with_due_times(order, TUESDAY, Reckoning(levels=DEFAULT, zone=KUNMING, calendars=KNOWN))


def test_an_order_is_due_in_its_hours_and_escalates_after_as_many_again() -> None:
    order = timed()

    assert (order.due_at, order.escalates_at) == (TUESDAY.replace(hour=11), TUESDAY.replace(hour=14))
    assert order.due_basis == "workdays"


def test_a_due_time_that_somebody_set_holds_and_the_manager_hears_the_hours_of_its_priority_later() -> None:
    saturday = datetime(2021, 3, 13, 12, tzinfo=KUNMING)

    order = timed(due_at=saturday)

    assert (order.due_at, order.escalates_at) == (saturday, datetime(2021, 3, 15, 11, tzinfo=KUNMING))


def test_a_due_time_before_the_opening_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        timed(due_at=TUESDAY - timedelta(microseconds=1))

    assert list(refused.value.errors) == ["due_at"]
    assert timed(due_at=TUESDAY).due_at == TUESDAY


def test_an_order_for_a_planned_visit_has_no_due_time_of_its_own() -> None:
    planned = timed(occurrence_id="hvac:2021-03:1")

    assert (planned.due_at, planned.escalates_at, planned.due_basis) == (None, None, None)


def test_one_unknown_year_on_the_way_marks_the_order() -> None:
    eve = datetime(2021, 12, 31, 15, tzinfo=KUNMING)
    for known, basis in (
        (KNOWN, "weekdays"),
        ({2022: YEAR_2021}, "weekdays"),
        ({**KNOWN, 2022: YEAR_2021}, "workdays"),
    ):
        assert with_due_times(ORDER, eve, Reckoning(levels=DEFAULT, zone=KUNMING, calendars=known)).due_basis == basis


def test_levels_are_adopted_again_and_again_and_the_last_hold() -> None:
    adopted = ServiceLevels("hall")
    before = adopted.in_force

    adopted.adopt(NIGHTS, TUESDAY)

    assert (before, adopted.in_force, adopted.new_events) == (DEFAULT, NIGHTS, [(NIGHTS, TUESDAY)])
    assert due_at(TUESDAY, "urgent", "corrective", Reckoning(levels=NIGHTS, zone=KUNMING, calendars=KNOWN)) == Due(
        at=datetime(2021, 3, 9, 23, tzinfo=KUNMING), basis="workdays"
    )


@pytest.mark.parametrize(
    ("shifts", "field"),
    [
        ((), "shifts"),
        ((("09:00", "09:59"),), "shifts"),
        ((("17:00", "09:00"),), "shifts[0].closes"),
        ((("09:00", "12:00"), ("11:00", "13:00")), "shifts[1].opens"),
        ((("9:00", "12:00"),), "shifts[0].opens"),
        ((("09:00", "24:00"),), "shifts[0].closes"),
    ],
)
def test_shifts_that_overlap_or_hardly_exist_are_refused(shifts: Any, field: str) -> None:
    wrong = ServiceLevelsAdopted(
        urgent=1, high=1, normal=1, low=1, shifts=tuple(Shift(opens=a, closes=b) for a, b in shifts)
    )

    with pytest.raises(Invalid) as refused:
        ServiceLevels("hall").adopt(wrong, TUESDAY)

    assert list(refused.value.errors) == [field]
