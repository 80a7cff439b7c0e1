"""Rulebooks: how a year is scored, as data. A YAML file, identified by the SHA-256 of its bytes.

Beside the words of the form, kept verbatim, stand the parameters that they are read as, and the list of readings.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from marshmallow import ValidationError, post_load, validates_schema
from marshmallow.fields import Field

from services.scoring.rulebooks.rule_types import DEDUCTING, FINDING, Fields, rule_schema
from services.scoring.rulebooks.strict_fields import (
    ABOVE_NONE,
    DEFINITIONS,
    HUNDRED,
    INTEGRAL,
    Amount,
    Choice,
    Flag,
    Identifier,
    Json,
    Row,
    Several,
    Strict,
    Whole,
    Words,
)
from shared.errors import Invalid
from shared.event import flat
from shared.strict_yaml import read_yaml

COUNTED = ("missed_inspections", "periods_without_inspection", "incidents")
"""Rule types whose target and actual value are whole numbers; those of the others are rates in percent."""


LARGEST = 256 * 1024
"""Bytes of the largest rulebook that is read: far more than a form's words, and read in seconds whatever it says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule type with its parameters; `proportional` scores what it finds pro rata, not by deduction."""

    type: str
    parameters: Mapping[str, Any]
    proportional: bool

    def as_json(self) -> dict[str, Any]:
        """The rule as a rulebook has it."""
        plain = {"type": self.type, **{name: _plain(value) for name, value in self.parameters.items()}}
        return {"type": "proportional", "of": plain} if self.proportional and self.type != "budget_execution" else plain


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
class Goal:
    """What the project is for (项目目标), and the span that this is said of, as the sheet labels it."""

    label: str
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectWords:
    """What the official forms say of the project and no rule reads: its name, who carries it out, its goals."""

    name: str
    unit: str
    goals: Sequence[Goal]


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
    project: ProjectWords | None = None

    def grade(self, total: Decimal) -> str:
        """The name of the band of a total; bands are listed from the highest."""
        return next(grade.name for grade in self.grades if total >= grade.minimum)

    def as_json(self) -> dict[str, Any]:
        """The rulebook's mapping, amounts as text of two decimals: a rulebook again, of other bytes and the same meaning."""
        return _told(self)


def read_rulebook(text: bytes) -> Rulebook:
    """Read a rulebook; raises Invalid that names each mistake by its path and says what was expected."""
    if len(text) > LARGEST:
        raise Invalid(f"expected at most {LARGEST} bytes")
    tree = read_yaml(text)
    if not isinstance(tree, dict):
        raise Invalid("expected a mapping with id, title, year, source, readings, grades and indicators")
    try:
        loaded = _RulebookSchema().load(tree)
    except ValidationError as fault:
        raise Invalid(flat(fault.messages_dict)) from fault
    return Rulebook(sha256=hashlib.sha256(text).hexdigest(), **loaded)


