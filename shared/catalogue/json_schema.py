"""JSON Schemas (draft 2020-12) of events and of their envelope, made from the annotations that marshmallow checks, too.

Only keywords that mean the same in draft 7 are used, since AsyncAPI reads schemas as that. Patterns are written without
`\\d` and `\\w`, which mean more than ASCII to some readers.
"""

import inspect
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from shared.event import Event
from shared.schema import SAFE, Id, Money, Reading, Text

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DAY = "(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}"
_STRING: Json = {"type": "string", "pattern": "^[^\\u0000]*$"}
_INTEGER: Json = {"type": "integer", "minimum": -SAFE, "maximum": SAFE}
_MOMENT: Json = {
    "type": "string",
    "format": "date-time",
    "pattern": rf"^{_DAY}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}([.][0-9]{{1,6}})?(Z|[+-][0-9]{{2}}:[0-9]{{2}})$",
}
KINDS: Mapping[Any, Json] = {
    Money: {
        "type": "string",
        "pattern": "^-?[0-9]{1,15}[.][0-9]{2}$",
        "description": "CNY with two decimals",
    },
    Reading: {
        "type": "string",
        "pattern": "^-?[0-9]{1,30}([.][0-9]{1,30})?([eE][+-]?[0-9]{1,2})?$",
        "description": "a measured quantity, exact as read",
    },
    Text: {"type": "string", "pattern": "^[^\\u0000]*[^\\u0000\\s][^\\u0000]*$"},
    str: _STRING,
    bool: {"type": "boolean"},
    int: _INTEGER,
    date: {"type": "string", "format": "date", "pattern": f"^{_DAY}$"},
    datetime: _MOMENT,
}
"""The kinds of value of `shared.schema`, as they are published. Of a Reading a stranger's JSON number is read, too."""


def event_schema(cls: type[Event]) -> Json:
    """What the `data` of an event holds. Other members are allowed: a field may be added to an event."""
    return {"$schema": DIALECT, "$id": f"urn:xunjian:event:{cls.type}", "title": cls.type, **object_schema(cls)}


def envelope_schema() -> Json:
    """The CloudEvents attributes that every event has (events.md, Envelope); other members are allowed."""
    hash_: Json = {"type": "string", "pattern": "^(sha256|sm3):[0-9a-f]{64}$"}
    place: Json = {"type": "integer", "minimum": 1, "maximum": SAFE}
    described: dict[str, tuple[Json, str]] = {
        "specversion": ({"type": "string", "const": "1.0"}, "of CloudEvents"),
        "id": (_STRING, "UUIDv7, unique"),
        "source": ({"type": "string", "pattern": "^/[a-z_]+$"}, "the service"),
        "type": ({"type": "string", "pattern": "^[a-z_]+[.][a-z0-9_]+[.]v[0-9]+$"}, "<service>.<event>.v<version>"),
        "subject": (_STRING, "the stream"),
        "time": (_MOMENT, "when it happened (business time)"),
        "datacontenttype": ({"type": "string", "const": "application/json"}, "of data"),
        "data": ({"type": "object"}, "the event's own fields"),
        "facility": (_kind(Id), "the facility that it belongs to: tenant, partition key and name of the ledger"),
        "position": (place, "place in the facility's ledger in that service: 1, 2, 3 … without a gap"),
        "streamversion": (place, "place in its stream: 1, 2, 3 …"),
        "recordedat": (_MOMENT, "when it was appended (the store's clock), UTC"),
        "actor": (_STRING, "who: user:<id>, service:<name>, system:<integration>"),
        "correlationid": (_STRING, "the request that it began with"),
        "causationid": (_STRING, "the event or command that it answers"),
        "prevhash": (hash_, "the hash of the event at the position before"),
        "hash": (hash_, "of prevhash and the canonical JSON (RFC 8785) of the envelope without hash"),
        "simulated": ({"type": "boolean"}, "true where the installation only plays (模拟); else absent"),
    }
    return {
        "$schema": DIALECT,
        "$id": "urn:xunjian:envelope",
        "title": "envelope",
        "description": "CloudEvents 1.0, structured JSON, with the attributes that Xunjian adds.",
        "type": "object",
        "properties": {name: {**kind, "description": means} for name, (kind, means) in described.items()},
        "required": [name for name in described if name != "simulated"],
    }


def object_schema(cls: type) -> Json:
    """The schema of a dataclass; a field without a default is required, one that may be None may be null."""
    hints = get_type_hints(cls, include_extras=True)
    needed = [one.name for one in fields(cls) if one.default is MISSING and one.default_factory is MISSING]
    return {
        "description": inspect.getdoc(cls) or "",
        "type": "object",
        "properties": {one.name: _kind(hints[one.name]) for one in fields(cls)},
        **({"required": needed} if needed else {}),
    }


def _kind(hint: Any) -> Json:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in KINDS:
        return dict(KINDS[hint])
    if origin in (Union, UnionType):
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _or_null(_kind(inner))
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _kind(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _kind(arguments[1])}
    if origin is Annotated:
        return _annotated(*arguments)
    if is_dataclass(hint):
        return object_schema(hint)  # type: ignore[arg-type]  # a class, not an instance
    raise TypeError(f"{hint!r} is no kind of value of the published language")


def _annotated(base: Any, mark: Any, *_: Any) -> Json:
    kind = _kind(base)
    if isinstance(mark, msgspec.Meta):
        said = {"pattern": mark.pattern, "minimum": mark.ge, "maximum": mark.le, "description": mark.description}
        kind |= {name: value for name, value in said.items() if value is not None}
    return kind


def _or_null(kind: Json) -> Json:
    nullable = {**kind, "type": [kind["type"], "null"]}
    return nullable | ({"enum": [*kind["enum"], None]} if "enum" in kind else {})
