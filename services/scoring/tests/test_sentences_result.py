"""domain.md, Result: a test a sentence."""

from decimal import Decimal
from typing import Any

import pytest

from services.scoring.tests import histories as h
from shared.event import Recorded

QUANTITY = ["gas-suppression", "hvac", "fire-shutters", "lighting", "water"]
ASSESSABLE = [*(h.system(name, since="2021-12-01") for name in QUANTITY), h.baseline(), h.report(good=9, bad=1)]
"""All can be assessed; until December 30th only eleven months without inspection are deducted: 90 of 100 points."""

ALL_REASONS = [
    h.system(since="2021-01-01"),
    h.visit("missed", period="2021-02", start="2021-02-01", end="2021-02-28"),
    h.visit("done", points=["P1"]),
    h.performed("done"),
    h.returned("wo", on="2021-05-01 00:30", recorded="2021-06-05"),
    h.baseline(),
    h.cost("c", "5000.00"),
    h.incident(on="2021-06-30 23:59", recorded="2021-07-05"),
    h.report(bad=1),
]


def deductions(*history: Recorded, **question: Any) -> dict[str, list[dict[str, Any]]]:
    """The deductions of all indicators, by reason."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in h.score(*history, **question)["indicators"]:
        for deduction in row["deductions"]:
            found.setdefault(deduction["reason"], []).append(deduction)
    return found


def test_result_per_indicator_target_actual_status_met_unmet_not_assessable_weight_deducted_uncapped() -> None:
    """**Result.** Per indicator: target, actual, status (`met`, `unmet`, `not_assessable`), weight, deducted
    (uncapped),
    """
    met, unmet, not_assessable = h.march(as_of="2021-03-30"), h.march(as_of="2021-12-31"), h.row("hvac")

    for found in (met, unmet, not_assessable):
        assert list(found) == ["id", "target", "actual", "status", "weight", "deducted", "score", "deductions"]
    assert [found["status"] for found in (met, unmet, not_assessable)] == ["met", "unmet", "not_assessable"]
    assert (unmet["id"], unmet["target"], unmet["actual"], unmet["weight"]) == ("hvac", 12, 0, "5.00")
    assert unmet["deducted"] == "50.00"  # ten months from March on, of a weight of 5


@pytest.mark.parametrize(
    ("returns", "deducted", "score"),
    [(0, "0.00", "10.00"), (1, "4.00", "6.00"), (2, "8.00", "2.00"), (3, "12.00", "0.00")],
)
def test_score_is_weight_less_min_weight_deducted(returns: int, deducted: str, score: str) -> None:
    """score = weight − min(weight, deducted),"""
    four_each = h.ruled("quality", per_return=Decimal(4))

    found = h.row("quality", *(h.returned(str(order)) for order in range(returns)), rulebook=four_each)

    assert (found["weight"], found["deducted"], found["score"]) == ("10.00", deducted, score)


def test_and_every_deduction_with_points_reason_beyond_missed_inspections_the_rules_type() -> None:
    """and every deduction with points, reason (beyond `missed_inspections`: the rule's type),"""
    rows = h.score(*ALL_REASONS)["indicators"]

    found = {row["id"]: {(one["reason"], one["points"]) for one in row["deductions"]} for row in rows[1:]}

    assert found == {
        "hvac": {("missed_inspection", "5.00"), ("missed_point", "5.00"), ("not_scheduled", "5.00")},
        "fire-shutters": set(),
        "lighting": set(),
        "water": set(),
        "quality": {("substandard_work", "10.00")},
        "timeliness": {("periods_without_inspection", "10.00")},
        "cost": {("cost_growth", "20.00")},
        "incidents": {("incidents", "15.00")},
        "satisfaction": {("satisfaction_rate", "20.00")},
    }


def test_period_the_local_month_of_the_return_or_incident_or_the_month_without_inspection_null_for_cost_and_satisfaction() -> (
    None
):
    """period (the local month of the return or incident, or the month without inspection; null for cost and
    satisfaction),
    """
    found = deductions(*ALL_REASONS, as_of="2021-06-30")
    in_utc = deductions(*ALL_REASONS, h.facility("UTC"), as_of="2021-06-30")

    periods = {reason: [one["period"] for one in listed] for reason, listed in found.items()}

    assert periods == {
        "not_scheduled": ["2021-01", "2021-04", "2021-05", "2021-06"],
        "missed_inspection": ["2021-02"],
        "missed_point": ["2021-03"],
        "substandard_work": ["2021-05"],
        "periods_without_inspection": ["2021-01", "2021-02", "2021-04", "2021-05", "2021-06"],
        "cost_growth": [None],
        "incidents": ["2021-06"],
        "satisfaction_rate": [None],
    }
    assert [one["period"] for one in in_utc["substandard_work"]] == ["2021-04"]


def test_occurrence_id_point_id_system_id_each_null_where_it_has_none_and_evidence() -> None:
    """occurrence_id, point_id, system_id (each null where it has none) and evidence."""
    found = deductions(*ALL_REASONS)

    names = {
        reason: (listed[0]["occurrence_id"], listed[0]["point_id"], listed[0]["system_id"])
        for reason, listed in found.items()
    }

    assert names == {
        "not_scheduled": (None, None, "hvac"),
        "missed_inspection": ("missed", None, "hvac"),
        "missed_point": ("done", "P1", "hvac"),
        "substandard_work": (None, None, "hvac"),
        "periods_without_inspection": (None, None, None),
        "cost_growth": (None, None, None),
        "incidents": (None, None, None),
        "satisfaction_rate": (None, None, None),
    }
    members = ["points", "reason", "period", "occurrence_id", "point_id", "system_id", "evidence"]
    assert all(list(one) == members for listed in found.values() for one in listed)


def test_target_and_actual_are_integers_for_counts_the_five_quantity_indicators_timeliness_incidents_and_two_decimal_strings_for_rates() -> (
    None
):
    """`target` and `actual` are integers for counts (the five quantity indicators, timeliness, incidents) and
    two-decimal strings for rates;
    """
    rows = h.score(*ASSESSABLE, h.accepted("wo"), as_of="2021-12-30")["indicators"]

    assert [(row["target"], row["actual"]) for row in rows] == [
        *[(12, 0)] * 5,
        ("90.00", "100.00"),
        (1, 0),
        ("100.00", "0.00"),
        (0, 0),
        ("85.00", "90.00"),
    ]


def test_points_weights_and_scores_are_two_decimal_strings() -> None:
    """points, weights and scores are two-decimal strings;"""
    result = h.score(*ALL_REASONS)

    amounts = [row[name] for row in result["indicators"] for name in ("weight", "score", "deducted")]
    amounts += [one["points"] for row in result["indicators"] for one in row["deductions"]]
    amounts += [result["provisional_total"], result["assessable_weight"], h.score(*ASSESSABLE)["total"]]

    told = [amount for amount in amounts if amount is not None]
    assert len(told) > 50
    assert all(isinstance(amount, str) and f"{Decimal(amount):.2f}" == amount for amount in told)


def test_actual_without_defaulted_only_for_satisfaction() -> None:
    """`actual_without_defaulted` only for satisfaction."""
    for rulebook in (h.CHENGGONG, h.MOF):
        rows = h.score(*ASSESSABLE, rulebook=rulebook)["indicators"]

        assert [row["id"] for row in rows if "actual_without_defaulted" in row] == ["satisfaction"]


def test_met_when_nothing_is_deducted() -> None:
    """`met` when nothing is deducted;"""
    waived = h.row("incidents", h.incident(id_="i"), h.waiver(event_id="i"))
    one_of_two = h.row("incidents", h.incident(id_="i"), h.incident("j"), h.waiver(event_id="i"))

    assert (waived["actual"], waived["status"], waived["deducted"], waived["score"]) == (1, "met", "0.00", "15.00")
    assert (one_of_two["status"], one_of_two["deducted"]) == ("unmet", "15.00")
    assert h.row("quality", h.accepted("wo"))["status"] == "met"


@pytest.mark.parametrize(
    ("indicator", "history", "actual", "status", "score"),
    [
        ("satisfaction", [h.report(good=85, bad=15)], "85.00", "met", "10.00"),
        ("satisfaction", [h.report(good=84996, bad=15004)], "85.00", "unmet", "10.00"),  # 84.996: 9.9995…
        ("cost", [h.baseline("1000000.00"), h.cost("c", "1100000.00")], "110.00", "met", "10.00"),
        ("cost", [h.baseline("1000000.00"), h.cost("c", "1100000.01")], "110.00", "unmet", "0.00"),
        ("budget_execution", [h.budget("900000.00")], "100.00", "met", "10.00"),
        ("budget_execution", [h.budget("899999.99")], "100.00", "unmet", "10.00"),  # 99.99999…
        ("incidents", [], 0, "met", "30.00"),
        ("incidents", [h.incident()], 1, "unmet", "0.00"),
    ],
)
def test_under_proportional_when_the_target_cost_growth_the_limit_is_met_unrounded(
    indicator: str, history: list[Recorded], actual: Any, status: str, score: str
) -> None:
    """under `proportional` when the target (`cost_growth`: the limit) is met, unrounded."""
    found = h.row(indicator, *history, rulebook=h.MOF)

    assert (found["actual"], found["status"], found["score"]) == (actual, status, score)


@pytest.mark.parametrize("rulebook", [h.CHENGGONG, h.MOF], ids=lambda rulebook: str(rulebook.id))
def test_not_assessable_actual_actual_without_defaulted_score_and_deducted_null_deductions_empty(rulebook: Any) -> None:
    """Not assessable: actual, `actual_without_defaulted`, score and deducted null, deductions empty;"""
    for row in h.score(h.cost("c", "1.00"), h.visit(), rulebook=rulebook)["indicators"]:
        if row["id"] in {*QUANTITY, "cost", "satisfaction", "budget_execution"}:
            assert (row["status"], row["deductions"]) == ("not_assessable", [])
            assert (row["actual"], row["deducted"], row["score"]) == (None, None, None)
            assert row.get("actual_without_defaulted") is None
        elif row["id"] in {"timeliness", "incidents"}:
            assert row["status"] in ("met", "unmet")


def test_actual_without_defaulted_is_also_null_where_no_other_rating_is_left() -> None:
    """`actual_without_defaulted` is also null where no other rating is left."""
    all_defaulted = h.row("satisfaction", h.report(good=9, bad=1, defaulted=9, overturned=1))
    one_other = h.row("satisfaction", h.report(good=9, bad=1, defaulted=9))

    assert (all_defaulted["actual"], all_defaulted["actual_without_defaulted"]) == ("100.00", None)
    assert (all_defaulted["status"], one_other["actual_without_defaulted"]) == ("met", "0.00")


def test_a_baseline_or_annual_budget_of_0_00_is_none() -> None:
    """A baseline or annual budget of 0.00 is none;"""
    baselines = [h.baseline("0.00"), h.cost("c", "1.00")]
    taken_back = [h.baseline("100.00"), h.baseline("0.00", recorded="2021-01-02"), h.cost("c", "1.00")]
    budget = h.row("budget_execution", h.budget("1.00", annual="0.00"), rulebook=h.MOF)

    assert [h.row("cost", *history)["status"] for history in (baselines, taken_back)] == ["not_assessable"] * 2
    assert h.row("cost", h.baseline("0.01"), h.cost("c", "0.01"))["actual"] == "100.00"
    assert (budget["status"], budget["actual"]) == ("not_assessable", None)
    assert h.row("budget_execution", h.budget("0.01", annual="0.01"), rulebook=h.MOF)["actual"] == "100.00"


def test_nothing_rated_is_no_rating_left_after_overturned() -> None:
    """nothing rated = no rating left after `overturned`."""
    overturned = h.row("satisfaction", h.report(bad=3, overturned=3))
    one_left = h.row("satisfaction", h.report(bad=3, overturned=2))

    assert (overturned["status"], overturned["actual"], overturned["score"]) == ("not_assessable", None, None)
    assert (one_left["status"], one_left["actual"], one_left["score"]) == ("unmet", "0.00", "0.00")


def test_total_is_sum_of_the_scores_once_every_indicator_is_assessable_and_then_provisional_total_is_null() -> None:
    """Total = sum of the scores once every indicator is assessable, and then `provisional_total` is null;"""
    found = h.score(*ASSESSABLE, as_of="2021-12-30")

    # 5 × 5 + 10 + 0 + 20 + 15 + 20
    assert [row["score"] for row in found["indicators"]] == [*["5.00"] * 5, "10.00", "0.00", "20.00", "15.00", "20.00"]
    assert (found["total"], found["provisional_total"], found["grade"]) == ("90.00", None, "优")


def test_before_total_and_grade_are_null_and_provisional_total_sums_the_assessable() -> None:
    """before, total and grade are null and `provisional_total` sums the assessable."""
    found = h.score(*ASSESSABLE[:-1], as_of="2021-12-30")  # no report: 90 less 20 for satisfaction

    assert (found["total"], found["grade"], found["provisional_total"]) == (None, None, "70.00")
    assert h.score(as_of="2021-12-30")["provisional_total"] == "25.00"  # quality 10 and incidents 15


def test_assessable_weight_always() -> None:
    """`assessable_weight` always."""
    everything, some = h.score(*ASSESSABLE), h.score(*ASSESSABLE[:-1])

    assert (everything["assessable_weight"], some["assessable_weight"]) == ("100.00", "80.00")
    assert h.score()["assessable_weight"] == "35.00"  # quality 10, timeliness 10, incidents 15


@pytest.mark.parametrize(
    ("history", "total", "grade"),
    [
        ([], "90.00", "优"),
        ([h.returned("wo")], "80.00", "良"),
        ([h.incident()], "75.00", "中"),
        ([h.returned("wo"), h.report("s", bad=99)], "60.00", "中"),
        ([h.incident(), h.report("s", bad=99)], "55.00", "差"),
    ],
)
def test_grades_from_the_rulebooks_bands_excellent_at_least_90_good_at_least_80_fair_at_least_60_poor(
    history: list[Recorded], total: str, grade: str
) -> None:
    """Grades from the rulebook's bands (优 ≥ 90, 良 ≥ 80, 中 ≥ 60, 差)."""
    found = h.score(*ASSESSABLE, *history, as_of="2021-12-30")
    edges = ("100.00", "90.00", "89.99", "80.00", "79.99", "60.00", "59.99", "0.00")

    assert (found["total"], found["grade"]) == (total, grade)
    assert [h.CHENGGONG.grade(Decimal(edge)) for edge in edges] == ["优", "优", "良", "良", "中", "中", "差", "差"]


@pytest.mark.parametrize(
    ("good", "bad", "actual", "status"),
    [
        (1, 799, "0.13", "unmet"),  # 0.125
        (1249, 998751, "0.12", "unmet"),  # 0.1249
        (84996, 15004, "85.00", "unmet"),
        (85004, 14996, "85.00", "met"),
    ],
)
def test_rates_are_shown_to_2_decimals_half_up_and_compared_unrounded(
    good: int, bad: int, actual: str, status: str
) -> None:
    """Rates are shown to 2 decimals, half up, and compared unrounded."""
    satisfaction = h.row("satisfaction", h.report(good=good, bad=bad))
    cost = h.row("cost", h.baseline("1000000.00"), h.cost("c", "1100000.01"))

    assert (satisfaction["actual"], satisfaction["status"]) == (actual, status)
    assert (cost["actual"], cost["status"]) == ("110.00", "unmet")
    assert h.row("cost", h.baseline("1000.00"), h.cost("c", "1.25"))["actual"] == "0.13"
