"""domain.md, What counts: a test a sentence."""

from datetime import date
from typing import Any

import pytest

from services.scoring.evaluation import evaluate
from services.scoring.facts import Facts
from services.scoring.tests import histories as h
from shared.errors import Invalid


def test_one_facility_a_file() -> None:
    facts = Facts().extend([h.system("hvac")])

    with pytest.raises(Invalid, match="facility: expected hall, one facility only"):
        facts.add(h.system("water", facility="other"))


def test_an_event_is_identified_by_its_id_and_counts_once() -> None:
    accident = h.incident()

    found = h.row("incidents", accident, accident, accident)

    assert found["actual"] == 1


def test_differing_envelopes_of_one_id_are_bad_input() -> None:
    facts = Facts().extend([h.incident("i", id_="same")])

    with pytest.raises(Invalid, match="same is told twice with different content"):
        facts.add(h.incident("j", id_="same"))


def test_events_recorded_after_known_at_are_not_seen() -> None:
    history = [h.incident("i", recorded="2021-07-01 10:00"), h.incident("j", recorded="2021-07-01 10:01")]

    assert h.row("incidents", *history, known_at="2021-07-01 09:59")["actual"] == 0
    assert h.row("incidents", *history, known_at="2021-07-01 10:00")["actual"] == 1
    assert h.row("incidents", *history)["actual"] == 2


def test_known_at_chooses_the_tellings_that_hold_as_of_then() -> None:
    history = [h.incident("i", recorded="2021-07-01"), h.incident("i", harms=[], recorded="2021-08-01")]

    assert h.row("incidents", *history, known_at="2021-07-15")["actual"] == 1
    assert h.row("incidents", *history)["actual"] == 0


def test_as_of_is_inclusive() -> None:
    accident = h.incident(on="2021-06-10 23:59")

    assert h.row("incidents", accident, as_of="2021-06-09")["actual"] == 0
    assert h.row("incidents", accident, as_of="2021-06-10")["actual"] == 1


def test_the_date_of_a_timestamp_is_its_local_date_in_shanghai_by_default() -> None:
    new_year_in_shanghai = h.incident(on="2021-01-01 00:30")

    assert h.row("incidents", new_year_in_shanghai)["actual"] == 1


def test_the_newest_registration_of_the_facility_decides_its_time_zone() -> None:
    new_year_in_shanghai = h.incident(on="2021-01-01 00:30")
    history = [h.facility("Europe/London", recorded="2020-02-02"), h.facility("Asia/Tokyo", recorded="2020-01-01")]

    assert h.row("incidents", new_year_in_shanghai, *history)["actual"] == 0
    assert h.row("incidents", new_year_in_shanghai, *history, h.facility("Asia/Shanghai"))["actual"] == 1


DATED: list[tuple[str, Any]] = [
    ("incidents", lambda on: [h.incident(on=on)]),
    ("quality", lambda on: [h.returned("wo", on)]),
    ("quality", lambda on: [h.accepted("wo", on)]),
    ("satisfaction", lambda on: [h.report(good=1, end=on)]),
    ("cost", lambda on: [h.baseline(), h.cost("c", "100.00", on)]),
]


@pytest.mark.parametrize(("indicator", "dated"), DATED)
def test_dated_facts_count_only_in_the_year_and_until_as_of(indicator: str, dated: Any) -> None:
    def counts(on: str) -> bool:
        found = h.row(indicator, *dated(on), as_of="2021-06-30")
        return found["actual"] not in (None, 0, "0.00") or bool(found["deductions"])

    counted = [counts(on) for on in ("2020-12-31", "2021-01-01", "2021-06-30", "2021-07-01", "2022-06-30")]

    assert counted == [False, True, True, False, False]


def test_work_performed_is_dated_by_performed_at_and_not_by_time() -> None:
    found = h.row("timeliness", h.performed(on="2021-01-09", happened="2021-02-09"), as_of="2021-02-28")

    assert [deduction["period"] for deduction in found["deductions"]] == ["2021-02"]


def test_verdicts_are_dated_by_time_and_not_by_recordedat() -> None:
    found = h.row("quality", h.returned("wo", on="2021-12-31 23:59", recorded="2022-01-09"))

    assert [deduction["period"] for deduction in found["deductions"]] == ["2021-12"]


def test_all_other_events_count_once_seen() -> None:
    recorded_after_as_of = h.excused(recorded="2022-02-02")

    assert h.march(h.visit(), recorded_after_as_of, as_of="2021-03-31")["status"] == "met"


def test_the_newest_is_the_greatest_by_recordedat_and_then_by_id() -> None:
    tie = [h.incident("i", id_="b", harms=[]), h.incident("i", id_="a")]

    assert h.row("incidents", *tie)["actual"] == 0
    assert h.row("incidents", *reversed(tie))["actual"] == 0
    assert h.row("incidents", *tie, h.incident("i", id_="Z", recorded="2020-12-02"))["actual"] == 1


