"""domain.md, cost_growth: a test a sentence."""

from decimal import Decimal

import pytest

from services.scoring.tests import histories as h


def test_cost_growth_category_fixed_equipment_limit_percent_10_points_20() -> None:
    """**`cost_growth`** — `category` fixed_equipment, `limit_percent` 10, `points` 20."""
    (rule,) = (one.rule for one in h.CHENGGONG.indicators if one.id == "cost")
    other = h.ruled("cost", category="service", limit_percent=Decimal(5), points=Decimal(7))
    history = [h.baseline("1000.00"), h.cost("c", "1100.01"), h.cost("d", "1050.01", category="service")]

    assert rule.type == "cost_growth"
    assert rule.parameters == {"category": "fixed_equipment", "limit_percent": 10, "points": 20}
    assert h.row("cost", *history)["deducted"] == "20.00"
    assert (h.row("cost", *history, rulebook=other)["deducted"]) == "7.00"


def test_spent_is_sum_of_cost_recorded_of_that_category_less_those_reversed() -> None:
    """Spent = sum of `cost_recorded` of that category, less those reversed."""
    history = [
        h.cost("a", "300.00"),
        h.cost("b", "400.00"),
        h.cost("credit", "-50.00"),
        *(h.cost(name, "500.00", category=name) for name in ("service", "consumables", "other")),
        h.cost("d", "600.00"),
        h.cost_reversed("d"),
    ]

    found = h.row("cost", h.baseline("1000.00"), *history)

    assert (found["actual"], found["status"]) == ("65.00", "met")  # 300 + 400 − 50 of 1000


def test_baseline_is_the_newest_cost_baseline_recorded_for_y_less_1() -> None:
    """Baseline = the newest `cost_baseline_recorded` for Y−1."""
    baselines = [
        h.baseline("100.00", recorded="2021-01-01"),
        h.baseline("200.00", recorded="2021-01-02", id_="a"),
        h.baseline("250.00", recorded="2021-01-02", id_="b"),
        h.baseline("400.00", year=2019, recorded="2021-01-03"),
        h.baseline("800.00", year=2021, recorded="2021-01-04"),
    ]

    assert h.row("cost", *baselines, h.cost("c", "100.00"))["actual"] == "40.00"


@pytest.mark.parametrize(
    ("spent", "deducted"), [("1099.99", "0.00"), ("1100.00", "0.00"), ("1100.01", "20.00"), ("9900.00", "20.00")]
)
def test_once_if_spent_above_baseline_times_1_10_strictly(spent: str, deducted: str) -> None:
    """Once if spent > baseline × 1.10, strictly."""
    assert h.row("cost", h.baseline("1000.00"), h.cost("c", spent))["deducted"] == deducted


def test_no_baseline_not_assessable() -> None:
    """No baseline: `not_assessable`."""
    found = h.row("cost", h.cost("c", "100.00"), h.baseline(year=2021), h.baseline(year=2019))

    assert (found["status"], found["actual"], found["deducted"]) == ("not_assessable", None, None)


def test_actual_is_spent_divided_by_baseline_in_percent() -> None:
    """Actual = spent ÷ baseline in percent."""
    found = h.row("cost", h.baseline("900.00"), h.cost("c", "500.00"), h.cost("d", "100.00"))

    assert found["actual"] == "66.67"  # 600 ÷ 900
    assert h.row("cost", h.baseline("900.00"))["actual"] == "0.00"
