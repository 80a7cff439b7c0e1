"""Rulebooks: how a year is scored, as data. A YAML file, identified by the SHA-256 of its bytes.

Beside the words of the form, kept verbatim, stand the parameters that they are read as, and the list of readings.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, get_args

from marshmallow import ValidationError, fields, post_load, validates_schema
from marshmallow.fields import Field

from services.scoring.strict_fields import Amount, Choice, Distinct, Flag, Identifier, Several, Strict, Whole, Words
from shared.contracts.work_orders import CostCategory, WorkKind
from shared.errors import Invalid
from shared.event import flat
from shared.strict_yaml import read_yaml

COUNTED = ("missed_inspections", "periods_without_inspection", "incidents")
"""Rule types whose target and actual value are whole numbers; those of the others are rates in percent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule type with its parameters; `proportional` scores what it finds pro rata, not by deduction."""

    type: str
    parameters: Mapping[str, Any]
    proportional: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Indicator:
    """One row of the form: its words as they stand there, and what they are read as."""

    id: str
    level_1: str
    level_2: str
    level_3: str
    comparator: str
    target: int | Decimal
    unit: str
    attribute: str
    standard: str
    content: str
    basis: str
    weight: Decimal
    rule: Rule
    weight_is_assumed: bool = False

    def is_reached(self, actual: Fraction) -> bool:
        """Whether an actual value, unrounded, meets the target; `=` above 0 is read as at least."""
        target = Fraction(self.target)
        return actual == 0 if self.comparator == "=" and target == 0 else actual >= target


@dataclass(frozen=True, kw_only=True, slots=True)
class Grade:
    """A band of totals, from its minimum up to the next band's."""

    name: str
    minimum: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Rulebook:
    """How one year is scored; `sha256` is of the file's bytes."""

    id: str
    title: str
    year: int
    source: str
    readings: Sequence[str]
    grades: Sequence[Grade]
    indicators: Sequence[Indicator]
    sha256: str

    def grade(self, total: Decimal) -> str:
        """The name of the band of a total; bands are listed from the highest."""
        return next(grade.name for grade in self.grades if total >= grade.minimum)


def read_rulebook(text: bytes) -> Rulebook:
    """Read a rulebook; raises Invalid that names each mistake by its path and says what was expected."""
    tree = read_yaml(text)
    if not isinstance(tree, dict):
        raise Invalid("expected a mapping with rulebook, title, year, source, readings, grades and indicators")
    try:
        loaded = _RulebookSchema().load(tree)
    except ValidationError as fault:
        raise Invalid(flat(fault.messages_dict)) from fault
    return Rulebook(sha256=hashlib.sha256(text).hexdigest(), **loaded)


# --- what the YAML must look like --------------------------------------------------------------------------------

_Fields = Mapping[str, Field[Any]]

_KINDS = get_args(WorkKind)
_CATEGORIES = get_args(CostCategory)

_FINDING: Mapping[str, _Fields] = {
    "missed_inspections": {"systems": Distinct(Identifier()), "backfill_days": Whole(0, 366)},
    "substandard_work": {"kinds": Distinct(Choice(*_KINDS))},
    "periods_without_inspection": {},
    "cost_growth": {"category": Choice(*_CATEGORIES), "limit_percent": Amount()},
    "incidents": {},
    "satisfaction_rate": {"minimum_percent": Amount()},
}
"""What a rule needs to find an actual value; all that it may have where it is scored pro rata."""

_DEDUCTING: Mapping[str, _Fields] = {
    "missed_inspections": {"per_missed_inspection": Amount(), "per_missed_point": Amount()},
    "substandard_work": {"per_return": Amount()},
    "periods_without_inspection": {"per_period": Amount()},
    "cost_growth": {"points": Amount()},
    "incidents": {"per_incident": Amount()},
    "satisfaction_rate": {"points": Amount()},
}
"""What it takes off besides."""


class _Rule(Field[Rule]):
    """A rule type with its parameters; `proportional` has another rule as its `of`."""

    def __init__(self, types: Mapping[str, _Fields]) -> None:
        expected = f"expected a mapping with a type, one of {', '.join(types)}"
        super().__init__(required=True, error_messages={"required": expected, "null": expected, "invalid": expected})
        self._types = types

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Rule:
        type_ = value.get("type") if isinstance(value, dict) else None
        if not isinstance(type_, str) or type_ not in self._types:
            raise self.make_error("invalid")
        given = {name: parameter for name, parameter in value.items() if name != "type"}
        parameters = Strict.from_dict(dict(self._types[type_]))().load(given)
        if type_ == "proportional":
            wrapped: Rule = parameters["of"]
            return replace(wrapped, proportional=True)
        return Rule(type=type_, parameters=parameters, proportional=type_ == "budget_execution")


_RULES: Mapping[str, _Fields] = {
    **{type_: {**_FINDING[type_], **_DEDUCTING[type_]} for type_ in _FINDING},
    "proportional": {"of": _Rule(_FINDING)},
    "budget_execution": {},
}


class _GradeSchema(Strict):
    name = Words()
    minimum = Amount()

    @post_load
    def _build(self, loaded: dict[str, Any], **_: Any) -> Grade:
        return Grade(**loaded)


class _IndicatorSchema(Strict):
    id = Identifier()
    level_1 = Words()
    level_2 = Words()
    level_3 = Words()
    comparator = Choice(">=", "=")
    target = Amount()
    unit = Words()
    attribute = Choice("定量指标", "定性指标")
    standard = Words()
    content = Words()
    basis = Words()
    weight = Amount()
    weight_is_assumed = Flag()
    rule = _Rule(_RULES)

    @post_load
    def _build(self, loaded: dict[str, Any], **_: Any) -> Indicator:
        target, rule = loaded["target"], loaded["rule"]
        if loaded["weight"] == 0:
            raise ValidationError("expected more than 0", "weight")
        if rule.type == "budget_execution" and target != 100:
            raise ValidationError("expected 100, the whole of the budget", "target")
        if rule.type in COUNTED:
            if target != int(target):
                raise ValidationError(f"expected an integer, {rule.type} counts", "target")
            loaded["target"] = int(target)
        return Indicator(**loaded)


class _RulebookSchema(Strict):
    id = Identifier()
    title = Words()
    year = Whole(1900, 2999)
    source = Words()
    readings = Several(Words())
    grades = Several(fields.Nested(_GradeSchema))
    indicators = Several(fields.Nested(_IndicatorSchema))

    @validates_schema(skip_on_field_errors=True)
    def _agree(self, loaded: dict[str, Any], **_: Any) -> None:
        minima = [grade.minimum for grade in loaded["grades"]]
        if minima != sorted(set(minima), reverse=True) or minima[-1] != 0:
            raise ValidationError("expected falling minima that end with 0", "grades")
        weights = sum(indicator.weight for indicator in loaded["indicators"])
        if weights != 100:
            raise ValidationError(f"expected weights that sum to 100, not {weights}", "indicators")
        ids = [indicator.id for indicator in loaded["indicators"]]
        if len(set(ids)) < len(ids):
            raise ValidationError("expected each id only once", "indicators")