def test_the_first_schedule_of_an_occurrence_holds() -> None:
    first = h.visit(end="2021-03-20", points=["P1"], recorded="2020-12-01")
    again = h.visit(end="2021-03-31", points=["P1", "P2"], recorded="2020-12-02")

    found = h.march(again, first, h.performed(on="2021-03-20"), h.inspected("P1"))

    assert (found["status"], found["actual"]) == ("met", 1)


def test_the_first_schedule_holds_across_systems_activities_and_periods() -> None:
    first = h.visit(of="hvac", recorded="2020-12-01")
    again = [
        h.visit(of="water", recorded="2020-12-02"),
        h.visit(period="2021-04", start="2021-04-01", end="2021-04-30", recorded="2020-12-03"),
        h.visit(activity="maintenance", recorded="2020-12-04"),
    ]

    found = h.march(*again, first, as_of="2021-04-30")

    assert [(one["reason"], one["period"]) for one in found["deductions"]] == [
        ("missed_inspection", "2021-03"),
        ("not_scheduled", "2021-04"),
    ]


def test_the_newest_report_of_a_report_id_holds() -> None:
    history = [h.report("r", bad=1, recorded="2021-07-01"), h.report("r", good=1, recorded="2021-07-02")]

    assert h.row("satisfaction", *history)["actual"] == "100.00"


def test_the_newest_confirmation_of_an_incident_holds() -> None:
    history = [h.incident("i", recorded="2021-07-02", visitors=False), h.incident("i", recorded="2021-07-01")]

    assert h.row("incidents", *history)["actual"] == 0


def test_the_newest_recording_of_a_cost_holds() -> None:
    history = [h.cost("c", "500.00", recorded="2021-07-02"), h.cost("c", "900.00", recorded="2021-07-01")]

    assert h.row("cost", h.baseline(), *history)["actual"] == "50.00"


def test_what_holds_is_chosen_before_its_date_is_looked_at() -> None:
    moved_out_of_the_year = [
        h.report("r", good=1, recorded="2021-07-01"),
        h.report("r", good=1, end="2022-01-01", recorded="2021-07-02"),
        h.incident("i", recorded="2021-07-01"),
        h.incident("i", on="2020-06-10", recorded="2021-07-02"),
        h.baseline(),
        h.cost("c", "100.00", recorded="2021-07-01"),
        h.cost("c", "100.00", on="2022-01-01", recorded="2021-07-02"),
        h.cost("d", "100.00", recorded="2021-07-01"),
        h.cost("d", "100.00", category="service", recorded="2021-07-02"),
    ]

    assert h.row("satisfaction", *moved_out_of_the_year)["status"] == "not_assessable"
    assert h.row("incidents", *moved_out_of_the_year)["actual"] == 0
    assert h.row("cost", *moved_out_of_the_year)["actual"] == "0.00"


def test_the_newest_registration_of_a_system_holds() -> None:
    again = h.system(since="2021-04-01", recorded="2020-12-02")

    assert h.reasons(h.march(again)) == []


def test_the_newest_decommissioning_of_a_system_holds() -> None:
    ends = [
        h.decommissioned(on="2021-03-15", recorded="2021-02-01"),
        h.decommissioned(on="2021-04-30", recorded="2021-02-02"),
    ]

    found = h.march(*ends, as_of="2021-12-31")

    assert [deduction["period"] for deduction in found["deductions"]] == ["2021-03", "2021-04"]


def test_a_decommissioning_told_before_the_newest_registration_is_void() -> None:
    end = h.decommissioned(on="2021-03-15", recorded="2021-02-01")
    again = h.system(recorded="2021-02-02")

    assert h.reasons(h.march(end)) == []
    assert h.reasons(h.march(end, again)) == ["not_scheduled"]


def test_a_dismissal_or_reversal_holds_whenever_it_is_told() -> None:
    before_anything = "2020-01-01"
    history = [
        h.dismissed("i", recorded=before_anything),
        h.incident("i", recorded="2021-07-01"),
        h.cost_reversed("c", recorded=before_anything),
        h.cost("c", "5000.00", recorded="2021-07-01"),
        h.baseline(),
    ]

    assert h.row("incidents", *history)["actual"] == 0
    assert h.row("cost", *history)["actual"] == "0.00"


def test_a_facility_of_which_nothing_is_known_is_provisionally_scored() -> None:
    result = evaluate(Facts("hall"), h.CHENGGONG, date(2021, 12, 31)).as_json()

    assert (result["facility"], result["total"], result["provisional_total"]) == ("hall", None, "25.00")


def test_moments_at_the_ends_of_the_calendar_have_a_date_too() -> None:
    early, late = h.incident(on="0001-01-01 00:00"), h.facility("America/New_York", recorded="9999-12-31 23:59")

    assert h.row("incidents", early, late)["actual"] == 0
