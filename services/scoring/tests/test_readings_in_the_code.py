"""docs/scoring.md, Readings taken in the code: what the sentences of domain.md leave open."""

from datetime import date, timedelta

import msgspec
import pytest

from services.scoring.evaluation import evaluate
from services.scoring.facts import Facts
from services.scoring.tests import histories as h
from shared.event import Recorded

# --- what counts -------------------------------------------------------------------------------------------------


def test_known_at_chooses_the_tellings_that_hold_as_of_then() -> None:
    history = [h.incident("i", recorded="2021-07-01"), h.incident("i", harms=[], recorded="2021-08-01")]

    assert h.row("incidents", *history, known_at="2021-07-15")["actual"] == 1
    assert h.row("incidents", *history)["actual"] == 0


def test_timestamps_are_exact_to_the_microsecond() -> None:
    told, asked = h.incident(recorded="2021-07-01 10:00"), h.local("2021-07-01 10:00")
    a_hair_later = msgspec.structs.replace(told, recordedat=told.recordedat + timedelta(microseconds=1))

    def number(history: Recorded) -> object:
        return evaluate(Facts().extend([history]), h.CHENGGONG, date(2021, 12, 31), asked).indicators[8].actual

    assert (number(told), number(a_hair_later)) == (1, 0)


def test_the_newest_registration_of_the_facility_decides_its_time_zone() -> None:
    new_year_in_shanghai = h.incident(on="2021-01-01 00:30")
    history = [h.facility("Europe/London", recorded="2020-02-02"), h.facility("Asia/Tokyo", recorded="2020-01-01")]

    assert h.row("incidents", new_year_in_shanghai, *history)["actual"] == 0
    assert h.row("incidents", new_year_in_shanghai, *history, h.facility("Asia/Shanghai"))["actual"] == 1


def test_moments_beyond_the_calendar_are_of_its_first_or_last_day() -> None:
    before_all_days = [h.facility("America/New_York"), h.performed(recorded="0001-01-01 00:00")]
    after_all_days = [h.facility("Pacific/Kiritimati"), h.performed(recorded="9999-12-31 23:59")]

    assert h.march(h.visit(), *before_all_days)["actual"] == 1
    assert h.march(h.visit(), *after_all_days)["actual"] == 0


def test_a_facility_of_which_nothing_is_known_is_provisionally_scored() -> None:
    result = evaluate(Facts("hall"), h.CHENGGONG, date(2021, 12, 31)).as_json()

    assert (result["facility"], result["total"], result["provisional_total"]) == ("hall", None, "25.00")


# --- occurrences and systems -------------------------------------------------------------------------------------


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


def test_a_withdrawal_holds_even_of_a_visit_that_was_performed() -> None:
    assert h.reasons(h.march(h.visit(), h.performed(), h.withdrawn())) == ["not_scheduled"]


def test_a_withdrawal_holds_even_where_it_was_told_before_the_schedule() -> None:
    found = h.march(h.visit(recorded="2021-03-05"), h.withdrawn(recorded="2021-03-04"))

    assert h.reasons(found) == ["not_scheduled"]


def test_an_occurrence_not_yet_due_is_an_occurrence_all_the_same() -> None:
    found = h.march(h.visit(end="2021-04-10"), as_of="2021-04-09")

    assert (found["actual"], h.reasons(found)) == (0, [])


def test_visits_of_months_out_of_commission_are_asked_of_nobody() -> None:
    before = h.visit(period="2021-02", start="2021-02-01", end="2021-02-28")

    assert h.reasons(h.march(before, as_of="2021-02-28")) == []


def test_the_window_and_the_backfill_limit_are_met_by_one_and_the_same_work() -> None:
    late, early = h.performed(on="2021-03-09", recorded="2021-04-09"), h.performed(on="2021-02-09")

    assert h.reasons(h.march(h.visit(), late, early)) == ["missed_inspection"]


def test_an_excuse_naming_all_points_does_not_excuse_a_missed_inspection() -> None:
    found = h.march(h.visit(points=["P1"]), h.excused(points=["P1"]))

    assert h.reasons(found) == ["missed_inspection"]


def test_a_point_scheduled_twice_is_missed_once() -> None:
    assert h.reasons(h.march(h.visit(points=["P1", "P1"]), h.performed())) == ["missed_point"]


def test_a_system_commissioned_later_in_the_year_is_assessable_from_the_start() -> None:
    found = h.row("hvac", h.system(since="2021-12-01"), as_of="2021-01-01")

    assert (found["status"], found["actual"], found["score"]) == ("met", 0, "5.00")


@pytest.mark.parametrize(("end", "status"), [("a", "unmet"), ("c", "not_assessable")])
def test_a_decommissioning_and_a_registration_recorded_at_once_are_ordered_by_id(end: str, status: str) -> None:
    history = [h.system(id_="b"), h.decommissioned(on="2021-03-01", recorded=h.LONG_AGO, id_=end)]

    assert h.row("hvac", *history)["status"] == status


# --- other rules -------------------------------------------------------------------------------------------------


def test_a_baseline_or_budget_below_zero_is_none() -> None:
    cost = h.row("cost", h.baseline("-1.00"), h.cost("c", "1.00"))
    budget = h.row("budget_execution", h.budget("1.00", annual="-1.00"), rulebook=h.MOF)

    assert (cost["status"], budget["status"]) == ("not_assessable", "not_assessable")


def test_a_score_pro_rata_never_falls_below_zero() -> None:
    for executed, actual in (("-450000.00", "-50.00"), ("-100.00", "-0.01")):
        found = h.row("budget_execution", h.budget(executed, annual="900000.00"), rulebook=h.MOF)

        assert (found["actual"], found["status"]) == (actual, "unmet")
        assert (found["deducted"], found["score"]) == ("10.00", "0.00")


# --- waivers -----------------------------------------------------------------------------------------------------


def test_a_waiver_of_an_occurrence_does_not_reach_the_return_of_its_work() -> None:
    history = [h.visit(), h.performed(), h.returned("wo"), h.waiver(occurrence_id="v")]

    assert h.row("quality", *history)["deducted"] == "10.00"


def test_what_was_waived_still_counts_in_the_actual_value() -> None:
    history = [h.returned("wo", id_="r"), h.report(bad=1, id_="s"), h.waiver(event_id="r"), h.waiver(event_id="s")]

    quality, satisfaction = h.row("quality", *history), h.row("satisfaction", *history)

    assert (quality["actual"], quality["status"]) == ("0.00", "met")
    assert (satisfaction["actual"], satisfaction["status"]) == ("0.00", "met")


def test_one_waiver_cannot_fit_because_of_another() -> None:
    history = [h.incident(id_="i"), h.waiver(event_id="i", id_="first"), h.waiver(event_id="first", id_="second")]

    (deduction,) = h.row("incidents", *history)["deductions"]

    assert deduction["evidence"] == ["first", "i"]
