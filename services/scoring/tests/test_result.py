"""domain.md, Result and proportional; design.md, score --json: a test a sentence."""

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from services.scoring.evaluation import evaluate, half_up, result_bytes, result_sha256
from services.scoring.facts import Facts
from services.scoring.tests import histories as h
from shared.event import Recorded

ASSESSABLE = [
    *(h.system(name, since="2021-12-01") for name in ("gas-suppression", "hvac", "fire-shutters", "lighting", "water")),
    h.baseline(),
    h.report(good=9, bad=1),
]
MOST = ASSESSABLE[:-1]


def test_the_ten_indicators_come_in_the_rulebooks_order() -> None:
    assert [row["id"] for row in h.score()["indicators"]] == [
        *("gas-suppression", "hvac", "fire-shutters", "lighting", "water"),
        *("quality", "timeliness", "cost", "incidents", "satisfaction"),
    ]


def test_target_and_actual_are_integers_for_counts_and_two_decimal_strings_for_rates() -> None:
    targets = [row["target"] for row in h.score()["indicators"]]

    assert targets == [12, 12, 12, 12, 12, "90.00", 1, "100.00", 0, "85.00"]


def test_actual_without_defaulted_is_there_only_for_satisfaction() -> None:
    assert [row["id"] for row in h.score()["indicators"] if "actual_without_defaulted" in row] == ["satisfaction"]


def test_total_is_the_sum_once_every_indicator_is_assessable_and_then_there_is_no_provisional_total() -> None:
    found = h.score(*ASSESSABLE, as_of="2021-12-30")

    assert (found["total"], found["provisional_total"], found["assessable_weight"]) == ("90.00", None, "100.00")
    assert found["grade"] == "优"


def test_before_total_and_grade_are_null_and_provisional_total_sums_the_assessable() -> None:
    found = h.score(*MOST, as_of="2021-12-30")

    assert (found["total"], found["grade"]) == (None, None)
    assert (found["provisional_total"], found["assessable_weight"]) == ("70.00", "80.00")


@pytest.mark.parametrize(("missing", "grade"), [(0, "优"), (1, "良"), (2, "良"), (3, "中"), (6, "中"), (7, "差")])
def test_grades_are_of_the_rulebooks_bands(missing: int, grade: str) -> None:
    assert h.CHENGGONG.grade(Decimal("90.00") - 5 * missing) == grade


def test_grades_begin_at_their_minimum_exactly() -> None:
    totals = ("100.00", "90.00", "89.99", "80.00", "79.99", "60.00", "59.99", "0.00")

    assert [h.CHENGGONG.grade(Decimal(total)) for total in totals] == ["优", "优", "良", "良", "中", "中", "差", "差"]


def test_deductions_are_sorted_by_period_occurrence_point_system_points_and_evidence_null_first() -> None:
    history = [
        h.visit("z", end="2021-03-10", points=["P2", "P10"]),
        h.performed("z"),
        h.visit("a", end="2021-03-10"),
        h.system(since="2021-01-01"),
        h.visit("f", period="2021-02", start="2021-02-01", end="2021-02-28"),
    ]

    found = h.row("hvac", *history, as_of="2021-03-31")

    assert [(one["period"], one["occurrence_id"], one["point_id"]) for one in found["deductions"]] == [
        ("2021-01", None, None),
        ("2021-02", "f", None),
        ("2021-03", "a", None),
        ("2021-03", "z", "P10"),
        ("2021-03", "z", "P2"),
    ]


def test_deductions_alike_are_sorted_by_points_and_then_by_evidence() -> None:
    history = [h.returned("wo", id_=name) for name in ("c", "a", "b")]

    found = h.row("quality", *history, h.waiver(event_id="c", id_="w"))

    assert [one["evidence"] for one in found["deductions"]] == [["c", "w"], ["a"], ["b"]]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0.004999", "0.00"),
        ("0.005", "0.01"),
        ("84.996", "85.00"),
        ("2.675", "2.68"),
        ("-0.005", "-0.01"),
        ("-0.001", "0.00"),
    ],
)
def test_rates_are_shown_to_two_decimals_half_up(value: str, shown: str) -> None:
    assert str(half_up(Fraction(value))) == shown


def test_known_at_is_echoed_as_given() -> None:
    given = "2021-07-01T18:00:00.50+08:00"

    echoed = evaluate(Facts("hall"), h.CHENGGONG, date(2021, 7, 1), h.local("2021-07-01"), known_at_given=given)

    assert echoed.as_json()["known_at"] == given
    assert h.score()["known_at"] is None
    assert h.score(known_at="2021-07-01 08:00")["known_at"] == "2021-07-01T00:00:00Z"


