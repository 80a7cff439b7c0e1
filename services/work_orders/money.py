"""Sums of money: exact, in CNY, two decimals as a string; and how the year's costs stand against its budget."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from shared.contracts.work_orders import CostCategory

NOTHING = Decimal("0.00")


@dataclass(frozen=True, kw_only=True)
class Spent:
    """One cost that was not reversed."""

    amount: Decimal
    category: CostCategory
    incurred_on: date
    supplier: str | None


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The budget of a year (年初预算数, 全年预算数) as it stood on a day."""

    initial: Decimal
    annual: Decimal
    as_of: date


def summary(year: int, budget: Budget | None, costs: Iterable[Spent]) -> dict[str, Any]:
    """What was spent in a year: {year, budget, spent, remaining, by_category, by_supplier, by_month}.

    `remaining` is of the annual budget, below zero where more was spent, and null without a budget. Each `by_…` is a list of
    {category | supplier | month, amount} without those that cost nothing; the supplier of a cost may be null.
    """
    counted = [cost for cost in costs if cost.incurred_on.year == year]
    spent = total(cost.amount for cost in counted)
    return {
        "year": year,
        "budget": budget and {"initial": str(budget.initial), "annual": str(budget.annual), "as_of": str(budget.as_of)},
        "spent": str(spent),
        "remaining": budget and str(budget.annual - spent),
        "by_category": _by("category", counted, lambda cost: cost.category),
        "by_supplier": _by("supplier", counted, lambda cost: cost.supplier),
        "by_month": _by("month", counted, lambda cost: f"{cost.incurred_on:%Y-%m}"),
    }


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, with two decimals also of nothing."""
    return sum(amounts, NOTHING)


def _by(name: str, costs: Iterable[Spent], key: Callable[[Spent], str | None]) -> list[dict[str, str | None]]:
    """Sums by a key in its order, what has none last."""
    sums: defaultdict[str | None, Decimal] = defaultdict(lambda: NOTHING)
    for cost in costs:
        sums[key(cost)] += cost.amount
    order = sorted(sums, key=lambda one: (one is None, one or ""))
    return [{name: one, "amount": str(sums[one])} for one in order]
