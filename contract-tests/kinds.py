"""In which kinds of value a consumer says what it needs of an event, as JSON Schema has them.

They are the consumers' own words: what services publish is held against them (`compatibility.py`), and the messages of
the pacts are made by them (`pacts.py`), with the example of a kind where no sample has a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

ID: Json = {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,80}$", "examples": ["a-1"]}
PERIOD: Json = {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$", "examples": ["2021-03"]}
SHA256: Json = {"type": "string", "pattern": "^[0-9a-f]{64}$", "examples": [64 * "0"]}
MONEY: Json = {"type": "string", "pattern": "^-?[0-9]{1,15}[.][0-9]{2}$", "examples": ["120.00"]}
NUMBER: Json = {
    "type": "string",
    "pattern": "^-?[0-9]{1,30}([.][0-9]{1,30})?([eE][+-]?[0-9]{1,2})?$",
    "examples": ["4.0"],
}
DATE: Json = {"type": "string", "pattern": "^(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$", "examples": ["2021-03-09"]}
TIMESTAMP: Json = {
    "type": "string",
    "pattern": "^(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}"
    "T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$",
    "examples": ["2021-03-09T10:40:00+08:00"],
}
HASH: Json = {"type": "string", "pattern": "^(sha256|sm3):[0-9a-f]{64}$", "examples": ["sha256:" + 64 * "0"]}
TEXT: Json = {"type": "string", "examples": ["说明"]}
INTEGER: Json = {"type": "integer", "examples": [1]}
BOOLEAN: Json = {"type": "boolean", "examples": [True]}


@dataclass(frozen=True)
class Maybe:
    """A kind of value that a consumer makes use of where it is there, and can do without."""

    kind: Json


def one_of(*words: str) -> Json:
    """One of some words; a word that is not among them cannot be read."""
    return {"type": "string", "enum": list(words), "examples": [words[0]]}


def many(kind: Json) -> Json:
    """A list."""
    return {"type": "array", "items": kind}


def holding(**members: Json | Maybe) -> Json:
    """An object with these members, whatever else it has."""
    kinds = {name: _nullable(one.kind) if isinstance(one, Maybe) else one for name, one in members.items()}
    return {
        "type": "object",
        "properties": kinds,
        "required": [name for name, one in members.items() if not isinstance(one, Maybe)],
    }


def _nullable(kind: Json) -> Json:
    enum = {"enum": [*kind["enum"], None]} if "enum" in kind else {}
    return {**kind, "type": [kind["type"], "null"], **enum}


def bare_type(kind: Mapping[str, Any]) -> str | None:
    """The JSON type of a kind, without that it may be null."""
    types = kind.get("type")
    named = types if isinstance(types, list) else [types]
    return next((str(one) for one in named if one not in ("null", None)), None)


def may_be_null(kind: Mapping[str, Any]) -> bool:
    """Whether null is a value of a kind."""
    return isinstance(kind.get("type"), list) and "null" in kind["type"]


ENVELOPE = holding(
    id=TEXT,
    source=TEXT,
    type=TEXT,
    subject=TEXT,
    time=TIMESTAMP,
    recordedat=TIMESTAMP,
    facility=ID,
    position=INTEGER,
    streamversion=INTEGER,
    actor=TEXT,
    correlationid=TEXT,
    causationid=TEXT,
    prevhash=HASH,
    hash=HASH,
)
"""What every consumer needs of every envelope: whose it is, its place, and what the chain is checked by."""
