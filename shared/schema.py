"""Marshmallow schemas derived from annotated dataclasses: the kinds of value that the published language knows."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from marshmallow import EXCLUDE, RAISE, Schema, ValidationError
from marshmallow import fields as kinds
from marshmallow.fields import Field
from marshmallow.validate import OneOf, Range, Regexp

Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._:-]{1,80}$", description="an id: 1–80 of A–Z a–z 0–9 . _ : -")]
Period = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="a month, YYYY-MM")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$", description="64 lower-case hexadecimal digits")]
Money = Annotated[Decimal, "money"]
"""CNY with exactly two decimals, a string on the wire."""
Reading = Annotated[Decimal, "reading"]
"""A measured quantity, exact as read; a string on the wire, a JSON number is also read."""
Count = Annotated[int, msgspec.Meta(ge=0)]

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MONEY = re.compile(r"-?\d{1,15}\.\d\d")


class _Integer(Field[int]):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("expected an integer")
        return value


class _Boolean(Field[bool]):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("expected true or false")
        return value


class _Date(Field[date]):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> date:
        try:
            if isinstance(value, str) and _DATE.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError as fault:
            raise ValidationError(f"expected a date YYYY-MM-DD: {fault}") from fault
        raise ValidationError("expected a date YYYY-MM-DD")


class _Moment(Field[datetime]):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> datetime:
        try:
            if isinstance(value, str) and _MOMENT.fullmatch(value):
                return datetime.fromisoformat(value)
        except ValueError as fault:
            raise ValidationError(f"expected a timestamp with offset (RFC 3339): {fault}") from fault
        raise ValidationError("expected a timestamp with offset (RFC 3339)")


class _Money(Field[Decimal]):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Decimal:
        if not isinstance(value, str) or not _MONEY.fullmatch(value):
            raise ValidationError('expected money as a string with two decimals, like "120.00"')
        return Decimal(value)


class _Reading(Field[Decimal]):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Decimal:
        try:
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                number = Decimal(str(value))
                if number.is_finite():
                    return number
        except InvalidOperation as fault:
            raise ValidationError("expected a number") from fault
        raise ValidationError("expected a number")


_KINDS: dict[Any, type[Field[Any]]] = {
    "money": _Money,
    "reading": _Reading,
    str: kinds.String,
    bool: _Boolean,
    int: _Integer,
    date: _Date,
    datetime: _Moment,
}


@cache
def schema_class(cls: type, unknown: str = EXCLUDE) -> type[Schema]:
    """The schema of a dataclass; `unknown` members are passed over, as readers of the future must, or refused (RAISE)."""
    hints = get_type_hints(cls, include_extras=True)
    members: dict[str, Any] = {
        f.name: _kind(hints[f.name], unknown, required=f.default is MISSING and f.default_factory is MISSING)
        for f in fields(cls)
    }
    return type(f"{cls.__name__}Schema", (Schema,), {**members, "Meta": type("Meta", (), {"unknown": unknown})})


def schema_of(cls: type, *, strict: bool = False) -> Schema:
    """A schema instance of a dataclass, for validation (`validate`) and for documents; strict refuses unknown members."""
    return schema_class(cls, RAISE if strict else EXCLUDE)()


def _kind(hint: Any, unknown: str, *, required: bool = True, allow_none: bool = False) -> Field[Any]:
    options: dict[str, Any] = {"required": required, "allow_none": allow_none}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _kind(inner, unknown, required=required, allow_none=True)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1], unknown, options)
    if origin is Literal:
        return kinds.String(validate=OneOf(arguments, error=f"expected one of {', '.join(arguments)}"), **options)
    if origin is tuple:
        return kinds.List(_kind(arguments[0], unknown), **options)
    if origin is dict:
        return kinds.Dict(keys=kinds.String(), values=_kind(arguments[1], unknown), **options)
    if is_dataclass(hint):
        return kinds.Nested(schema_class(hint, unknown), **options)  # type: ignore[arg-type]  # a class, not an instance
    return _KINDS[hint](**options)


def _annotated(base: Any, mark: Any, unknown: str, options: dict[str, Any]) -> Field[Any]:
    if isinstance(mark, str):
        return _KINDS[mark](**options)
    if isinstance(mark, msgspec.Meta):
        if mark.pattern is not None:
            return kinds.String(
                validate=Regexp(rf"{mark.pattern[:-1]}\Z", error=f"expected {mark.description}"), **options
            )
        if mark.ge is not None:
            return _KINDS[base](validate=Range(min=mark.ge, error=f"expected at least {mark.ge}"), **options)
    return _kind(base, unknown, required=options["required"], allow_none=options["allow_none"])
