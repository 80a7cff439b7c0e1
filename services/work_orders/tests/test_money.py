"""Sums of money, exact to the fen."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.work_orders.money import Budget, Spent, summary, total

BUDGET = Budget(initial=Decimal("900000.00"), annual=Decimal("900000.00"), as_of=date(2021, 1, 1))
amounts = st.decimals("0.00", "9999999999999.99", places=2)


def spent(amount: str, day: str = "2021-03-09", supplier: str | None = None) -> Spent:
    """A cost of consumables."""
    return Spent(amount=Decimal(amount), category="consumables", incurred_on=date.fromisoformat(day), supplier=supplier)


def test_a_year_without_costs_has_spent_nothing_of_its_budget() -> None:
    found = summary(2021, BUDGET, [])

    assert found == {
        "year": 2021,
        "budget": {"initial": "900000.00", "annual": "900000.00", "as_of": "2021-01-01"},
        "spent": "0.00",
        "remaining": "900000.00",
        "by_category": [],
        "by_supplier": [],
        "by_month": [],
    }


def test_costs_are_summed_by_category_supplier_and_month_and_other_years_left_out() -> None:
    costs = [
        spent("0.10", supplier="甲"),
        spent("0.20", supplier="甲"),
        spent("5.00", "2021-12-31"),
        spent("7.00", "2022-01-01", "乙"),
    ]

    found = summary(2021, None, costs)

    assert (found["budget"], found["spent"], found["remaining"]) == (None, "5.30", None)
    assert found["by_category"] == [{"category": "consumables", "amount": "5.30"}]
    assert found["by_supplier"] == [{"supplier": "甲", "amount": "0.30"}, {"supplier": None, "amount": "5.00"}]
    assert found["by_month"] == [{"month": "2021-03", "amount": "0.30"}, {"month": "2021-12", "amount": "5.00"}]


def test_more_than_the_budget_leaves_less_than_nothing() -> None:
    assert summary(2021, BUDGET, [spent("900000.01")])["remaining"] == "-0.01"


@given(st.lists(amounts, max_size=50))
def test_no_fen_is_lost_in_a_sum(each: list[Decimal]) -> None:
    fen = sum(int(amount.scaleb(2)) for amount in each)

    assert str(total(each)) == f"{fen // 100}.{fen % 100:02}"
