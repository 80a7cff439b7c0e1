"""What breaks between two contracts, told by the field and by the consumers that can no longer read it.

All is said by one comparison of a reader's schema with a writer's. What is published now must give what was released,
since others read it; what was released must give what is read now, since it lies in the ledgers for ever.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consumers import Consumer
from kinds import ENVELOPE, bare_type, may_be_null

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Break:
    """One thing that somebody cannot read any more; `path` is empty where it is the whole event."""

    type: str
    path: str
    why: str
    consumers: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f"{self.type} {self.path}".strip()
        whom = ", ".join(self.consumers) or "no consumer of ours, but others may read it"
        return f"{place}: {self.why}; breaks {whom}"


def since_release(
    released: Mapping[str, Schema], present: Mapping[str, Schema], consumers: Sequence[Consumer]
) -> Iterator[Break]:
    """What the present contract no longer gives to those who read the released one, or to replays of what was recorded."""
    for type_, before in sorted(released.items()):
        now = present.get(type_)
        if now is None:
            yield Break(type_, "", "is gone", _who_reads(consumers, type_))
            continue
        for path, why in unreadable(reader=before, writer=now, gone=True):
            yield Break(type_, path, why, _who_reads(consumers, type_, path))
        for path, why in unreadable(reader=now, writer=before):
            yield Break(type_, path, f"as it was released, {why}", ("every replay of what was recorded",))


def unmet(present: Mapping[str, Schema], consumers: Iterable[Consumer]) -> Iterator[Break]:
    """What consumers need of the present contract and it does not promise."""
    for consumer in consumers:
        for type_, need in sorted({**consumer.needs, "envelope": ENVELOPE}.items()):
            if type_ not in present:
                yield Break(type_, "", "is gone", (consumer.name,))
                continue
            for path, why in unreadable(reader=need, writer=present[type_], gone=True):
                yield Break(type_, path, why, (consumer.name,))


def unreadable(reader: Schema, writer: Schema, path: str = "", *, gone: bool = False) -> Iterator[tuple[str, str]]:
    """What a reader cannot make of what a writer writes, as (path, why); `gone` also tells of what is never written."""
    if bare_type(reader) != bare_type(writer):
        yield path, f"is {bare_type(writer)} instead of {bare_type(reader)}"
        return
    if may_be_null(writer) and not may_be_null(reader):
        yield path, "may be null"
    yield from ((path, why) for why in _other_values(reader, writer))
    for name, kind in reader.get("properties", {}).items():
        here = f"{path}.{name}".lstrip(".")
        written = writer.get("properties", {})
        if name not in written:
            if gone or name in reader.get("required", ()):
                yield here, "is gone" if gone else "is missing"
            continue
        if name in reader.get("required", ()) and name not in writer.get("required", ()):
            yield here, "may be missing"
        yield from unreadable(kind, written[name], here, gone=gone)
    for part, mark in (("items", "[]"), ("additionalProperties", ".*")):
        if part in reader and part in writer:
            yield from unreadable(reader[part], writer[part], f"{path}{mark}", gone=gone)


def _other_values(reader: Schema, writer: Schema) -> Iterator[str]:
    """Values that are written and cannot be read."""
    written = [word for word in writer.get("enum", [writer.get("const")]) if word is not None]
    if "enum" in reader:
        strange = sorted(set(written) - set(reader["enum"]))
        if not written or strange:
            yield f"may be {', '.join(strange) or 'any ' + str(bare_type(writer))}, not only {_words(reader['enum'])}"
    elif "const" in reader and written != [reader["const"]]:
        yield f"may be other than {reader['const']}"
    elif "pattern" in reader:
        unlike = [word for word in written if not re.search(reader["pattern"], word)]
        if unlike or (not written and writer.get("pattern") != reader["pattern"]):
            yield f"may be other than {reader['pattern']}"
    for name, worse in (("minimum", min), ("maximum", max)):
        if name in reader and (name not in writer or worse(writer[name], reader[name]) != reader[name]):
            yield f"may be beyond the {name} {reader[name]}"


def _words(enum: Sequence[str | None]) -> str:
    return ", ".join(word for word in enum if word is not None)


def _who_reads(consumers: Sequence[Consumer], type_: str, path: str = "") -> tuple[str, ...]:
    """The consumers that read a field, or something within it; of a whole event also those that keep it as it came."""
    if type_ == "envelope":
        return tuple(one.name for one in consumers if path.partition(".")[0] in ENVELOPE["properties"])
    return tuple(
        one.name
        for one in consumers
        if any(read == path or read.startswith((f"{path}.", f"{path}[]")) or not path for read in paths_of(one, type_))
        or (not path and type_.partition(".")[0] in one.follows_all_of)
    )


def paths_of(consumer: Consumer, type_: str) -> list[str]:
    """The fields that a consumer reads of an event, those within others by their path: `points[].point_id`."""
    return list(leaves(consumer.needs[type_])) if type_ in consumer.needs else []


def leaves(schema: Schema, path: str = "") -> Iterator[str]:
    """The paths of all values that are no objects or lists themselves; a dictionary's keys are `*`."""
    if "properties" in schema:
        for name, kind in schema["properties"].items():
            yield from leaves(kind, f"{path}.{name}".lstrip("."))
    elif "items" in schema:
        yield from leaves(schema["items"], f"{path}[]")
    else:
        yield path
