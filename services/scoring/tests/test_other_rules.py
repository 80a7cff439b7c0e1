"""domain.md, the five other rules of deduction: a test a sentence."""

import pytest

from services.scoring.tests import histories as h
from shared.event import Recorded

# --- substandard_work --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["inspection", "maintenance", "corrective", "emergency"])
def test_each_return_of_inspection_maintenance_or_repair_is_one_deduction(kind: str) -> None:
    found = h.row("quality", h.returned("a", kind=kind), h.returned("a", kind=kind))

    assert (found["deducted"], found["score"], found["status"]) == ("20.00", "0.00", "unmet")


def test_only_verdicts_of_those_kinds_count() -> None:
    history = [h.returned("a", kind="service"), h.accepted("b", kind="service"), h.accepted("a", on="2021-03-11")]

    found = h.row("quality", *history)

    assert (found["actual"], found["status"], found["deductions"]) == ("100.00", "met", [])


def test_quality_is_the_share_of_work_orders_whose_first_verdict_is_accepted() -> None:
    history = [
        h.accepted("a"),
        h.returned("a", on="2021-03-11"),
        h.returned("b"),
        h.accepted("b", on="2021-03-11"),
        h.accepted("c"),
    ]

    found = h.row("quality", *history)

    assert (found["actual"], found["deducted"]) == ("66.67", "20.00")


def test_the_first_verdict_is_the_least_by_recordedat_whatever_its_time() -> None:
    history = [
        h.accepted("a", on="2021-03-01", recorded="2021-05-02"),
        h.returned("a", on="2021-04-01", recorded="2021-05-01"),
    ]

    assert h.row("quality", *history)["actual"] == "0.00"


def test_the_first_verdict_is_chosen_among_those_that_count() -> None:
    history = [h.returned("a", on="2020-12-31"), h.accepted("a", on="2021-01-02")]

    found = h.row("quality", *history)

    assert (found["actual"], found["deductions"]) == ("100.00", [])


def test_without_verdicts_quality_is_null_and_met() -> None:
    found = h.row("quality")

    assert (found["actual"], found["status"], found["score"]) == (None, "met", "10.00")


def test_a_return_is_of_its_local_month_and_system_and_rests_on_itself() -> None:
    found = h.row("quality", h.returned("a", on="2021-05-01 00:30", id_="verdict"))

    assert found["deductions"] == [
        {
            "points": "10.00",
            "reason": "substandard_work",
            "period": "2021-05",
            "occurrence_id": None,
            "point_id": None,
            "system_id": "hvac",
            "evidence": ["verdict"],
        }
    ]


# --- periods_without_inspection ----------------------------------------------------------------------------------


def test_each_month_over_in_which_nothing_was_inspected_is_one_deduction() -> None:
    history = [h.performed(on="2021-01-31 23:59"), h.performed(on="2021-03-01 00:00")]

    found = h.row("timeliness", *history, as_of="2021-04-29")

    assert [(one["period"], one["points"], one["evidence"]) for one in found["deductions"]] == [
        ("2021-02", "10.00", [])
    ]


def test_a_month_is_over_on_its_last_day() -> None:
    assert h.reasons(h.row("timeliness", as_of="2021-01-30")) == []
    assert h.reasons(h.row("timeliness", as_of="2021-01-31")) == ["periods_without_inspection"]


def test_only_work_of_kind_inspection_counts_whatever_the_window_or_when_recorded() -> None:
    january = [
        h.performed("unknown", on="2021-01-09", recorded="2021-11-11"),
        h.performed(on="2021-02-09", kind="service"),
    ]

    found = h.row("timeliness", *january, as_of="2021-02-28")

    assert [deduction["period"] for deduction in found["deductions"]] == ["2021-02"]


def test_timeliness_is_the_least_number_of_inspections_in_a_month_over() -> None:
    history = [h.performed(on=on) for on in ("2021-01-05", "2021-01-06", "2021-01-07", "2021-02-05", "2021-02-06")]

    assert h.row("timeliness", *history, as_of="2021-01-30")["actual"] is None
    assert h.row("timeliness", *history, as_of="2021-01-31")["actual"] == 3
    assert h.row("timeliness", *history, as_of="2021-02-28")["actual"] == 2
    assert h.row("timeliness", *history, as_of="2021-03-31")["actual"] == 0


def test_before_the_first_month_is_over_timeliness_is_met() -> None:
    found = h.row("timeliness", as_of="2020-12-31")

    assert (found["actual"], found["status"], found["score"]) == (None, "met", "10.00")


# --- cost_growth -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spent", "deducted"), [("1100.00", "0.00"), ("1100.01", "20.00")])
def test_cost_is_deducted_once_if_strictly_above_the_limit(spent: str, deducted: str) -> None:
    found = h.row("cost", h.baseline("1000.00"), h.cost("c", spent))

    assert found["deducted"] == deducted


def test_cost_is_compared_unrounded_and_shown_rounded() -> None:
    found = h.row("cost", h.baseline("1000000.00"), h.cost("c", "1100000.01"))

    assert (found["actual"], found["status"]) == ("110.00", "unmet")


