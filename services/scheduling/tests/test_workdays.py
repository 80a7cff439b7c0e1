"""The workday calendar: recorded once from the library, amended by the office, never guessed, and never changing the past."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.scheduling.tests.office import MONTHLY, Office
from services.scheduling.tests.plans import item
from services.scheduling.workdays import WorkdayCalendar, of_library
from shared.contracts.scheduling import OccurrenceScheduled, OccurrenceWithdrawn, PlanAdopted, WorkdayCalendarAdopted
from shared.errors import Invalid, NotFound

NOON = datetime(2021, 3, 9, 4, tzinfo=UTC)


def adopted(effective_on: str | None = None, **fields: Any) -> WorkdayCalendarAdopted:
    """A calendar of 2021."""
    told: dict[str, Any] = {"year": 2021, "source": "国办发明电", "holidays": (), "make_up_workdays": (), **fields}
    return WorkdayCalendarAdopted(**told, effective_on=date.fromisoformat(effective_on) if effective_on else None)


def moving(*days: int, workdays: str = "move") -> Any:
    """A duty on days of each month that a rest day moves, or skips, in windows of ten days."""
    rule = f"FREQ=MONTHLY;BYMONTHDAY={','.join(map(str, days))}"
    return item(rule, workdays, window_days=10, plan_item_id="hvac")


def test_the_library_knows_holidays_and_make_up_workdays() -> None:
    calendar = of_library(2021)

    assert calendar is not None
    assert calendar.source.startswith("chinesecalendar ")
    assert [str(day) for day in calendar.holidays if day.month == 10] == [f"2021-10-0{day}" for day in (1, 4, 5, 6, 7)]
    assert [str(day) for day in calendar.make_up_workdays][-2:] == ["2021-09-26", "2021-10-09"]
    worked = [day for day in range(1, 12) if calendar.is_workday(date(2021, 10, day))]
    assert worked == [8, 9, 11]
    assert list(calendar.faults()) == []
    assert (of_library(2003), of_library(2030)) == (None, None)


def test_the_last_version_that_holds_for_a_date_is_the_calendar_of_that_date() -> None:
    june, july = (date(2021, month, 1) for month in (6, 7))
    calendar = WorkdayCalendar("2021")

    calendar.adopt(adopted("2021-06-01", holidays=(june, july)), NOON)
    calendar.adopt(adopted("2021-06-15", holidays=(june,)), NOON)

    for known in (calendar, WorkdayCalendar.replay("2021", [event for event, _ in calendar.new_events])):
        first, second = known.for_date(june), known.for_date(date(2021, 6, 15))
        assert known.for_date(date(2021, 5, 31)) is None
        assert first is not None
        assert second is not None
        assert (first(july), second(july)) == (False, True)


@pytest.mark.parametrize(
    ("field", "days", "expected"),
    [
        ("holidays", ["2021-10-01", "2020-10-01"], "holidays[1]: expected a day of 2021"),
        ("holidays", ["2021-10-02"], "holidays[0]: expected Monday to Friday"),
        ("holidays", ["2021-10-01", "2021-10-01"], "holidays[1]: 2021-10-01 is there twice"),
        ("make_up", ["2021-10-08"], "make_up_workdays[0]: expected a Saturday or Sunday"),
    ],
)
def test_every_fault_of_a_calendar_is_named(office: Office, field: str, days: list[str], expected: str) -> None:
    with pytest.raises(Invalid) as refused:
        office.amend(2021, **{field: days})

    ((name, (why,)),) = refused.value.errors.items()
    assert f"{name}: {why}".startswith(expected)
    assert office.alone.events() == []


def test_a_calendar_is_of_a_registered_facility_and_says_whence_and_why(office: Office) -> None:
    with pytest.raises(Invalid) as refused:
        office.alone.ask("amend_workdays", year=2021, holidays=[], make_up_workdays=[], source=" ", reason="")
    office.alone.hall = "nowhere"
    with pytest.raises(NotFound, match="no facility nowhere"):
        office.amend(2021)

    assert list(refused.value.errors) == ["source", "reason"]


def test_the_calendar_is_recorded_with_the_first_plan_of_a_year_so_that_no_later_library_moves_it(
    office: Office,
) -> None:
    before = office.alone.service.workdays(office.alone.hall, 2021)
    office.adopt(MONTHLY)
    office.adopt(item("FREQ=WEEKLY", plan_item_id="new"), plan_id="q")

    assert [type(event) for event in office.alone.events()][:2] == [WorkdayCalendarAdopted, PlanAdopted]
    (recorded,) = office.alone.recorded(WorkdayCalendarAdopted)
    assert (recorded.subject, recorded.event) == ("workdays/2021", of_library(2021))
    after = office.alone.service.workdays(office.alone.hall, 2021)
    assert (before.pop("version"), after.pop("version")) == (0, 1)
    assert before == after


def test_a_calendar_that_was_edited_before_is_kept(office: Office) -> None:
    office.amend(2021, ["2021-02-01"])

    office.adopt(moving(1))

    assert len(office.alone.events(WorkdayCalendarAdopted)) == 1
    assert office.standing() == [("hvac:2021-01:1", "2021-01-01"), ("hvac:2021-02:1", "2021-02-02")]


def test_an_amended_calendar_makes_anew_only_visits_of_dates_to_come_whose_windows_it_changes(office: Office) -> None:
    office.adopt(moving(4, 12, 20))
    office.look("2021-01-12")

    answer = office.amend(2021, ["2021-01-12", "2021-01-20", "2021-02-12", "2021-03-12"], ["2021-02-20"])

    assert [(event.occurrence_id, event.because) for event in office.alone.events(OccurrenceWithdrawn)] == [
        ("hvac:2021-01:3", "workdays"),
        ("hvac:2021-02:2", "workdays"),
    ]
    assert office.standing() == [
        ("hvac:2021-01:1", "2021-01-04"),
        ("hvac:2021-01:2", "2021-01-12"),
        ("hvac:2021-01:3m2", "2021-01-21"),
        ("hvac:2021-02:1", "2021-02-04"),
        ("hvac:2021-02:2m2", "2021-02-15"),
        ("hvac:2021-02:3", "2021-02-20"),
    ]
    assert ("hvac:2021-03:2", "2021-03-15") in [
        (visit["occurrence_id"], visit["window_start"]) for visit in answer["added"]
    ]


def test_a_calendar_that_comes_back_to_what_it_was_uses_no_id_again(office: Office) -> None:
    office.adopt(moving(20))
    known = of_library(2021)
    assert known is not None
    holidays, make_up = ([str(day) for day in days] for days in (known.holidays, known.make_up_workdays))

    office.amend(2021, [*holidays, "2021-01-20"], make_up)
    office.amend(2021, holidays, make_up)

    assert office.standing()[0] == ("hvac:2021-01:1m3", "2021-01-20")
    assert len(office.made()) == len(set(office.made())) == 3


def test_an_amendment_that_skips_a_visit_takes_it_back_and_one_that_does_not_makes_it(office: Office) -> None:
    office.adopt(moving(20, workdays="skip"))

    office.amend(2021, ["2021-01-20"])
    skipped = office.standing()
    office.amend(2021)

    assert (skipped, office.standing()) == ([], [("hvac:2021-01:1m2", "2021-01-20")])


def test_a_year_without_a_calendar_is_planned_with_a_warning(office: Office) -> None:
    office.open("2029-12-20")

    ignoring = office.adopt(MONTHLY, year=2030)
    skipping = office.adopt(item("FREQ=MONTHLY", "skip", plan_item_id="other"), plan_id="q", year=2030)

    (plain, held) = (
        next(warning["message"] for warning in answer["warnings"] if warning["code"] == "unknown_workdays")
        for answer in (ignoring, skipping)
    )
    assert plain == "no workday calendar is known for 2030 yet: adopt one with amend_workdays"
    assert "visits of other are held back" in held
    assert office.made() == ["hvac:2030-01:1", "hvac:2030-02:1"]
    assert office.alone.service.workdays(office.alone.hall, 2030) == {
        "year": 2030,
        "known": False,
        "source": None,
        "holidays": [],
        "make_up_workdays": [],
        "version": 0,
    }


def test_visits_without_a_calendar_are_held_until_their_date_has_come_and_read_by_it_once_there_is_one(
    office: Office,
) -> None:
    office.open("2029-12-20")
    office.adopt(moving(5, 20), year=2030)  # of January, both are Saturday and Sunday
    none = office.made()
    office.look("2030-01-04 23:59")
    still_none = office.made()
    office.look("2030-01-05 00:00")
    nominal = office.standing()
    office.at("2030-01-10")

    office.amend(2030, ["2030-01-21"])

    assert (none, still_none, nominal) == ([], [], [("hvac:2030-01:1", "2030-01-05")])
    assert office.standing() == [
        ("hvac:2030-01:1", "2030-01-05"),
        ("hvac:2030-01:2", "2030-01-22"),
        ("hvac:2030-02:1", "2030-02-05"),
        ("hvac:2030-02:2", "2030-02-20"),
    ]
    assert office.alone.events(OccurrenceWithdrawn) == []


def test_what_was_held_back_during_downtime_is_made_all_the_same(office: Office) -> None:
    office.open("2029-12-20")
    office.adopt(moving(5), year=2030)
    office.at("2030-04-01")

    office.amend(2030)

    starts = [str(event.window_start) for event in office.alone.events(OccurrenceScheduled)]
    assert starts == ["2030-01-05", "2030-02-05", "2030-03-05", "2030-04-05", "2030-05-06"]
