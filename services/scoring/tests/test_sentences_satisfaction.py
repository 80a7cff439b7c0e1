"""domain.md, satisfaction_rate: a test a sentence."""

from decimal import Decimal

import pytest

from services.scoring.tests import histories as h
from shared.event import Recorded


def test_satisfaction_rate_minimum_percent_85_points_20() -> None:
    """**`satisfaction_rate`** — `minimum_percent` 85, `points` 20."""
    (rule,) = (one.rule for one in h.CHENGGONG.indicators if one.id == "satisfaction")
    other = h.ruled("satisfaction", minimum_percent=Decimal(91), points=Decimal(7))

    assert (rule.type, rule.parameters) == ("satisfaction_rate", {"minimum_percent": 85, "points": 20})
    assert h.row("satisfaction", h.report(good=84, bad=16))["deducted"] == "20.00"
    assert h.row("satisfaction", h.report(good=90, bad=10))["deducted"] == "0.00"
    assert h.row("satisfaction", h.report(good=90, bad=10), rulebook=other)["deducted"] == "7.00"


def test_counts_summed_over_the_reports() -> None:
    """Counts summed over the reports;"""
    found = h.row("satisfaction", h.report("a", good=90, bad=10), h.report("b", good=100, bad=200))

    # 190 ÷ 400; the mean of the two rates would be 61.67
    assert (found["actual"], found["deducted"]) == ("47.50", "20.00")


@pytest.mark.parametrize(
    ("levels", "overturned", "actual"),
    [
        ((10, 20, 30, 25, 15), 0, "60.00"),  # 60 ÷ 100
        ((10, 20, 30, 25, 15), 20, "75.00"),  # 60 ÷ 80
        ((1, 0, 0, 0, 3), 0, "25.00"),
        ((0, 1, 0, 3, 0), 0, "25.00"),
        ((0, 0, 1, 0, 3), 2, "50.00"),
        ((0, 0, 1, 3, 0), 3, "100.00"),
    ],
)
def test_rate_is_very_satisfied_plus_satisfied_plus_basically_satisfied_divided_by_all_five_levels_less_overturned_ratings_overturned_on_appeal_leave_the_count_altogether(
    levels: tuple[int, ...], overturned: int, actual: str
) -> None:
    """rate = (very_satisfied + satisfied + basically_satisfied) ÷ all five levels less `overturned` (ratings
    overturned on appeal leave the count altogether).
    """
    assert h.row("satisfaction", h.ratings("r", *levels, overturned=overturned))["actual"] == actual


@pytest.mark.parametrize(
    ("good", "bad", "actual", "deducted"),
    [
        (85, 15, "85.00", "0.00"),
        (84996, 15004, "85.00", "20.00"),
        (8499, 1501, "84.99", "20.00"),
        (8501, 1499, "85.01", "0.00"),
        (0, 9, "0.00", "20.00"),
    ],
)
def test_once_if_the_unrounded_rate_below_85(good: int, bad: int, actual: str, deducted: str) -> None:
    """Once if the unrounded rate < 85."""
    found = h.row("satisfaction", h.report(good=good, bad=bad))

    assert (found["actual"], found["deducted"]) == (actual, deducted)


@pytest.mark.parametrize("reports", [[], [h.report()], [h.report(good=1, end="2022-01-01")]])
def test_nothing_rated_not_assessable(reports: list[Recorded]) -> None:
    """Nothing rated: `not_assessable`."""
    found = h.row("satisfaction", *reports)

    assert (found["status"], found["actual"], found["score"]) == ("not_assessable", None, None)
    assert h.row("satisfaction", *reports, h.report("one", bad=1))["status"] == "unmet"


def test_actual_without_defaulted_stands_beside_it_the_same_without_defaulted_ratings_nobody_answered_in_5_working_days_counted_as_basically_satisfied() -> (
    None
):
    """`actual_without_defaulted` stands beside it: the same without `defaulted` ratings (nobody answered in 5
    working days, counted as 基本满意).
    """
    reports = [h.report("a", good=50, bad=10, defaulted=20), h.report("b", good=40, defaulted=30)]

    found, national = h.row("satisfaction", *reports), h.row("satisfaction", *reports, rulebook=h.MOF)

    # 90 ÷ 100, and without 50 of them that nobody gave 40 ÷ 50; the score follows the first
    assert (found["actual"], found["actual_without_defaulted"]) == ("90.00", "80.00")
    assert (national["actual"], national["actual_without_defaulted"]) == ("90.00", "80.00")
    assert (found["status"], found["deducted"]) == ("met", "0.00")
