"""The form of a score: the whole result, its indicators, and its deductions."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import msgspec

from services.scoring.evaluation import Status
from shared.event import Moment
from shared.schema import Id, Period, Sha256, Year

Amount = Annotated[
    str, msgspec.Meta(pattern=r"^-?[0-9]+\.[0-9]{2}$", description="points, percent or CNY, with two decimals")
]
Reason = Literal[
    "missed_inspection",
    "missed_point",
    "not_scheduled",
    "substandard_work",
    "periods_without_inspection",
    "cost_growth",
    "incidents",
    "satisfaction_rate",
]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was asked for: a year by a rulebook, as of a local date, by what was recorded up to `known_at` (null: by all)."""

    year: Year
    rulebook: Id
    rulebook_sha256: Sha256
    as_of: date
    known_at: Moment | None


@dataclass(frozen=True, kw_only=True)
class Totals:
    """A score in sum; `total` and `grade` are null while an indicator cannot be assessed, and `provisional_total` after."""

    total: Amount | None
    provisional_total: Amount | None
    assessable_weight: Amount
    grade: str | None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What an indicator came to. Counts are integers, rates have two decimals; what cannot be assessed is null."""

    target: int | Amount
    actual: int | Amount | None
    status: Status
    weight: Amount
    deducted: Amount | None
    score: Amount | None
    actual_without_defaulted: Amount | None = None


@dataclass(frozen=True, kw_only=True)
class DeductedFor:
    """What a deduction is of."""

    reason: Reason
    period: Period | None
    occurrence_id: Id | None
    point_id: Id | None
    system_id: Id | None


@dataclass(frozen=True, kw_only=True)
class Deduction(DeductedFor):
    """Points taken off, and the ids of the events that this rests on."""

    points: Amount
    evidence: tuple[Id, ...]


@dataclass(frozen=True, kw_only=True)
class Indicator(Measured):
    """One indicator of a result."""

    id: Id
    deductions: tuple[Deduction, ...]


@dataclass(frozen=True, kw_only=True)
class Result(Asked, Totals):
    """A year's score of one facility."""

    facility: Id
    indicators: tuple[Indicator, ...]


@dataclass(frozen=True, kw_only=True)
class RulebookResult:
    """The result by one rulebook of the assessment, and whether that one is official."""

    official: bool
    result: Result