def rulebook_schema() -> Json:
    """JSON Schema (draft 2020-12) of a rulebook's mapping, made from the very fields that `read_rulebook` reads it by."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:xunjian:rulebook",
        "title": "Rulebook 评分标准",
        "description": "How a year's performance indicators are scored (docs/rulebook-format.md). A schema cannot say three "
        "things that are refused all the same: weights that do not sum to exactly 100, an indicator's id told twice, and "
        "grades whose minima do not fall strictly to 0.",
        **_RulebookSchema().json_schema(),
        "$defs": dict(DEFINITIONS),
    }


def _told(row: Rulebook | ProjectWords | Goal | Indicator | Grade) -> dict[str, Any]:
    """What a row says; what is optional and was not told is left out."""
    told = {one.name: getattr(row, one.name) for one in fields(row) if one.name != "sha256"}
    return {name: _plain(value) for name, value in told.items() if value is not None and value is not False}


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    match value:
        case Decimal():
            return f"{value:.2f}"
        case Rule():
            return value.as_json()
        case ProjectWords() | Goal() | Indicator() | Grade():
            return _told(value)
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            return value


# --- what the YAML must look like --------------------------------------------------------------------------------


class _Rule(Field[Rule]):
    """A rule type with its parameters; `proportional` has another rule as its `of`."""

    def __init__(self, types: Mapping[str, Fields], *, means: str) -> None:
        expected = f"expected a mapping with a type, one of {', '.join(types)}"
        messages: dict[str, Any] = {"required": expected, "null": expected, "invalid": expected}
        super().__init__(required=True, error_messages=messages, metadata={"description": means})
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

    def json_schema(self) -> Json:
        """JSON Schema of the values that the field takes."""
        return {"oneOf": [rule_schema(type_, parameters) for type_, parameters in self._types.items()]}


_RULES: Mapping[str, Fields] = {
    **{type_: {**FINDING[type_], **DEDUCTING[type_]} for type_ in FINDING},
    "proportional": {"of": _Rule(FINDING, means="The rule whose actual value is scored, without its points.")},
    "budget_execution": {},
}


class _GradeSchema(Strict):
    name = Words(means="What the band is called: 优, 良, 中, 差.")
    minimum = Amount(means="The least total (总分) of the band.")

    @post_load
    def _build(self, loaded: dict[str, Any], **_: Any) -> Grade:
        return Grade(**loaded)


class _IndicatorSchema(Strict):
    id = Identifier(means="The indicator's id, told once in a rulebook; two rulebooks are compared by it.")
    level_1 = Words(means="一级指标, verbatim.")
    level_2 = Words(means="二级指标, verbatim.")
    level_3 = Words(means="三级指标, verbatim: the indicator's name.")
    comparator = Choice(">=", "=", means="指标性质. `=` is read as at least, except where the target is 0.")
    target = Amount(
        means="指标值, in the unit. An integer for missed_inspections, periods_without_inspection and incidents, which count; a rate "
        "in percent for the others; 100 for budget_execution."
    )
    unit = Words(means="度量单位, verbatim.")
    attribute = Choice(
        "定量指标", "定性指标", means="指标属性, verbatim. It changes nothing: what has a number is scored by it."
    )
    standard = Words(means="评（扣）分标准, verbatim: the sheet's own rule, of which `rule` is the reading.")
    content = Words(means="指标内容, verbatim.")
    basis = Words(means="绩效指标值设定依据及数据来源, verbatim.")
    weight = Amount(means="分值: the most that the indicator can score, more than 0. All weights sum to 100.")
    weight_is_assumed = Flag(means="True where no document says the weight and it was assumed (假定).")
    rule = _Rule(_RULES, means="How the standard is read: a rule type with its parameters.")

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

    def json_schema(self) -> Json:
        """JSON Schema of an indicator, with what its target must be by its rule."""
        return {**super().json_schema(), "allOf": _BETWEEN_KEYS}


def _if_rule(type_: Json, target: Json) -> Json:
    """What a target must be where the rule, or the one that is scored pro rata, has a type."""
    typed: Json = {"properties": {"type": type_}, "required": ["type"]}
    wrapped: Json = {"properties": {"of": typed}, "required": ["of"]}
    return {
        "if": {"properties": {"rule": {"anyOf": [typed, wrapped]}}, "required": ["rule"]},
        "then": {"properties": {"target": target}},
    }


_BETWEEN_KEYS: list[Json] = [
    {"properties": {"weight": ABOVE_NONE}},
    _if_rule({"enum": list(COUNTED)}, INTEGRAL),
    _if_rule({"const": "budget_execution"}, HUNDRED),
]
"""What `_IndicatorSchema` refuses in more than one key, or in one beyond its kind."""


class _GoalSchema(Strict):
    label = Words(means="The sheet's own label: 总体目标 or 预算年度目标, with its years.")
    words = Words(means="The goal (目标), verbatim.")

    @post_load
    def _build(self, loaded: dict[str, Any], **_: Any) -> Goal:
        return Goal(**loaded)


class _ProjectSchema(Strict):
    name = Words(means="项目名称, verbatim.")
    unit = Words(means="项目实施单位, verbatim.")
    goals = Several(Row(_GoalSchema), means="项目目标, in the order of the sheet; the last is the year's.")

    @post_load
    def _build(self, loaded: dict[str, Any], **_: Any) -> ProjectWords:
        return ProjectWords(**loaded)


class _RulebookSchema(Strict):
    id = Identifier(
        means="The rulebook's name, by which people ask for it. What identifies it is the SHA-256 of its bytes."
    )
    title = Words(means="标题, as printed above the score.")
    year = Whole(1900, 2999, means="年度: the calendar year that is scored.")
    source = Words(means="依据: the document that the words are taken from.")
    project = Row(_ProjectSchema, means="What the forms say of the project and no rule reads. May be left out.")
    readings = Several(
        Words(), means="读法: what was decided where the document is silent; shown to whoever reads the score."
    )
    grades = Several(
        Row(_GradeSchema), means="等级: bands of totals from the highest down; minima fall strictly and the last is 0."
    )
    indicators = Several(
        Row(_IndicatorSchema), means="指标, in the order of the form. Weights sum to 100 and each id is told once."
    )

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
