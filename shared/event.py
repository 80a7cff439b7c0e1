"""Events: declared once as frozen dataclasses; their names, readers and marshmallow schemas are derived from that.

Reading has two doors with one room behind them. `read` takes bytes that a ledger wrote and hashed; `check` takes what
a stranger sent and names every fault in it. Both end in `_typed`, where old versions are upcast, so an event means the
same on whichever path it came.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeVar, dataclass_transform

import msgspec
import orjson
from marshmallow import Schema

from shared.errors import Invalid
from shared.schema import SAFE, schema_of

Data = dict[str, Any]
"""The `data` member of an envelope, as JSON values."""

E = TypeVar("E", bound="Event")
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Upcaster = Callable[[Data], Data]

_TYPES: dict[str, "type[Event]"] = {}
_UPCASTERS: dict[str, tuple[str, Upcaster]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact that has happened. Subclasses are the published language; see `shared.contracts`.

    `type` is `<service>.<event>.v<version>`; the service is the module's name, the event the class's in snake case.
    """

    type: ClassVar[str]
    event_name: ClassVar[str]
    schema: ClassVar[Schema]

    def __init_subclass__(cls, version: int = 1) -> None:
        dataclass(frozen=True, kw_only=True)(cls)
        cls.event_name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        cls.type = f"{cls.__module__.rpartition('.')[2]}.{cls.event_name}.v{version}"
        cls.schema = schema_of(cls)
        _TYPES[cls.type] = cls

    def faults(self) -> Iterator[tuple[str, str]]:
        """What the fields say against each other, as (field, what was expected)."""
        return iter(())

    def data(self) -> Data:
        """JSON values of the fields; those that are None are left out."""
        return {f.name: _plain(value) for f in fields(self) if (value := getattr(self, f.name)) is not None}


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One event in its envelope (CloudEvents 1.0 attributes, events.md); `time` and `recordedat` are aware."""

    id: str
    source: str
    type: str
    time: Moment
    recordedat: Moment
    facility: str
    event: Event
    subject: str = ""
    position: int = 0
    streamversion: int = 0
    actor: str = ""
    correlationid: str = ""
    causationid: str = ""
    prevhash: str = ""
    hash: str = ""
    simulated: bool = False


class _Wire(msgspec.Struct, kw_only=True):
    """An envelope whose data has not been looked at yet."""

    id: str
    source: str
    type: str
    time: Moment
    recordedat: Moment
    facility: str
    data: msgspec.Raw
    subject: str = ""
    position: int = 0
    streamversion: int = 0
    actor: str = ""
    correlationid: str = ""
    causationid: str = ""
    prevhash: str = ""
    hash: str = ""
    simulated: bool = False


_wire = msgspec.json.Decoder(_Wire)
_READERS: dict[str, msgspec.json.Decoder[Event]] = {}


def event_types() -> Mapping[str, type[Event]]:
    """Every event class by its type, of the modules imported so far (`shared.contracts` imports them all)."""
    return _TYPES


def upcast(old_type: str, new_type: str) -> Callable[[Upcaster], Upcaster]:
    """Register how `old_type`'s data becomes `new_type`'s; a chain of upcasters is followed to the newest."""

    def register(function: Upcaster) -> Upcaster:
        _UPCASTERS[old_type] = (new_type, function)
        return function

    return register


def _typed(type_: str, raw: bytes) -> Event:
    if type_ in _UPCASTERS:
        new_type, data = _next_version(type_, orjson.loads(raw))
        return _typed(new_type, orjson.dumps(data))
    reader = _READERS.get(type_)
    if reader is not None:
        return reader.decode(raw)
    if type_ not in _TYPES:
        raise Invalid({"type": [f"{type_!r} is no known event type and version"]})
    _READERS[type_] = msgspec.json.Decoder(_TYPES[type_])
    return _READERS[type_].decode(raw)


def _next_version(type_: str, data: Any) -> tuple[str, Data]:
    new_type, function = _UPCASTERS[type_]
    try:
        return new_type, function(data)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as fault:
        raise Invalid({"data": [f"cannot be read as {type_}: {fault!r}"]}) from fault


def read(body: bytes, hash_: str = "") -> Recorded:
    """Read canonical bytes that a ledger wrote; raises Invalid where they are no envelope or of an unknown type."""
    try:
        wire = _wire.decode(body)
        event = _typed(wire.type, bytes(wire.data))
    except msgspec.ValidationError as fault:
        raise Invalid({"event": [str(fault)]}) from fault
    except msgspec.DecodeError as fault:
        raise Invalid({"event": [f"malformed JSON: {fault}"]}) from fault
    return Recorded(
        id=wire.id,
        source=wire.source,
        type=wire.type,
        time=wire.time,
        recordedat=wire.recordedat,
        facility=wire.facility,
        event=event,
        subject=wire.subject,
        position=wire.position,
        streamversion=wire.streamversion,
        actor=wire.actor,
        correlationid=wire.correlationid,
        causationid=wire.causationid,
        prevhash=wire.prevhash,
        hash=hash_ or wire.hash,
        simulated=wire.simulated,
    )


def check(envelope: Any) -> Recorded:
    """Read what a stranger sent as an envelope; raises Invalid naming each fault by its path (`data.reason`)."""
    if not isinstance(envelope, dict):
        raise Invalid("an event is a JSON object")
    missing = {
        name: ["missing"]
        for name in ("id", "source", "type", "time", "recordedat", "facility", "data")
        if name not in envelope
    }
    if missing:
        raise Invalid(missing)
    type_, data = envelope["type"], envelope["data"]
    if not isinstance(type_, str):
        raise Invalid({"type": ["expected a string"]})
    while type_ in _UPCASTERS:
        type_, data = _next_version(type_, deepcopy(data))
    if type_ not in _TYPES:
        raise Invalid({"type": [f"{type_!r} is no known event type and version"]})
    check_data(_TYPES[type_], data, path="data")
    try:
        recorded = read(orjson.dumps(envelope))
    except TypeError as fault:
        raise Invalid({"event": [f"expected JSON values: {fault}"]}) from fault
    if recorded.source != f"/{type_.partition('.')[0]}":
        raise Invalid({"source": [f"expected /{type_.partition('.')[0]}, the service of {type_}"]})
    return recorded


def check_data(cls: type[E], data: Any, path: str = "") -> E:
    """Build an event of a class from JSON values; raises Invalid with a path for each fault."""
    prefix = f"{path}." if path else ""
    if not isinstance(data, dict):
        raise Invalid({path: ["expected an object"]})
    if errors := flat(cls.schema.validate(data), path):
        raise Invalid(errors)
    try:
        event = msgspec.convert(data, cls)
    except msgspec.ValidationError as fault:
        raise Invalid({path: [str(fault)]}) from fault
    if faults := {f"{prefix}{field}": [why] for field, why in event.faults()}:
        raise Invalid(faults)
    return event


def flat(errors: Mapping[Any, Any], path: str = "") -> dict[str, list[str]]:
    """Marshmallow's nested error messages as one level: `items[3].rrule` → messages."""
    found: dict[str, list[str]] = {}
    for key, value in errors.items():
        if isinstance(key, int):
            place = f"{path}[{key}]"
        elif key in ("_schema", "value"):
            place = path
        else:
            place = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping):
            found |= flat(value, place)
        else:
            found[place] = [str(message) for message in value]
    return found


