"""Reads a mapping file strictly: every fault is named, with its line and its path, and nothing is used of a faulty one."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args
from zoneinfo import ZoneInfo

import jmespath
import yaml
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

from services.integration.inbound.conversions import RFC_3339, Conversion, Kind, Unit
from services.integration.inbound.facts import FACTS, Fact
from services.integration.inbound.mapping import NOTHING, Field, FileRows, Meaning, SourceMapping
from shared.errors import Invalid
from shared.strict_yaml import read_yaml

MOST_BYTES = 64 * 1024
"""How long a mapping file may be."""
KINDS: tuple[Kind, ...] = get_args(Kind)
UNITS: tuple[Unit, ...] = get_args(Unit)
SOURCE = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
"""How a source calls itself: a URI reference, which is ASCII."""
_ID = re.compile(r"[A-Za-z0-9._:-]{1,80}", re.ASCII)
FUNCTIONS = frozenset(Functions.FUNCTION_TABLE)
"""The functions that an expression may use."""
_ABSENT = object()
"""A key that is told to be missing already."""
_PRESENTATIONS = ("unit", "format", "timezone")

Path = tuple[str, ...]
"""Where something stands in the file, key by key."""


def read_mapping(text: str) -> SourceMapping:
    """A mapping file; raises Invalid with every fault, each under `line N, <path>`."""
    content = text.encode(errors="surrogatepass")
    if len(content) > MOST_BYTES:
        raise Invalid({"mapping": [f"expected at most {MOST_BYTES} bytes"]})
    data = read_yaml(content)
    reading = _Reading()
    found = reading.mapping(data, hashlib.sha256(content).hexdigest())
    if reading.faults:
        lines = _lines(text)
        told: dict[str, list[str]] = {}
        for path, why in reading.faults:
            told.setdefault(_place(path, lines), []).append(why)
        raise Invalid(told)
    return found


class _Reading:
    """One reading of a file, and the faults that it met."""

    def __init__(self) -> None:
        self.faults: list[tuple[Path, str]] = []

    def mapping(self, data: Any, sha256: str) -> SourceMapping:
        top = self._keys(data, (), required=("source", "events"), optional=("facility", "file"))
        events = {
            type_: self._meaning(meaning, ("events", type_))
            for type_, meaning in self._table(top.get("events", _ABSENT), ("events",)).items()
        }
        return SourceMapping(
            sha256=sha256,
            source=self._words(
                top.get("source", _ABSENT), ("source",), SOURCE, "expected the URI by which the source calls itself"
            ),
            facility=None
            if "facility" not in top
            else self._words(top["facility"], ("facility",), _ID, "expected an id"),
            events=events,
            file=None if "file" not in top else self._file(top["file"], events),
        )

    def _meaning(self, data: Any, path: Path) -> Meaning:
        told = self._keys(data, path, required=("fact", "fields"))
        name = told.get("fact")
        fact = FACTS.get(name) if isinstance(name, str) else None  # type: ignore[call-overload]  # any word is looked up
        if fact is None and "fact" in told:
            self._fault((*path, "fact"), f"expected one of {', '.join(FACTS)}")
        at = (*path, "fields")
        fields = {
            field: self._field(how, (*at, field)) for field, how in self._table(told.get("fields", _ABSENT), at).items()
        }
        if fact is not None:
            self._suits(fact, fields, at)
        return Meaning(fact=name, fields=fields)  # type: ignore[arg-type]  # not used where it is faulty

    def _suits(self, fact: Fact, fields: Mapping[str, Field], path: Path) -> None:
        """The fields are those of the fact, and none is missing that it needs."""
        for name in fields.keys() - set(fact.names):
            self._fault((*path, name), f"expected one of {', '.join(fact.names)}")
        for name in fact.required:
            if name not in fields:
                self._fault(path, f"expected {name} too")

    def _field(self, data: Any, path: Path) -> Field:
        if isinstance(data, str):
            return Field(expression=self._expression(data, path))
        told = self._keys(data, path, optional=("from", "constant", "values", "otherwise", "as", *_PRESENTATIONS))
        if ("from" in told) == ("constant" in told):
            self._fault(path, "expected either from, an expression, or constant")
        for other in told.keys() - {"constant"} if "constant" in told else ():
            self._fault((*path, other), "expected nothing beside constant")
        if "values" in told and "as" in told:
            self._fault((*path, "as"), "expected either values or as: a table says our values themselves")
        if "otherwise" in told and "values" not in told:
            self._fault((*path, "otherwise"), "expected only beside values")
        return Field(
            expression=self._expression(told["from"], (*path, "from")) if "from" in told else None,
            constant=told.get("constant", NOTHING),
            values=self._table(told["values"], (*path, "values")) if "values" in told else None,
            otherwise=told.get("otherwise", NOTHING),
            conversion=self._conversion(told, path),
        )

    def _expression(self, data: Any, path: Path) -> str:
        if not isinstance(data, str) or not data.strip():
            self._fault(path, "expected a JMESPath expression, like data.id")
            return "@"
        try:
            foreign = set(_functions(jmespath.compile(data).parsed)) - FUNCTIONS
        except (JMESPathError, RecursionError) as fault:
            self._fault(path, f"expected a JMESPath expression, found {data!r}: {_line(fault)}")
            return "@"
        for name in sorted(foreign):
            self._fault(path, f"expected a function of JMESPath, found {name}() in {data!r}")
        return data

    def _conversion(self, told: Mapping[str, Any], path: Path) -> Conversion:
        kind, unit, format_, zone = (told.get(name) for name in ("as", *_PRESENTATIONS))
        if "as" in told and kind not in KINDS:
            self._fault((*path, "as"), f"expected one of {', '.join(KINDS)}")
        allowed = {"money": ("unit",), "date": ("format", "timezone"), "timestamp": ("format", "timezone")}
        for name in _PRESENTATIONS:
            if name in told and name not in allowed.get(str(kind), ()):
                kinds = " or ".join(f"as: {one}" for one, names in allowed.items() if name in names)
                self._fault((*path, name), f"expected only beside {kinds}")
        if kind == "money" and unit not in UNITS:
            self._fault((*path, "unit"), f"expected one of {', '.join(UNITS)} (元, 分, 万元)")
        if kind in ("date", "timestamp"):
            self._time(kind, format_, zone, path)
        return Conversion(kind=kind, unit=unit or "yuan", format=format_, timezone=zone)

    def _time(self, kind: Kind, format_: Any, zone: Any, path: Path) -> None:
        if format_ is not None and not _is_format(format_):
            expected = "expected rfc3339, or a format with the whole date, like %Y-%m-%d %H:%M:%S"
            self._fault((*path, "format"), expected)
        has_offset = format_ == RFC_3339 or (isinstance(format_, str) and "%z" in format_)
        own = has_offset if kind == "date" else format_ is not None and not has_offset
        if zone is None and own:
            self._fault(path, "expected timezone too, like Asia/Shanghai")
        if zone is not None and not _is_zone(zone):
            self._fault((*path, "timezone"), f"expected the name of a time zone, like Asia/Shanghai, found {zone!r}")

    def _file(self, data: Any, events: Mapping[str, Meaning]) -> FileRows:
        told = self._keys(data, ("file",), required=("type",), optional=("id", "time"))
        if "type" in told and told["type"] not in [*events]:
            self._fault(("file", "type"), f"expected a type under events: {', '.join(events)}")
        if "id" in told and not (isinstance(told["id"], str) and told["id"].strip()):
            self._fault(("file", "id"), "expected the heading of a column")
        time = self._field(told["time"], ("file", "time")) if "time" in told else None
        if time is not None and time.conversion.kind != "timestamp":
            self._fault(("file", "time"), "expected as: timestamp")
        return FileRows(type=str(told.get("type")), id=told.get("id"), time=time)

    def _keys(
        self, data: Any, path: Path, required: Iterable[str] = (), optional: Iterable[str] = ()
    ) -> dict[str, Any]:
        """The members of an object that has those keys and no others."""
        found = self._table(data, path)
        known = (*required, *optional)
        for name in found.keys() - set(known):
            self._fault((*path, name), f"unknown key, expected one of {', '.join(known)}")
        for name in required:
            if name not in found:
                self._fault(path, f"expected {name}")
        return {name: found[name] for name in known if name in found}

    def _table(self, data: Any, path: Path) -> dict[str, Any]:
        if isinstance(data, dict) and data:
            return data
        if data is not _ABSENT:
            self._fault(path, "expected a mapping of keys to values")
        return {}

    def _words(self, data: Any, path: Path, pattern: re.Pattern[str], expected: str) -> str:
        if data is not _ABSENT and not (isinstance(data, str) and pattern.fullmatch(data)):
            self._fault(path, expected)
        return str(data)

    def _fault(self, path: Path, why: str) -> None:
        if (path, why) not in self.faults:
            self.faults.append((path, why))


def _functions(node: Mapping[str, Any]) -> Iterator[str]:
    """The names of all functions that an expression calls."""
    if node["type"] == "function_expression":
        yield node["value"]
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _functions(child)


def _is_format(format_: Any) -> bool:
    """Whether it is a format of times that names year, month and day."""
    if format_ == RFC_3339:
        return True
    if not isinstance(format_, str) or not re.fullmatch(r"(%[YymdHMSfzj]|[^%])+", format_):
        return False
    return ("%Y" in format_ or "%y" in format_) and ("%j" in format_ or ("%m" in format_ and "%d" in format_))


def _is_zone(zone: Any) -> bool:
    try:
        ZoneInfo(zone)
    except (OSError, TypeError, ValueError):  # ZoneInfoNotFoundError is a KeyError, too
        return False
    except KeyError:
        return False
    return True


def _line(fault: BaseException) -> str:
    return " ".join(str(fault).split()) or type(fault).__name__


def _place(path: Path, lines: Mapping[Path, int]) -> str:
    """Where a fault is, as it is told; one of a missing key is at what lacks it."""
    line = next((lines[path[:length]] for length in range(len(path), -1, -1) if path[:length] in lines), 1)
    return ", ".join(filter(None, (f"line {line}", ".".join(path))))


def _lines(text: str) -> dict[Path, int]:
    """The line of each key of a YAML text, counted from 1."""
    return dict(_key_lines(yaml.compose(text, Loader=yaml.SafeLoader), ()))


def _key_lines(node: yaml.Node | None, path: Path) -> Iterator[tuple[Path, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, str(key.value)), key.start_mark.line + 1
            yield from _key_lines(value, (*path, str(key.value)))
