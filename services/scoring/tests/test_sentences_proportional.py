"""domain.md, proportional and budget execution: a test a sentence."""

from dataclasses import replace
from typing import Any

import pytest

from services.scoring.tests import histories as h
from shared.event import Recorded


def pro_rata(indicator: str, *history: Recorded, **question: Any) -> tuple[Any, ...]:
    """An indicator under mof-2020: actual, status, deducted, score."""
    found = h.row(indicator, *history, rulebook=h.MOF, **question)
    return found["actual"], found["status"], found["deducted"], found["score"]


def months_done(done: int, scheduled: int = 12) -> list[Recorded]:
    """A year of hvac in which the first so many of its monthly visits were performed."""
    periods = [f"2021-{month:02}" for month in range(1, scheduled + 1)]
    visits = [h.visit(period, period=period, start=f"{period}-01", end=f"{period}-10") for period in periods]
    return [h.system(since="2021-01-01"), *visits, *(h.performed(one, on=f"{one}-05") for one in periods[:done])]


def test_proportional_only_in_mof_2020_wraps_one_of_the_rules_above_and_scores_by_its_actual_instead_of_by_deduction() -> (
    None
):
    """**`proportional`** (only in `mof-2020`) wraps one of the rules above and scores by its actual instead of by
    deduction:
    """
    wrapped = [(one.id, one.rule.type) for one in h.MOF.indicators[:10]]

    assert wrapped == [(one.id, one.rule.type) for one in h.CHENGGONG.indicators]
    assert all(one.rule.proportional for one in h.MOF.indicators)
    assert not any(one.rule.proportional for one in h.CHENGGONG.indicators)
    assert h.row("hvac", *months_done(9))["score"] == "0.00"  # 5 less 3 × 5
    assert pro_rata("hvac", *months_done(9)) == (9, "unmet", "1.25", "3.75")  # 9 ÷ 12 × 5


def test_target_met_full_weight() -> None:
    """target met: full weight;"""
    twice = [
        h.visit("2021-13", period="2021-12", start="2021-12-01", end="2021-12-31"),
        h.performed("2021-13", "2021-12-30"),
    ]

    assert pro_rata("hvac", *months_done(12)) == (12, "met", "0.00", "5.00")
    assert pro_rata("hvac", *months_done(12), *twice) == (13, "met", "0.00", "5.00")
    assert pro_rata("satisfaction", h.report(good=85, bad=15)) == ("85.00", "met", "0.00", "10.00")
    assert pro_rata("satisfaction", h.report(good=100)) == ("100.00", "met", "0.00", "10.00")
    assert pro_rata("incidents") == (0, "met", "0.00", "30.00")
    assert pro_rata("timeliness", h.performed(on="2021-01-05"), as_of="2021-01-31") == (1, "met", "0.00", "5.00")


def test_is_above_0_read_as_at_least_or_at_least_unmet_actual_divided_by_target_times_weight_2_decimals_half_up() -> (
    None
):
    """`=` above 0 (read as ≥) or `≥` unmet: actual ÷ target × weight, 2 decimals, half up;"""
    verdicts = [h.accepted(str(order)) for order in range(10)]
    half, below_half = h.report(good=425425, bad=574575), h.report(good=4254249, bad=5745751)

    assert pro_rata("hvac", *months_done(11)) == (11, "unmet", "0.42", "4.58")  # 4.58333…
    assert pro_rata("hvac", *months_done(0)) == (0, "unmet", "5.00", "0.00")
    assert pro_rata("quality", *verdicts) == ("100.00", "met", "0.00", "10.00")
    assert pro_rata("quality", *verdicts[1:], h.returned("0")) == ("90.00", "met", "0.00", "10.00")
    # 80 ÷ 90 × 10 = 8.888…
    assert pro_rata("quality", *verdicts[2:], h.returned("0"), h.returned("1")) == ("80.00", "unmet", "1.11", "8.89")
    # 42.5425 ÷ 85 × 10 = 5.005 exactly, and 42.54249 ÷ 85 × 10 = 5.00499…
    assert pro_rata("satisfaction", half) == ("42.54", "unmet", "4.99", "5.01")
    assert pro_rata("satisfaction", below_half) == ("42.54", "unmet", "5.00", "5.00")


def test_target_is_0_exceeded_0() -> None:
    """target `= 0` exceeded: 0;"""
    rows = [replace(one, comparator=">=") if one.id == "incidents" else one for one in h.MOF.indicators]

    at_least_none = h.row("incidents", h.incident(), rulebook=replace(h.MOF, indicators=rows))

    assert (at_least_none["status"], at_least_none["score"]) == ("met", "30.00")  # `≥ 0` cannot be exceeded
    assert pro_rata("incidents") == (0, "met", "0.00", "30.00")
    assert pro_rata("incidents", h.incident()) == (1, "unmet", "30.00", "0.00")
    assert pro_rata("incidents", h.incident("a"), h.incident("b")) == (2, "unmet", "30.00", "0.00")


@pytest.mark.parametrize(
    ("spent", "found"),
    [
        ("0.00", ("0.00", "met", "0.00", "10.00")),
        ("1000.00", ("100.00", "met", "0.00", "10.00")),
        ("1100.00", ("110.00", "met", "0.00", "10.00")),
        ("1100.01", ("110.00", "unmet", "10.00", "0.00")),
        ("5000.00", ("500.00", "unmet", "10.00", "0.00")),
    ],
)
def test_cost_growth_full_up_to_the_limit_else_0(spent: str, found: tuple[str, ...]) -> None:
    """`cost_growth`: full up to the limit, else 0;"""
    assert pro_rata("cost", h.baseline("1000.00"), h.cost("c", spent)) == found


