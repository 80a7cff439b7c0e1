"""From facts to a score: what each indicator's rule finds, waived or not, against its weight and target.

Pure: the same facts, rulebook, `as_of` and `known_at` give the same bytes. No clock, no I/O, no float.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from services.scoring.facts import Facts, Known
from services.scoring.finding import NOTHING, Deduction, Finding, Span
from services.scoring.rulebooks.rulebook import Indicator, Rulebook
from services.scoring.rules import RULES
from shared.contracts.scoring import DeductionWaived
from shared.event import canonical, timestamp

Status = Literal["met", "unmet", "not_assessable"]
Key = tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessed:
    """One indicator's result. Counts are integers; rates, points and weights have two decimals, half up."""

    indicator: Indicator
    status: Status = "not_assessable"
    actual: int | Decimal | None = None
    deducted: Decimal | None = None
    score: Decimal | None = None
    actual_without_defaulted: Decimal | None = None
    deductions: Sequence[Deduction] = ()

    def as_json(self) -> dict[str, Any]:
        """The indicator's member of `score --json` (design.md)."""
        shown: dict[str, Any] = {
            "id": self.indicator.id,
            "target": _shown(self.indicator.target),
            "actual": _shown(self.actual),
            "status": self.status,
            "weight": _shown(self.indicator.weight),
            "deducted": _shown(self.deducted),
            "score": _shown(self.score),
            "deductions": [_deduction_as_json(deduction) for deduction in self.deductions],
        }
        if self.indicator.rule.type == "satisfaction_rate":
            shown["actual_without_defaulted"] = _shown(self.actual_without_defaulted)
        return shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A year's score of one facility; `known_at` is as it was asked for."""

    facility: str
    rulebook: Rulebook
    as_of: date
    known_at: str | None
    indicators: Sequence[Assessed]

    @property
    def subtotal(self) -> Decimal:
        """The scores of what can be assessed."""
        return sum((one.score for one in self.indicators if one.score is not None), NOTHING)

    @property
    def total(self) -> Decimal | None:
        """The sum of all scores; None while one of them is missing."""
        return None if any(one.score is None for one in self.indicators) else self.subtotal

    @property
    def grade(self) -> str | None:
        """The band that the total falls into."""
        return None if self.total is None else self.rulebook.grade(self.total)

    @property
    def assessable_weight(self) -> Decimal:
        """The weights of what can be assessed."""
        return sum((one.indicator.weight for one in self.indicators if one.score is not None), NOTHING)

    def as_json(self) -> dict[str, Any]:
        """The object that `score --json` prints (design.md)."""
        return {
            "facility": self.facility,
            "year": self.rulebook.year,
            "rulebook": self.rulebook.id,
            "rulebook_sha256": self.rulebook.sha256,
            "as_of": self.as_of.isoformat(),
            "known_at": self.known_at,
            "total": _shown(self.total),
            "provisional_total": _shown(self.subtotal) if self.total is None else None,
            "assessable_weight": _shown(self.assessable_weight),
            "grade": self.grade,
            "indicators": [one.as_json() for one in self.indicators],
        }


def evaluate(
    facts: Facts,
    rulebook: Rulebook,
    as_of: date,
    known_at: datetime | None = None,
    *,
    known_at_given: str | None = None,
) -> Result:
    """Score a year as of a local date, by what was recorded up to `known_at` (None: by everything).

    `known_at_given` is the text in which the moment was asked for, to be echoed.
    """
    known, span = facts.known(known_at), Span(rulebook.year, as_of)
    waivers = _waivers(known)
    return Result(
        facility=facts.facility,
        rulebook=rulebook,
        as_of=as_of,
        known_at=known_at_given or (timestamp(known_at) if known_at else None),
        indicators=[_assess(indicator, known, span, waivers) for indicator in rulebook.indicators],
    )


def result_bytes(result: Result) -> bytes:
    """Canonical JSON (RFC 8785) of a result."""
    return canonical(result.as_json())


def result_sha256(result: Result) -> str:
    """SHA-256 of a result's canonical JSON, in lower-case hexadecimal."""
    return hashlib.sha256(result_bytes(result)).hexdigest()


def half_up(value: Fraction) -> Decimal:
    """To two decimals, exactly; a half goes away from zero."""
    hundredths = int(abs(value) * 100 + Fraction(1, 2))
    return Decimal(hundredths if value >= 0 else -hundredths).scaleb(-2)