def canonical(value: Data) -> bytes:
    """RFC 8785 (JCS) bytes of a JSON object whose member names are ASCII and whose numbers are safe integers.

    orjson sorts members by UTF-8 and escapes as JCS does; under these two conditions its bytes are JCS bytes. Raises
    TypeError for other numbers.
    """
    _refuse_inexact(value.values())
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _refuse_inexact(members: Iterable[Any]) -> None:
    for member in members:
        if isinstance(member, str):
            continue  # most are: asked first, since every append and every audit passes here
        if isinstance(member, float):
            raise TypeError("a float has no exact canonical form; use a decimal string")
        if isinstance(member, int) and not -SAFE <= member <= SAFE:
            raise TypeError("an integer beyond 2^53 has no exact canonical form; use a decimal string")
        if isinstance(member, dict):
            _refuse_inexact(member.values())
        elif isinstance(member, list):
            _refuse_inexact(member)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, ending in Z; refuses a naive time."""
    if moment.tzinfo is None:
        raise ValueError("a timestamp must be aware")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def written(moment: datetime) -> str:
    """RFC 3339 with the offset of its zone; in UTC where that has seconds, as local mean time had until 1901 or later."""
    offset = moment.utcoffset()
    return timestamp(moment) if offset and offset % timedelta(minutes=1) else moment.isoformat()


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return written(value)
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case tuple():
            return [_plain(member) for member in value]
        case dict():
            return {key: _plain(member) for key, member in value.items()}
        case _ if hasattr(value, "__dataclass_fields__"):
            return {f.name: _plain(member) for f in fields(value) if (member := getattr(value, f.name)) is not None}
        case _:
            return value
