"""CloudEvents 1.0 over HTTP, read strictly: one event (structured or binary) or a batch, in JSON.

The SDK says what an attribute may be; what it would make up (an id, a version, a time) or let through is refused here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import orjson
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.v1.event import CloudEvent

from services.integration.inbound.mapping import Envelope
from services.integration.inbound.mapping_file import SOURCE
from shared.errors import Invalid, Malformed, Unsupported

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
MOST_EVENTS = 1000
"""How many events a batch may have."""
MOST_DEPTH = 32
"""How deep the data of an event may be nested."""
LONGEST = {"id": 200, "source": 200, "type": 200}
"""In characters."""

_JSON = re.compile(r"application/([a-z0-9.!#$&^_-]+\+)?json", re.IGNORECASE)
_MOMENT = re.compile(r"(19|2\d)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}", re.ASCII)
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\ufffe\uffff]")
"""What no attribute may hold (CloudEvents 1.0.2, type system)."""

Faults = Mapping[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One event as it was sent: an envelope in order, or what is wrong with it; `sent` is what can be told of it."""

    sent: Mapping[str, Any]
    envelope: Envelope
    faults: Faults

    @property
    def content(self) -> bytes:
        """The bytes under whose hash it is kept: the same event gives the same, in whichever way it was sent."""
        return orjson.dumps(self.envelope, option=orjson.OPT_SORT_KEYS)


def read_request(headers: Mapping[str, str], body: bytes) -> tuple[bool, list[Item]]:
    """Whether it is a batch, and its events in their order.

    Raises Unsupported where it is of another media type, Malformed where it is no JSON, Invalid where it is no event or
    no list of 1 to MOST_EVENTS events. What is wrong with one event is told with it.
    """
    told = {name.lower(): value for name, value in headers.items()}
    mimetype, _, parameters = told.get("content-type", "").partition(";")
    mimetype = mimetype.strip().lower()
    if "charset=" in (said := parameters.replace(" ", "").lower()) and "charset=utf-8" not in said.replace('"', ""):
        raise Unsupported("the body must be in UTF-8")
    if mimetype == BATCH:
        return True, [item(one) for one in _many(_json(body))]
    if mimetype == STRUCTURED:
        return False, [item(_json(body))]
    if "ce-id" in told or "ce-specversion" in told or "ce-type" in told or "ce-source" in told:
        if not _JSON.fullmatch(mimetype):
            raise Unsupported("the data of an event must be JSON (Content-Type: application/json)")
        return False, [item({**_attributes(told), "datacontenttype": mimetype, "data": _json(body)})]
    raise Unsupported(f"the body must be {STRUCTURED} or {BATCH}, or JSON with the attributes as headers ce-…")


def item(sent: Any) -> Item:
    """An event from its JSON, with every fault named."""
    if not isinstance(sent, dict):
        return Item(sent={}, envelope={}, faults={"": ["expected a JSON object"]})
    envelope = {name: value for name, value in sent.items() if value is not None or name == "data"}
    kind = envelope.get("datacontenttype", "application/json")
    envelope["datacontenttype"] = kind.partition(";")[0].strip().lower() if isinstance(kind, str) else kind
    told: dict[str, list[str]] = {}
    for name, why in _faults(envelope):
        if why not in told.setdefault(name, []):
            told[name].append(why)
    return Item(sent=sent, envelope=envelope, faults=told)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise Malformed(f"malformed JSON at line {fault.lineno}, column {fault.colno}: {fault.msg}") from fault


def _many(batch: Any) -> list[Any]:
    if not isinstance(batch, list) or not 1 <= len(batch) <= MOST_EVENTS:
        found = f", found {len(batch)}" if isinstance(batch, list) else ""
        raise Invalid(f"expected a list of 1 to {MOST_EVENTS} events{found}")
    return batch


def _attributes(headers: Mapping[str, str]) -> dict[str, str]:
    """The attributes in headers, percent-decoded (HTTP protocol binding 1.0.2, 3.1.3.2)."""
    return {name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")}


def _faults(envelope: Envelope) -> Iterator[tuple[str, str]]:
    for name in ("specversion", "id", "source", "type"):
        if name not in envelope:
            yield name, "missing"
    for name, value in envelope.items():
        if name not in ("data", "data_base64"):
            yield from ((name, why) for why in _attribute_faults(name, value))
    if "data_base64" in envelope:
        yield "data_base64", "expected data as JSON, under data"
    elif not isinstance(envelope.get("data"), dict):
        yield "data", "expected an object"
    elif _depth(envelope["data"]) > MOST_DEPTH:
        yield "data", f"expected no more than {MOST_DEPTH} levels"
    if not _JSON.fullmatch(str(envelope["datacontenttype"])):
        yield "datacontenttype", "expected application/json"
    yield from _said_by_the_sdk(envelope)


def _attribute_faults(name: str, value: Any) -> Iterator[str]:
    if not _ATTRIBUTE.fullmatch(name):
        yield "expected a name of at most 20 lower-case letters and digits"
    if not isinstance(value, str | bool | int):
        yield "expected a string, a whole number, true or false"
    elif isinstance(value, str) and _CONTROL.search(value):
        yield "expected text without control characters"
    if isinstance(value, str) and len(value) > LONGEST.get(name, 2000):
        yield f"expected at most {LONGEST.get(name, 2000)} characters"
    if name == "source" and isinstance(value, str) and value and not SOURCE.fullmatch(value):
        yield "expected a URI reference (RFC 3986)"
    if name == "time" and _moment(value) is None:
        yield "expected a timestamp with offset (RFC 3339)"


def _said_by_the_sdk(envelope: Envelope) -> Iterator[tuple[str, str]]:
    """What the SDK finds wrong with the values of the attributes that CloudEvents itself names."""
    known = {name: value for name, value in envelope.items() if _ATTRIBUTE.fullmatch(name) and name != "data"}
    known["time"] = _moment(envelope.get("time")) or datetime.fromisoformat("2000-01-01T00:00:00Z")
    try:
        CloudEvent({"id": "-", "source": "-", "type": "-", "specversion": "1.0", **known})
    except CloudEventValidationError as fault:
        for name in fault.errors:
            yield name, {"specversion": 'expected "1.0"'}.get(name, "expected text that is not empty")


def time_of(envelope: Envelope) -> datetime | None:
    """When the event happened, as it says; None where it does not."""
    return _moment(envelope.get("time"))


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and _MOMENT.fullmatch(value) else None
    except ValueError:
        return None


def _depth(value: Any) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        deepest = max(deepest, depth)
        if depth > MOST_DEPTH:
            return depth
        members = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        waiting += [(member, depth + 1) for member in members]
    return deepest