def _assess(indicator: Indicator, known: Known, span: Span, waivers: Mapping[Key, Sequence[str]]) -> Assessed:
    finding = RULES[indicator.rule.type](known, span, **indicator.rule.parameters)
    if finding is None:
        return Assessed(indicator=indicator)
    if indicator.rule.proportional:
        return _pro_rata(indicator, finding)
    return _by_deduction(indicator, finding, waivers)


def _by_deduction(indicator: Indicator, finding: Finding, waivers: Mapping[Key, Sequence[str]]) -> Assessed:
    """Take the deductions that were not waived off the weight; the item never falls below zero (扣完为止)."""
    deductions = [_waived(deduction, waivers) for deduction in finding.deductions]
    deducted = sum((deduction.points for deduction in deductions), NOTHING)
    return Assessed(
        indicator=indicator,
        status="met" if deducted == 0 else "unmet",
        actual=_rounded(finding.actual),
        deducted=deducted,
        score=indicator.weight - min(indicator.weight, deducted),
        actual_without_defaulted=_rounded_rate(finding.actual_without_defaulted),
        deductions=sorted(deductions, key=_order),
    )


def _pro_rata(indicator: Indicator, finding: Finding) -> Assessed:
    """Score the actual value against the target (财预〔2020〕10号), unrounded; deductions and waivers are without effect."""
    if finding.actual is None:
        return Assessed(indicator=indicator)
    actual, target = Fraction(finding.actual), Fraction(indicator.target)
    met = indicator.is_reached(actual) if finding.within is None else finding.within
    if met:
        score = indicator.weight
    elif target == 0 or finding.within is not None:
        score = NOTHING
    else:
        score = half_up(max(actual, Fraction(0)) / target * Fraction(indicator.weight))
    return Assessed(
        indicator=indicator,
        status="met" if met else "unmet",
        actual=_rounded(finding.actual),
        deducted=indicator.weight - score,
        score=score,
        actual_without_defaulted=_rounded_rate(finding.actual_without_defaulted),
    )


def _waivers(known: Known) -> Mapping[Key, Sequence[str]]:
    """The ids of waiver events by the key of what they name."""
    found: dict[Key, list[str]] = defaultdict(list)
    for waiver in known.waivers:
        found[_key_named(waiver.event)].append(waiver.id)
    return found


def _key_named(waiver: DeductionWaived) -> Key:
    if waiver.event_id is not None:
        return "event", waiver.event_id
    if waiver.occurrence_id is not None:
        return "occurrence", waiver.occurrence_id, waiver.point_id
    return "period", waiver.period, waiver.system_id


def _keys_that_fit(deduction: Deduction) -> list[Key]:
    keys: list[Key] = [("event", event_id) for event_id in deduction.evidence]
    if deduction.occurrence_id is not None:
        keys += {
            ("occurrence", deduction.occurrence_id, None),
            ("occurrence", deduction.occurrence_id, deduction.point_id),
        }
    if deduction.reason in ("not_scheduled", "periods_without_inspection"):
        keys.append(("period", deduction.period, deduction.system_id))
    return keys


def _waived(deduction: Deduction, waivers: Mapping[Key, Sequence[str]]) -> Deduction:
    fitting = {waiver for key in _keys_that_fit(deduction) for waiver in waivers.get(key, ())}
    if not fitting:
        return deduction
    return replace(deduction, points=NOTHING, evidence=tuple(sorted({*deduction.evidence, *fitting})))


def _order(deduction: Deduction) -> tuple[Any, ...]:
    """By period, occurrence, point, system, points, evidence; what is null first, and no id is empty."""
    names = (deduction.period, deduction.occurrence_id, deduction.point_id, deduction.system_id)
    return *(name or "" for name in names), deduction.points, deduction.evidence


def _rounded(value: int | Fraction | None) -> int | Decimal | None:
    return half_up(value) if isinstance(value, Fraction) else value


def _rounded_rate(value: Fraction | None) -> Decimal | None:
    return None if value is None else half_up(value)


def _shown(value: int | Decimal | None) -> int | str | None:
    return f"{value:.2f}" if isinstance(value, Decimal) else value


def _deduction_as_json(deduction: Deduction) -> dict[str, Any]:
    return {
        "points": _shown(deduction.points),
        "reason": deduction.reason,
        "period": deduction.period,
        "occurrence_id": deduction.occurrence_id,
        "point_id": deduction.point_id,
        "system_id": deduction.system_id,
        "evidence": list(deduction.evidence),
    }
