"""The year by system and month, and what a plan lets expect of it."""

from datetime import date
from typing import Any

from services.scheduling.recurrence import Term, due
from services.scheduling.tests.plans import item
from services.scheduling.year import by_system_and_month, expected

HVAC = {"system_id": "hvac", "name": "空调系统", "commissioned_on": "2020-01-01", "decommissioned_on": None}
MONTHLY = item("FREQ=MONTHLY;BYMONTHDAY=1", plan_item_id="hvac-inspection")


def visits_of(*periods: str) -> list[dict[str, Any]]:
    """What is expected of a monthly duty in 2021, of these months or of all."""
    planned = due([Term(effective_on=date.min, item=MONTHLY)], 2021, lambda _: None)
    return list(expected(visit for visit in planned if not periods or visit.period in periods))


def row(occurrence_id: str, **columns: Any) -> dict[str, Any]:
    """A visit that was made."""
    _, period, _ = occurrence_id.split(":")
    return {
        "occurrence_id": occurrence_id,
        "system_id": "hvac",
        "activity": "inspection",
        "period": period,
        "window_start": f"{period}-01",
        "window_end": f"{period}-28",
        "status": "planned",
        "excused": False,
        **columns,
    }


def test_what_is_expected_reads_like_what_was_made() -> None:
    (found,) = visits_of("2021-02")

    assert found == {
        **row("hvac-inspection:2021-02:1"),
        "plan_item_id": "hvac-inspection",
        "assignee": None,
        "status": "expected",
    }


def test_a_year_is_a_row_a_system_and_a_cell_a_month() -> None:
    made = [
        row("hvac-inspection:2021-01:1", status="missed", excused=True),
        row("b:2021-01:1", window_start="2021-01-02"),
    ]

    (line,) = by_system_and_month(2021, [HVAC], [*visits_of()[1:], *reversed(made)])

    assert (line["system_id"], line["name"]) == ("hvac", "空调系统")
    assert [cell["period"] for cell in line["months"]] == [f"2021-{month:02}" for month in range(1, 13)]
    assert line["months"][0]["occurrences"] == [
        {
            "occurrence_id": "hvac-inspection:2021-01:1",
            "activity": "inspection",
            "status": "missed",
            "excused": True,
            "window_start": "2021-01-01",
            "window_end": "2021-01-28",
        },
        {
            "occurrence_id": "b:2021-01:1",
            "activity": "inspection",
            "status": "planned",
            "excused": False,
            "window_start": "2021-01-02",
            "window_end": "2021-01-28",
        },
    ]
    assert [cell["occurrences"][0]["status"] for cell in line["months"][1:]] == ["expected"] * 11


def test_a_system_without_visits_has_empty_months_and_one_of_another_year_is_left_out() -> None:
    gone = {**HVAC, "system_id": "gone", "decommissioned_on": "2020-12-31"}
    later = {**HVAC, "system_id": "later", "commissioned_on": "2022-01-01"}

    (line,) = by_system_and_month(2021, [later, HVAC, gone], [])

    assert line["system_id"] == "hvac"
    assert all(cell["occurrences"] == [] for cell in line["months"])