def test_spent_is_the_sum_of_the_category_less_those_reversed() -> None:
    history = [
        h.cost("a", "300.00"),
        h.cost("b", "400.00"),
        h.cost("c", "500.00", category="service"),
        h.cost("d", "600.00"),
        h.cost_reversed("d"),
    ]

    found = h.row("cost", h.baseline(), *history)

    assert (found["actual"], found["status"]) == ("70.00", "met")


def test_the_baseline_is_the_newest_of_the_year_before() -> None:
    baselines = [
        h.baseline("100.00", recorded="2021-01-01"),
        h.baseline("200.00", recorded="2021-01-02"),
        h.baseline("400.00", year=2019, recorded="2021-01-03"),
        h.baseline("800.00", year=2021, recorded="2021-01-04"),
    ]

    assert h.row("cost", *baselines, h.cost("c", "100.00"))["actual"] == "50.00"


@pytest.mark.parametrize("amounts", [[], ["0.00"], ["100.00", "0.00"]])
def test_no_baseline_or_one_of_nothing_is_not_assessable(amounts: list[str]) -> None:
    baselines = [h.baseline(amount, recorded=f"2021-01-0{day}") for day, amount in enumerate(amounts, start=1)]

    found = h.row("cost", *baselines, h.cost("c", "100.00"))

    assert (found["status"], found["actual"], found["deducted"]) == ("not_assessable", None, None)


def test_cost_growth_rests_on_the_baseline_and_the_costs_counted() -> None:
    history = [
        h.cost("c", "900.00", id_="c1", recorded="2021-05-05"),
        h.cost("c", "900.00", id_="c2", recorded="2021-05-06"),
    ]
    history += [h.cost("d", "900.00", id_="d1"), h.cost("e", "1.00", category="other"), h.baseline(id_="zz")]

    (deduction,) = h.row("cost", *history)["deductions"]

    assert deduction["evidence"] == ["c2", "d1", "zz"]
    assert (deduction["period"], deduction["system_id"], deduction["points"]) == (None, None, "20.00")


# --- incidents ---------------------------------------------------------------------------------------------------


def test_each_confirmed_incident_that_harmed_visitors_is_one_deduction() -> None:
    history = [
        h.incident("a", harms=["life"], id_="a1", on="2021-06-30 23:59"),
        h.incident("b", harms=["property"], id_="b1", on="2021-07-01 00:00"),
        h.incident("c", harms=[]),
        h.incident("d", visitors=False),
        h.incident("e"),
        h.dismissed("e"),
    ]

    found = h.row("incidents", *history)

    assert (found["actual"], found["deducted"], found["score"]) == (2, "30.00", "0.00")
    assert [(one["period"], one["evidence"]) for one in found["deductions"]] == [
        ("2021-06", ["a1"]),
        ("2021-07", ["b1"]),
    ]


# --- satisfaction_rate -------------------------------------------------------------------------------------------


def test_counts_are_summed_over_the_reports() -> None:
    found = h.row("satisfaction", h.report("a", good=90, bad=10), h.report("b", good=60, bad=40))

    assert (found["actual"], found["status"]) == ("75.00", "unmet")


@pytest.mark.parametrize(("good", "bad", "deducted"), [(85, 15, "0.00"), (84996, 15004, "20.00")])
def test_satisfaction_is_deducted_once_if_the_unrounded_rate_is_below_the_minimum(
    good: int, bad: int, deducted: str
) -> None:
    found = h.row("satisfaction", h.report(good=good, bad=bad))

    assert (found["actual"], found["deducted"]) == ("85.00", deducted)


def test_ratings_overturned_on_appeal_leave_the_count_altogether() -> None:
    assert h.row("satisfaction", h.report(good=80, bad=20, overturned=10))["actual"] == "88.89"


def test_beside_it_stands_the_rate_without_defaulted_ratings() -> None:
    found = h.row("satisfaction", h.report(good=90, bad=10, defaulted=50))

    assert (found["actual"], found["actual_without_defaulted"]) == ("90.00", "80.00")


def test_without_defaulted_it_is_null_where_no_other_rating_is_left() -> None:
    found = h.row("satisfaction", h.report(good=9, bad=1, defaulted=9, overturned=1))

    assert (found["actual"], found["actual_without_defaulted"], found["status"]) == ("100.00", None, "met")


@pytest.mark.parametrize("reports", [[], [h.report()], [h.report(bad=3, overturned=3)]])
def test_nothing_rated_is_not_assessable(reports: list[Recorded]) -> None:
    found = h.row("satisfaction", *reports)

    assert (found["status"], found["actual"], found["actual_without_defaulted"]) == ("not_assessable", None, None)


def test_satisfaction_rests_on_the_reports_counted() -> None:
    history = [
        h.report("a", bad=1, id_="a1", recorded="2021-07-01"),
        h.report("a", bad=1, id_="a2", recorded="2021-07-02"),
        h.report("b", bad=1, id_="b1"),
        h.report("c", bad=1, end="2022-01-01"),
    ]

    (deduction,) = h.row("satisfaction", *history)["deductions"]

    assert deduction["evidence"] == ["a2", "b1"]
    assert (deduction["period"], deduction["reason"]) == (None, "satisfaction_rate")
