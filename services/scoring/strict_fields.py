"""The kinds of value that a rulebook is made of, each saying what was expected of it (marshmallow)."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate
from marshmallow.fields import Field


class Strict(Schema):
    """Refuses keys that it does not know, and says which it does."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.error_messages["unknown"] = f"no such key, expected one of {', '.join(self.fields)}"


class Words(fields.String):
    """Text that says something."""

    def __init__(self, *rules: validate.Validator) -> None:
        said = validate.Regexp(r"(?s).*\S", error="expected text")
        super().__init__(required=True, validate=rules or [said], error_messages=_expected("text"))


class Choice(Words):
    """One of a few words."""

    def __init__(self, *choices: str) -> None:
        super().__init__(validate.OneOf(choices, error=f"expected one of {', '.join(choices)}"))


class Identifier(Words):
    """An id as events.md has them."""

    def __init__(self) -> None:
        super().__init__(
            validate.Regexp(r"[A-Za-z0-9._:-]{1,80}\Z", error="expected an id: 1–80 of A–Z a–z 0–9 . _ : -")
        )


class Whole(Field[int]):
    """An integer between two bounds, inclusive."""

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high
        super().__init__(required=True, error_messages=_expected(f"an integer from {low} to {high}"))

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not self._low <= value <= self._high:
            raise self.make_error("invalid")
        return value


class Amount(Field[Decimal]):
    """Points or percent: at least 0 and exact to two decimals, `5` or `12.50`."""

    def __init__(self) -> None:
        super().__init__(required=True, error_messages=_expected("a number from 0, of at most two decimals"))

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Decimal:
        exact = isinstance(value, int | str) and not isinstance(value, bool)
        if not exact or not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,2})?", str(value)):
            raise self.make_error("invalid")
        return Decimal(value).quantize(Decimal("0.01"))


class Flag(Field[bool]):
    """True or false, and false where nothing is said."""

    def __init__(self) -> None:
        super().__init__(error_messages=_expected("true or false"))

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Several(fields.List[Any]):
    """A list of at least one."""

    def __init__(self, inner: Field[Any]) -> None:
        length = validate.Length(min=1, error="expected at least one")
        super().__init__(inner, required=True, validate=length, error_messages=_expected("a list"))


class Distinct(Several):
    """A list of at least one, none of them twice."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> list[Any]:
        values = super()._deserialize(value, attr, data)
        if len(set(values)) < len(values):
            raise ValidationError("expected each only once")
        return values


def _expected(what: str) -> dict[str, Any]:
    return {"required": f"missing, expected {what}", "null": f"expected {what}", "invalid": f"expected {what}"}