@pytest.mark.parametrize("indicator", ["hvac", "quality", "timeliness", "cost", "satisfaction", "budget_execution"])
def test_null_actual_not_assessable(indicator: str) -> None:
    """null actual: `not_assessable`."""
    assert pro_rata(indicator, as_of="2021-01-30") == (None, "not_assessable", None, None)


def test_deducted_is_weight_less_score_no_deductions_listed_waivers_and_excuses_without_effect() -> None:
    """`deducted` = weight − score, no deductions listed, waivers and excuses without effect."""
    history = [h.incident(id_="i"), *months_done(10), h.excused("2021-12"), h.excused("2021-11", points=["P1"])]
    waivers = [h.waiver(event_id="i"), h.waiver(occurrence_id="2021-11"), h.waiver(occurrence_id="2021-12")]
    waivers += [h.waiver(period="2021-11"), h.waiver(period="2021-12")]

    rows = h.score(*history, *waivers, rulebook=h.MOF)["indicators"]

    assert pro_rata("incidents", *history, *waivers) == (1, "unmet", "30.00", "0.00")
    assert pro_rata("hvac", *history, *waivers) == (10, "unmet", "0.83", "4.17")  # 10 ÷ 12 × 5 = 4.1666…
    assert pro_rata("timeliness", *history, *waivers) == (0, "unmet", "5.00", "0.00")
    assert [row["deductions"] for row in rows] == [[]] * 11


def test_same_ids_and_targets_and_last_budget_execution_target_100_00() -> None:
    """Same ids and targets, and last `budget_execution` (target 100.00):"""
    *same, last = h.score(rulebook=h.MOF)["indicators"]

    assert [(row["id"], row["target"]) for row in same] == [
        (row["id"], row["target"]) for row in h.score()["indicators"]
    ]
    assert (last["id"], last["target"]) == ("budget_execution", "100.00")


@pytest.mark.parametrize(
    ("executed", "found"),
    [
        ("0.00", ("0.00", "unmet", "10.00", "0.00")),
        ("855000.00", ("95.00", "unmet", "0.50", "9.50")),
        ("731250.00", ("81.25", "unmet", "1.87", "8.13")),  # 8.125, half up
        ("731249.99", ("81.25", "unmet", "1.88", "8.12")),
        ("900000.00", ("100.00", "met", "0.00", "10.00")),
        ("990000.00", ("110.00", "met", "0.00", "10.00")),
    ],
)
def test_executed_divided_by_annual_times_weight_at_most_the_weight(executed: str, found: tuple[str, ...]) -> None:
    """executed ÷ annual × weight, at most the weight,"""
    assert pro_rata("budget_execution", h.budget(executed, annual="900000.00")) == found


def test_from_the_budget_recorded_of_y_with_its_as_of_at_most_the_assessments_and_the_greatest_as_of_recordedat_id() -> (
    None
):
    """from the `budget_recorded` of Y with its `as_of` ≤ the assessment's and the greatest (`as_of`, `recordedat`,
    `id`);
    """
    history = [
        h.budget("90000.00", as_of="2021-03-31", recorded="2021-09-09"),
        h.budget("180000.00", as_of="2021-06-30", recorded="2021-07-01"),
        h.budget("270000.00", as_of="2021-06-30", recorded="2021-07-02", id_="b"),
        h.budget("360000.00", as_of="2021-06-30", recorded="2021-07-02", id_="a"),
        h.budget("450000.00", as_of="2021-07-01"),
        h.budget("540000.00", as_of="2021-06-30", year=2020, recorded="2021-08-08"),
        h.budget("630000.00", as_of="2022-01-31"),
    ]

    def executed(as_of: str) -> object:
        return pro_rata("budget_execution", *history, as_of=as_of)[0]

    assert (executed("2021-03-30"), executed("2021-03-31"), executed("2021-06-29")) == (None, "10.00", "10.00")
    assert (executed("2021-06-30"), executed("2021-07-01"), executed("2021-12-31")) == ("30.00", "50.00", "50.00")
    assert executed("2022-01-31") == "70.00"  # said of 2021 after its end


def test_none_not_assessable() -> None:
    """none: `not_assessable`."""
    assert pro_rata("budget_execution") == (None, "not_assessable", None, None)
    assert pro_rata("budget_execution", h.budget("1.00", year=2020))[1] == "not_assessable"


def test_weights_five_quantity_items_5_each_quality_10_timeliness_5_cost_10_together_50_the_split_inside_is_an_assumption_and_is_marked_so_incidents_30_satisfaction_10_budget_execution_10() -> (
    None
):
    """Weights: five quantity items 5 each, quality 10, timeliness 5, cost 10 (together 50; the split inside is an
    assumption and is marked so), incidents 30, satisfaction 10, budget_execution 10.
    """
    weights = {one.id: str(one.weight) for one in h.MOF.indicators}
    assumed = [one.id for one in h.MOF.indicators if one.weight_is_assumed]

    assert list(weights.values()) == [*["5.00"] * 5, "10.00", "5.00", "10.00", "30.00", "10.00", "10.00"]
    assert list(weights)[5:] == ["quality", "timeliness", "cost", "incidents", "satisfaction", "budget_execution"]
    assert assumed == list(weights)[:8]
    assert sum(one.weight for one in h.MOF.indicators if one.weight_is_assumed) == 50
