"""Marshmallow schemas derived from annotated dataclasses: the kinds of value that the published language knows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

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
Sum = Annotated[
    str,
    msgspec.Meta(pattern=r"^-?[0-9]{1,20}[.][0-9]{2}$", description='a sum of money with two decimals, like "120.00"'),
]
"""Amounts of money added up, in CNY: longer than one of them may be."""
Reading = Annotated[Decimal, "reading"]
"""A measured quantity, exact as read; a string on the wire, a JSON number is also read."""
Count = Annotated[int, msgspec.Meta(ge=0)]
Year = Annotated[int, msgspec.Meta(ge=1900, le=2999)]
Text = Annotated[str, "text"]
"""Words that somebody wrote: not empty, not only blanks."""

SAFE = 2**53 - 1
"""The greatest integer that every reader of JSON takes exactly (RFC 8785, 3.2.2.3)."""

# Years near 0 and 10000 cannot be brought to another time zone; more than microseconds would have to be rounded.
_MOMENT = re.compile(r"(19|2\d)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"(19|2\d)\d\d-\d\d-\d\d", re.ASCII)
_MONEY = re.compile(r"-?\d{1,15}\.\d\d", re.ASCII)
_READING = re.compile(r"-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d\d?)?", re.ASCII)
_NO_TEXT = re.compile("[\0\ud800-\udfff]")

Json = Mapping[str, Any]
"""What documents say of a kind (JSON Schema 2020-12), as its `json_schema`; its validators say the rest."""


class _String(kinds.String):
    """A string that PostgreSQL and UTF-8 can hold."""

    default_error_messages = {"invalid": "expected a string"}  # noqa: RUF012  marshmallow's way

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        found = super()._deserialize(value, attr, data)
        if _NO_TEXT.search(found):
            raise ValidationError("expected text without NUL and without halves of surrogate pairs")
        return found


class _Text(_String):
    json_schema: ClassVar[Json] = {"pattern": r"\S", "description": "words: not empty, not only blanks"}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        found = super()._deserialize(value, attr, data)
        if not found.strip():
            raise ValidationError("expected words, not blank")
        return found


class _List(kinds.List[Any]):
    default_error_messages = {"invalid": "expected a list"}  # noqa: RUF012


class _Nested(kinds.Nested):
    default_error_messages = {"type": "expected an object"}  # noqa: RUF012


class _Integer(Field[int]):
    json_schema: ClassVar[Json] = {"type": "integer", "minimum": -SAFE, "maximum": SAFE}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("expected an integer")
        if abs(value) > SAFE:
            raise ValidationError(f"expected an integer from -{SAFE} to {SAFE}")
        return value


class _Boolean(Field[bool]):
    json_schema: ClassVar[Json] = {"type": "boolean"}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("expected true or false")
        return value


class _Date(Field[date]):
    json_schema: ClassVar[Json] = {
        "type": "string",
        "format": "date",
        "pattern": "^(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$",
        "description": "a date, YYYY-MM-DD",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> date:
        try:
            if isinstance(value, str) and _DATE.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError as fault:
            raise ValidationError(f"expected a date YYYY-MM-DD: {fault}") from fault
        raise ValidationError("expected a date YYYY-MM-DD")


class _Moment(Field[datetime]):
    json_schema: ClassVar[Json] = {
        "type": "string",
        "format": "date-time",
        "pattern": r"^(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$",
        "description": "a timestamp with offset (RFC 3339)",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> datetime:
        try:
            if isinstance(value, str) and _MOMENT.fullmatch(value):
                return datetime.fromisoformat(value)
        except ValueError as fault:
            raise ValidationError(f"expected a timestamp with offset (RFC 3339): {fault}") from fault
        raise ValidationError("expected a timestamp with offset (RFC 3339)")


class _Money(Field[Decimal]):
    json_schema: ClassVar[Json] = {
        "type": "string",
        "pattern": r"^-?[0-9]{1,15}\.[0-9]{2}$",
        "description": "an amount with exactly two decimals, as a string",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Decimal:
        if not isinstance(value, str) or not _MONEY.fullmatch(value):
            raise ValidationError('expected money as a string with two decimals, like "120.00"')
        return Decimal(value)


class _Reading(Field[Decimal]):
    json_schema: ClassVar[Json] = {
        "anyOf": [
            {"type": "string", "pattern": r"^-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?$"},
            {"type": "number", "minimum": -SAFE, "maximum": SAFE},
        ],
        "description": "a measured quantity, exact as read: a string, or a number",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValidationError("expected a number")
        if isinstance(value, int) and abs(value) > SAFE:
            raise ValidationError(f"expected a number from -{SAFE} to {SAFE}, or a string")
        if not _READING.fullmatch(str(value)):
            raise ValidationError('expected a number, or one as a string, like "0.35"')
        found = Decimal(str(value))
        if not _READING.fullmatch(str(found)):  # as we would write it: 10e99 is 1.0E+100 to a Decimal
            raise ValidationError("expected a number with at most 30 digits before and behind its point, below 1E+100")
        return found


class _Either(Field[Any]):
    """One of several kinds; the first that takes a value says what it is."""

    def __init__(self, ways: Sequence[Field[Any]], **options: Any) -> None:
        super().__init__(**options)
        self.ways = ways

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Any:
        faults: list[str] = []
        for way in self.ways:
            try:
                return way.deserialize(value, attr, data)
            except ValidationError as fault:
                faults += fault.messages if isinstance(fault.messages, list) else ["expected another object"]
        raise ValidationError(" or ".join(dict.fromkeys(faults)))


_MESSAGES = {
    "required": "missing",
    "null": "expected a value, not null",
    "unknown": "unknown member",
    "type": "expected an object",
}

_KINDS: dict[Any, type[Field[Any]]] = {
    "money": _Money,
    "reading": _Reading,
    "text": _Text,
    str: _String,
    bool: _Boolean,
    int: _Integer,
    date: _Date,
    datetime: _Moment,
    Any: kinds.Raw,
}


@cache
def schema_class(cls: type, unknown: str = EXCLUDE) -> type[Schema]:
    """The schema of a dataclass; `unknown` members are passed over, as readers of the future must, or refused (RAISE)."""
    hints = get_type_hints(cls, include_extras=True)
    members: dict[str, Any] = {
        f.name: _kind(hints[f.name], unknown, required=f.default is MISSING and f.default_factory is MISSING)
        for f in fields(cls)
    }
    return type(
        f"{cls.__name__}Schema",
        (Schema,),
        {
            **members,
            "Meta": type("Meta", (), {"unknown": unknown}),
            "error_messages": _MESSAGES,
            "__doc__": cls.__doc__,
            "__module__": cls.__module__,
        },
    )


def schema_of(cls: type, *, strict: bool = False) -> Schema:
    """A schema instance of a dataclass, for validation (`validate`) and for documents; strict refuses unknown members."""
    return schema_class(cls, RAISE if strict else EXCLUDE)()


def _kind(hint: Any, unknown: str, *, required: bool = True, allow_none: bool = False) -> Field[Any]:
    options: dict[str, Any] = {"required": required, "allow_none": allow_none, "error_messages": _MESSAGES}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _one_of(arguments, unknown, required=required)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1], unknown, options)
    if origin is Literal:
        return _String(validate=OneOf(arguments, error=f"expected one of {', '.join(arguments)}"), **options)
    if origin is tuple:
        return _List(_kind(arguments[0], unknown), **options)
    if origin is dict:
        return kinds.Dict(keys=_String(), values=_kind(arguments[1], unknown), **options)
    if is_dataclass(hint):
        return _Nested(schema_class(hint, unknown), **options)  # type: ignore[arg-type]  # a class, not an instance
    return _KINDS[hint](**options | ({"allow_none": True} if hint is Any else {}))


def _one_of(ways: Sequence[Any], unknown: str, *, required: bool) -> Field[Any]:
    """The kind of a union; null is one of its ways, or none."""
    named, allow_none = [way for way in ways if way is not NoneType], NoneType in ways
    if len(named) == 1:
        return _kind(named[0], unknown, required=required, allow_none=allow_none)
    options: dict[str, Any] = {"required": required, "allow_none": allow_none, "error_messages": _MESSAGES}
    return _Either([_kind(way, unknown) for way in named], **options)


def _annotated(base: Any, mark: Any, unknown: str, options: dict[str, Any]) -> Field[Any]:
    if isinstance(mark, str):
        return _KINDS[mark](**options)
    if isinstance(mark, msgspec.Meta):
        if mark.pattern is not None:
            return _String(validate=Regexp(rf"{mark.pattern[:-1]}\Z", error=f"expected {mark.description}"), **options)
        if mark.ge is not None:
            most = "" if mark.le is None else f" and at most {mark.le}"
            validate = Range(min=mark.ge, max=mark.le, error=f"expected at least {mark.ge}{most}")
            return _KINDS[base](validate=validate, **options)
    return _kind(base, unknown, required=options["required"], allow_none=options["allow_none"])
