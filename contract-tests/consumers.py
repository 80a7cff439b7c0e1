"""What the services that follow others expect of each event, held against what events declare and what they carry."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from shared.event import Moment
from shared.schema import Id, Money, Period, Reading, Sha256

HERE = Path(__file__).parent

Kind = Any
"""A kind's name, `a | b` for one of some words, `[kind]` for a list, or a mapping of fields for an object."""

KINDS: Mapping[Any, str] = {
    Id: "id",
    Period: "period",
    Sha256: "sha256",
    Money: "money",
    Reading: "number",
    Moment: "timestamp",
    int: "integer",
    bool: "boolean",
    date: "date",
    datetime: "timestamp",
    str: "text",
}
PATTERNS = {
    "id": r"[A-Za-z0-9._:-]{1,80}",
    "period": r"\d{4}-(0[1-9]|1[0-2])",
    "sha256": r"[0-9a-f]{64}",
    "money": r"-?\d+\.\d\d",
    "number": r"-?\d+(\.\d+)?",
    "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
    "date": r"\d{4}-\d\d-\d\d",
    "text": r"(?s).*",
}


@dataclass(frozen=True)
class Expectation:
    """What one consumer needs of one event type: field → kind; `?` behind a name where it can do without."""

    consumer: str
    type: str
    fields: Mapping[str, Kind]

    def __str__(self) -> str:
        return f"{self.consumer} reads {self.type}"


@dataclass(frozen=True)
class Consumer:
    """A service that follows others, or the whole of them."""

    name: str
    follows_all_of: tuple[str, ...]
    expectations: tuple[Expectation, ...]


def consumers() -> list[Consumer]:
    """Every consumer that has said what it expects."""
    return [_consumer(yaml.safe_load(file.read_text())) for file in sorted((HERE / "expectations").glob("*.yaml"))]


def expectations() -> list[Expectation]:
    """What all consumers expect."""
    return [expectation for consumer in consumers() for expectation in consumer.expectations]


def _consumer(told: dict[str, Any]) -> Consumer:
    name = told["consumer"]
    expected = tuple(Expectation(name, type_, members) for type_, members in told["expects"].items())
    return Consumer(name, tuple(told.get("follows_all_of", ())), expected)


def declared(cls: type) -> dict[str, Kind]:
    """The kinds of the fields that a dataclass declares, in the words of an expectation."""
    hints = get_type_hints(cls, include_extras=True)
    return dict(_member(f.name, hints[f.name]) for f in fields(cls))


def _member(name: str, hint: Any) -> tuple[str, Kind]:
    if get_origin(hint) in (Union, UnionType):
        (inner,) = (argument for argument in get_args(hint) if argument is not NoneType)
        return f"{name}?", _kind(inner)
    return name, _kind(hint)


def _kind(hint: Any) -> Kind:
    if hint in KINDS:
        return KINDS[hint]
    if get_origin(hint) is Annotated:
        return _kind(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return " | ".join(get_args(hint))
    if get_origin(hint) is tuple:
        return [_kind(get_args(hint)[0])]
    if is_dataclass(hint):
        return declared(hint)  # type: ignore[arg-type]  # a class, not an instance
    return str(hint)


def broken_promises(expected: Mapping[str, Kind], found: Mapping[str, Kind], path: str = "") -> Iterator[str]:
    """Where a declaration does not give what is expected of it."""
    for name, kind in expected.items():
        bare = name.removesuffix("?")
        place = f"{path}{bare}"
        if bare in found:
            yield from _other_kind(kind, found[bare], place)
        elif f"{bare}?" not in found:
            yield f"{place}: expected {_words(kind)}, there is no such field"
        else:
            if name == bare:
                yield f"{place}: expected always, it may be missing"
            yield from _other_kind(kind, found[f"{bare}?"], place)


def _other_kind(kind: Kind, found: Kind, place: str) -> Iterator[str]:
    match kind, found:
        case dict(), dict():
            yield from broken_promises(kind, found, f"{place}.")
        case [one], [other]:
            yield from _other_kind(one, other, f"{place}[]")
        case str(), str() if "|" in kind and set(found.split(" | ")) <= set(kind.split(" | ")):
            return
        case _ if kind != found:
            yield f"{place}: expected {_words(kind)}, declared is {_words(found)}"


def faults(expected: Mapping[str, Kind], data: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Where the `data` of an event does not hold what is expected of it."""
    for name, kind in expected.items():
        bare = name.removesuffix("?")
        place = f"{path}{bare}"
        if bare in data:
            yield from _wrong_value(kind, data[bare], place)
        elif name == bare:
            yield f"{place}: expected {_words(kind)}, is missing"


def _wrong_value(kind: Kind, value: Any, place: str) -> Iterator[str]:
    match kind, value:
        case dict(), dict():
            yield from faults(kind, value, f"{place}.")
        case [one], list():
            for number, member in enumerate(value):
                yield from _wrong_value(one, member, f"{place}[{number}]")
        case _ if not _is(kind, value):
            yield f"{place}: expected {_words(kind)}, is {value!r}"


def _is(kind: Kind, value: Any) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case str() if "|" in kind:
            return value in kind.split(" | ")
        case str():
            return isinstance(value, str) and re.fullmatch(PATTERNS[kind], value) is not None
        case _:
            return False


def _words(kind: Kind) -> str:
    match kind:
        case dict():
            return "an object"
        case [one]:
            return f"a list of {_words(one)}"
        case _:
            return f"{kind}"
