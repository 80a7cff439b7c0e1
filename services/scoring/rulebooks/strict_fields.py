"""The kinds of value that a rulebook is made of, each saying what was expected of it (marshmallow, JSON Schema).

What a kind refuses and what its `json_schema` says stand beside each other, so that they stay the same.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol

from marshmallow import Schema, ValidationError, fields, validate
from marshmallow.fields import Field

Json = dict[str, Any]

_CONTROL = "[\x00-\x08\x0b-\x1f\x7f-\x9f]"
"""What moves a terminal's cursor instead of saying something; line breaks and tabs may stand in a text."""

_SURROGATE = "[\ud800-\udfff]"
"""Half a character: YAML's escapes can say it, UTF-8 and JSON cannot."""

_ID = "[A-Za-z0-9._:-]{1,80}"
_AMOUNT = r"[0-9]{1,6}(\.[0-9]{1,2})?"
_ABOVE_NONE = r"(?!0+(\.0+)?$)"
_ALL = r"^{}$(?!\n)"
"""A pattern of the whole text: in some languages `$` also stands before a last line break."""

DEFINITIONS: Mapping[str, Json] = {
    "words": {
        "description": "Text that says something, without control characters.",
        "type": "string",
        "pattern": r"\S",
        "not": {"pattern": r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f]"},
    },
    "identifier": {
        "description": "An id: 1–80 of A–Z a–z 0–9 . _ : -",
        "type": "string",
        "pattern": _ALL.format(_ID),
    },
    "amount": {
        "description": "Points or percent: from 0, at most six digits before the point and two after it. Read exactly, never as "
        "a binary float; YAML's 12.5 and '12.50' are the same.",
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 999999.99},
            {"type": "string", "pattern": _ALL.format(_AMOUNT)},
        ],
    },
}
"""What fields refer to by name (`$defs`)."""

INTEGRAL: Json = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": _ALL.format(r"[0-9]{1,6}(\.0{1,2})?")}]}
"""An amount without hundredths."""

ABOVE_NONE: Json = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "string", "pattern": _ALL.format(_ABOVE_NONE + _AMOUNT)},
    ]
}
"""An amount that is not 0."""

HUNDRED: Json = {"anyOf": [{"const": 100}, {"type": "string", "pattern": _ALL.format(r"0{0,3}100(\.0{1,2})?")}]}
"""The amount 100, however it is written."""


class Described(Protocol):
    """A field that can say in JSON Schema what it takes."""

    metadata: dict[str, Any]
    required: bool

    def json_schema(self) -> Json:
        """JSON Schema of the values that the field takes."""


