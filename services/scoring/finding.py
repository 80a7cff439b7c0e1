"""What a rule finds in the facts of a year: an actual value, and deductions with the events that they rest on."""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from services.scoring.facts import Fact

NOTHING = Decimal("0.00")


@dataclass(frozen=True, kw_only=True, slots=True)
class Deduction:
    """Points taken off, and the ids of the events that this rests on, sorted."""

    points: Decimal
    reason: str
    evidence: tuple[str, ...]
    period: str | None = None
    occurrence_id: str | None = None
    point_id: str | None = None
    system_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What a rule found: the actual value, exact, beside the deductions. `within` is set by a rule with a limit."""

    actual: int | Fraction | None
    deductions: Sequence[Deduction] = ()
    within: bool | None = None
    actual_without_defaulted: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The days of the rulebook's year up to and with `as_of`."""

    year: int
    as_of: date

    def __contains__(self, day: date) -> bool:
        return day.year == self.year and day <= self.as_of

    @property
    def months(self) -> Mapping[str, date]:
        """The last day of each month of the year, by period."""
        ends = (date(self.year, month, monthrange(self.year, month)[1]) for month in range(1, 13))
        return {period_of(end): end for end in ends}

    @property
    def months_over(self) -> list[str]:
        """The months whose last day has come."""
        return [period for period, end in self.months.items() if end <= self.as_of]


def period_of(day: date) -> str:
    """The month of a day, YYYY-MM."""
    return f"{day.year:04}-{day.month:02}"


def percent(part: int | Decimal, whole: int | Decimal) -> Fraction:
    """Exactly how many hundredths of the whole a part is."""
    return 100 * Fraction(part) / Fraction(whole)


def ids(*facts: Iterable[Fact[Any]]) -> tuple[str, ...]:
    """The ids of several groups of facts, each once, sorted."""
    return tuple(sorted({fact.id for group in facts for fact in group}))