def test_the_results_bytes_are_canonical_json_and_its_sha256_is_bare_lower_case_hexadecimal() -> None:
    result = evaluate(Facts().extend(ASSESSABLE), h.CHENGGONG, date(2021, 12, 31))

    written = json.dumps(result.as_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    assert result_bytes(result) == written
    assert len(result_sha256(result)) == 64
    assert set(result_sha256(result) + h.CHENGGONG.sha256) <= set("0123456789abcdef")


# --- proportional ------------------------------------------------------------------------------------------------


def pro_rata(indicator: str, *history: Recorded, **question: Any) -> tuple[Any, ...]:
    """An indicator under mof-2020: actual, status, deducted, score."""
    found = h.row(indicator, *history, rulebook=h.MOF, **question)
    assert found["deductions"] == []
    return found["actual"], found["status"], found["deducted"], found["score"]


def test_an_unmet_target_scores_actual_by_target_by_weight_half_up() -> None:
    visits = [
        h.visit(str(month), period=f"2021-{month:02}", start=f"2021-{month:02}-01", end=f"2021-{month:02}-10")
        for month in range(1, 12)
    ]
    done = [h.performed(str(month), on=f"2021-{month:02}-05") for month in range(1, 12)]

    assert pro_rata("hvac", h.system(since="2021-01-01"), *visits, *done) == (11, "unmet", "0.42", "4.58")


def test_a_met_target_scores_the_full_weight() -> None:
    assert pro_rata("satisfaction", h.report(good=85, bad=15)) == ("85.00", "met", "0.00", "10.00")
    assert pro_rata("satisfaction", h.report(good=9, bad=1)) == ("90.00", "met", "0.00", "10.00")


def test_equal_above_zero_is_read_as_at_least() -> None:
    verdicts = [h.accepted(str(order)) for order in range(10)]

    assert pro_rata("quality", *verdicts) == ("100.00", "met", "0.00", "10.00")
    assert pro_rata("quality", *verdicts[1:], h.returned("0")) == ("90.00", "met", "0.00", "10.00")
    assert pro_rata("quality", *verdicts[2:], h.returned("0"), h.returned("1")) == ("80.00", "unmet", "1.11", "8.89")


def test_met_and_the_score_are_of_the_unrounded_actual() -> None:
    assert pro_rata("satisfaction", h.report(good=84996, bad=15004)) == ("85.00", "unmet", "0.00", "10.00")


def test_a_target_of_zero_exceeded_scores_nothing() -> None:
    assert pro_rata("incidents") == (0, "met", "0.00", "30.00")
    assert pro_rata("incidents", h.incident()) == (1, "unmet", "30.00", "0.00")


def test_cost_growth_scores_full_up_to_the_limit_and_else_nothing() -> None:
    assert pro_rata("cost", h.baseline(), h.cost("c", "1100.00")) == ("110.00", "met", "0.00", "10.00")
    assert pro_rata("cost", h.baseline(), h.cost("c", "1100.01")) == ("110.00", "unmet", "10.00", "0.00")
    assert pro_rata("cost", h.baseline()) == ("0.00", "met", "0.00", "10.00")


@pytest.mark.parametrize("indicator", ["hvac", "quality", "timeliness", "cost", "satisfaction", "budget_execution"])
def test_a_null_actual_is_not_assessable(indicator: str) -> None:
    assert pro_rata(indicator, as_of="2021-01-30") == (None, "not_assessable", None, None)


def test_waivers_and_excuses_are_without_effect() -> None:
    history = [h.incident(id_="i"), h.system(), h.visit(), h.excused(), h.waiver(event_id="i")]

    assert pro_rata("incidents", *history) == (1, "unmet", "30.00", "0.00")
    assert pro_rata("hvac", *history) == (0, "unmet", "5.00", "0.00")


def test_the_national_form_has_the_same_ids_and_targets_and_last_budget_execution() -> None:
    same, last = h.score(rulebook=h.MOF)["indicators"][:-1], h.score(rulebook=h.MOF)["indicators"][-1]

    assert [(row["id"], row["target"]) for row in same] == [
        (row["id"], row["target"]) for row in h.score()["indicators"]
    ]
    assert (last["id"], last["target"], last["weight"]) == ("budget_execution", "100.00", "10.00")


def test_budget_execution_scores_executed_by_annual_by_weight() -> None:
    assert pro_rata("budget_execution", h.budget("855555.00")) == ("95.06", "unmet", "0.49", "9.51")
    assert pro_rata("budget_execution", h.budget("0.00")) == ("0.00", "unmet", "10.00", "0.00")


def test_budget_execution_scores_at_most_the_weight() -> None:
    assert pro_rata("budget_execution", h.budget("900000.00")) == ("100.00", "met", "0.00", "10.00")
    assert pro_rata("budget_execution", h.budget("990000.00")) == ("110.00", "met", "0.00", "10.00")


def test_a_score_never_falls_below_zero() -> None:
    assert pro_rata("budget_execution", h.budget("-100.00")) == ("-0.01", "unmet", "10.00", "0.00")


def test_the_budget_that_holds_has_the_greatest_as_of_until_the_assessments_then_recordedat_then_id() -> None:
    history = [
        h.budget("90000.00", as_of="2021-03-31", recorded="2021-09-09"),
        h.budget("180000.00", as_of="2021-06-30", recorded="2021-07-01"),
        h.budget("270000.00", as_of="2021-06-30", recorded="2021-07-02", id_="b"),
        h.budget("360000.00", as_of="2021-06-30", recorded="2021-07-02", id_="a"),
        h.budget("450000.00", as_of="2021-07-01"),
        h.budget("540000.00", as_of="2021-06-30", year=2020, recorded="2021-08-08"),
    ]

    assert pro_rata("budget_execution", *history, as_of="2021-06-30")[0] == "30.00"


def test_an_annual_budget_of_nothing_is_none() -> None:
    history = [h.budget("1.00", as_of="2021-03-31"), h.budget("1.00", annual="0.00")]

    assert pro_rata("budget_execution", *history) == (None, "not_assessable", None, None)