class Strict(Schema):
    """Refuses keys that it does not know, and says which it does."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.error_messages["unknown"] = f"no such key, expected one of {', '.join(self.fields)}"

    def json_schema(self) -> Json:
        """JSON Schema of a mapping with exactly these keys."""
        return closed_object(self.fields)


def closed_object(keys: Mapping[str, Any]) -> Json:
    """JSON Schema of a mapping with exactly these keys, whose fields are all `Described`."""
    described: Mapping[str, Described] = keys
    return {
        "type": "object",
        "properties": {
            name: {"description": field.metadata["description"], **field.json_schema()}
            for name, field in described.items()
        },
        "required": [name for name, field in described.items() if field.required],
        "additionalProperties": False,
    }


class Words(fields.String):
    """Text that says something."""

    def __init__(self, *rules: validate.Validator, means: str = "") -> None:
        said = validate.Regexp(r"(?s).*\S", error="expected text")
        super().__init__(
            required=True,
            validate=rules or [said, _without_control],
            error_messages=_expected("text"),
            metadata={"description": means},
        )

    def json_schema(self) -> Json:
        """JSON Schema of the values that the field takes."""
        return {"$ref": "#/$defs/words"}


class Choice(Words):
    """One of a few words."""

    def __init__(self, *choices: str, means: str = "") -> None:
        self._choices = choices
        super().__init__(validate.OneOf(choices, error=f"expected one of {', '.join(choices)}"), means=means)

    def json_schema(self) -> Json:
        """JSON Schema of the values that the field takes."""
        return {"enum": list(self._choices)}


class Identifier(Words):
    """An id as events.md has them."""

    def __init__(self, *, means: str = "") -> None:
        rule = validate.Regexp(rf"{_ID}\Z", error="expected an id: 1–80 of A–Z a–z 0–9 . _ : -")
        super().__init__(rule, means=means)

    def json_schema(self) -> Json:
        """JSON Schema of the values that the field takes."""
        return {"$ref": "#/$defs/identifier"}


class Whole(Field[int]):
    """An integer between two bounds, inclusive."""

    def __init__(self, low: int, high: int, *, means: str = "") -> None:
        self._low, self._high = low, high
        expected = _expected(f"an integer from {low} to {high}")
        super().__init__(required=True, error_messages=expected, metadata={"description": means})

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not self._low <= value <= self._high:
            raise self.make_error("invalid")
        return value

    def json_schema(self) -> Json:
        """JSON Schema of the values that the field takes."""
        return {"type": "integer", "minimum": self._low, "maximum": self._high}


class Amount(Field[Decimal]):
    """Points or percent: at least 0 and exact to two decimals, `5` or `12.50`."""

    def __init__(self, *, means: str = "") -> None:
        expected = _expected("a number from 0, of at most two decimals")
        super().__init__(required=True, error_messages=expected, metadata={"description": means})

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Decimal:
        exact = isinstance(value, int | str) and not isinstance(value, bool)
        if not exact or not re.fullmatch(_AMOUNT, str(value)):
            raise self.make_error("invalid")
        return Decimal(value).quantize(Decimal("0.01"))

    def json_schema(self) -> Json:
        """JSON Schema of the values that the field takes."""
        return {"$ref": "#/$defs/amount"}


class Flag(Field[bool]):
    """True or false, and false where nothing is said."""

    def __init__(self, *, means: str = "") -> None:
        super().__init__(error_messages=_expected("true or false"), metadata={"description": means})

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value

    def json_schema(self) -> Json:
        """JSON Schema of the values that the field takes."""
        return {"type": "boolean", "default": False}


class Row(fields.Nested):
    """A mapping with keys of its own."""

    def __init__(self, schema: type[Strict], *, means: str = "") -> None:
        super().__init__(schema, error_messages=_expected("a mapping"), metadata={"description": means})

    def json_schema(self) -> Json:
        """JSON Schema of the values that the field takes."""
        rows = self.schema
        assert isinstance(rows, Strict)
        return rows.json_schema()


class Several(fields.List[Any]):
    """A list of at least one."""

    def __init__(self, inner: Field[Any], *, means: str = "") -> None:
        length = validate.Length(min=1, error="expected at least one")
        expected = _expected("a list")
        super().__init__(
            inner, required=True, validate=length, error_messages=expected, metadata={"description": means}
        )

    def json_schema(self) -> Json:
        """JSON Schema of the values that the field takes."""
        inner: Any = self.inner
        return {"type": "array", "minItems": 1, "items": inner.json_schema()}


class Distinct(Several):
    """A list of at least one, none of them twice."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> list[Any]:
        values = super()._deserialize(value, attr, data)
        if len(set(values)) < len(values):
            raise ValidationError("expected each only once")
        return values

    def json_schema(self) -> Json:
        """JSON Schema of the values that the field takes."""
        return {**super().json_schema(), "uniqueItems": True}


def _without_control(text: str) -> None:
    if re.search(f"{_CONTROL}|{_SURROGATE}", text):
        raise ValidationError("expected text without control characters")


def _expected(what: str) -> dict[str, Any]:
    return {"required": f"missing, expected {what}", "null": f"expected {what}", "invalid": f"expected {what}"}
