"""The year, the feed and the warnings of a facility, as scheduling answers them, on both databases."""

import base64
from typing import Any

import pytest
from icalendar import Calendar

from services.scheduling.tests.office import MONTHLY, Office, local
from services.scheduling.tests.plans import item
from shared.errors import NotFound

LI = item(
    "FREQ=MONTHLY;BYMONTHDAY=15",
    plan_item_id="li",
    activity="maintenance",
    assignee="user:li",
)


def months(office: Office) -> dict[str, dict[str, str]]:
    """The year of hvac: month by month its visits and how they stand."""
    (line,) = office.alone.service.year_view(office.alone.hall, 2021)["systems"]
    return {
        cell["period"]: {visit["occurrence_id"]: visit["status"] for visit in cell["occurrences"]}
        for cell in line["months"]
    }


def events(office: Office, assignee: str | None = None) -> dict[str, Any]:
    """The events of the feed, by what identifies them within the facility."""
    file = office.alone.service.calendar(office.alone.hall, assignee)
    found = read(file).walk("VEVENT")
    return {str(event["UID"]).removesuffix(f"@{office.alone.hall}.xunjian"): event for event in found}


def read(file: dict[str, str]) -> Any:
    """A feed as a calendar application reads it."""
    return Calendar.from_ical(base64.b64decode(file["body"]))


def test_a_year_shows_what_was_made_and_what_is_still_expected(office: Office) -> None:
    office.adopt(MONTHLY)
    office.perform("hvac:2021-01:1", "2021-01-05 09:00")
    office.look("2021-03-01 12:00")

    seen = months(office)

    assert [list(visits.values()) for visits in seen.values()] == [
        ["performed"],
        ["overdue"],
        ["planned"],
        ["planned"],
        *[["expected"]] * 8,
    ]
    assert [list(visits) for visits in seen.values()] == [[f"hvac:{period}:1"] for period in seen]


def test_an_event_of_the_feed_stays_the_same_from_expected_to_withdrawn(office: Office) -> None:
    office.adopt(MONTHLY)
    before = events(office)["hvac:2021-03:1"]
    office.look("2021-02-01")
    made = events(office)["hvac:2021-03:1"]
    office.end("2021-03-01")
    withdrawn = events(office)["hvac:2021-03:1"]

    stages = (before, made, withdrawn)
    assert [event["STATUS"] for event in stages] == ["TENTATIVE", "CONFIRMED", "CANCELLED"]
    assert [event["SEQUENCE"] for event in stages] == [0, 0, 1]
    assert [event.decoded("DTSTAMP") for event in stages] == [
        local(day) for day in ("2020-12-20", "2021-02-01", "2021-02-01")
    ]
    assert "hvac:2021-04:1" not in events(office)


def test_a_feed_of_one_person_has_their_visits_only(office: Office) -> None:
    office.adopt(MONTHLY, LI)
    office.give("hvac:2021-01:1", "user:wang")
    office.look()

    assert list(events(office, "user:wang")) == ["hvac:2021-01:1"]
    assert list(events(office, "user:li")) == [f"li:2021-{month:02}:1" for month in range(1, 13)]
    assert len(events(office)) == 24


def test_a_feed_is_a_file_named_for_its_hall_that_says_it_is_simulated(office: Office) -> None:
    office.adopt(MONTHLY)

    file = office.alone.service.calendar(office.alone.hall, "user:li")

    assert (file["media_type"], file["filename"]) == ("text/calendar; charset=utf-8", f"{office.alone.hall}.ics")
    assert read(file)["X-WR-CALNAME"] == "【模拟】大厅 user:li"
    assert {str(event["SUMMARY"]) for event in events(office).values()} == {
        f"【模拟】hvac 巡检 2021-{month:02}" for month in range(1, 13)
    }


def test_a_feed_of_no_facility_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        office.alone.service.calendar("nowhere")


def test_a_plan_below_a_minimum_is_adopted_and_says_so_until_another_makes_up_for_it(office: Office) -> None:
    half = item("FREQ=MONTHLY;BYMONTH=1,2,3,4,5,6", plan_item_id="half")
    rest = item("FREQ=MONTHLY;BYMONTH=7,8,9,10,11,12", plan_item_id="rest")

    first = office.adopt(half)["warnings"]
    then = office.adopt(rest, plan_id="q")["warnings"]

    assert [warning["code"] for warning in first] == ["below_minimum", "below_minimum"]
    assert first[1]["system_id"] == "hvac"
    assert first[1]["plan_item_id"] == "half"
    assert "no inspection is planned in 2021-07, 2021-08, " in first[1]["message"]
    assert then == []


def test_a_change_below_a_minimum_is_told_before_it_is_made_and_ever_after(office: Office) -> None:
    office.adopt(MONTHLY)

    told = office.end("2021-12-01", dry_run=True)["warnings"]
    undone = office.alone.service.year_view(office.alone.hall, 2021)["warnings"]
    office.end("2021-12-01")
    ever_after = office.alone.service.year_view(office.alone.hall, 2021)["warnings"]

    assert [warning["message"].partition(";")[0] for warning in told] == [
        "no inspection of any system is planned in 2021-12 (每月进行不低于一次安全检查)",
        "hvac (hvac): no inspection is planned in 2021-12",
    ]
    assert undone == []
    assert ever_after == told


def test_a_month_whose_visit_falls_on_a_rest_day_that_is_skipped_has_none(office: Office) -> None:
    told = office.adopt(item("FREQ=MONTHLY;BYMONTHDAY=1", workdays="skip"))["warnings"]

    assert "no inspection is planned in 2021-01, 2021-05, 2021-08, 2021-10; " in told[1]["message"]
