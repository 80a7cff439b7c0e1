"""Watches which fields of which events a consumer's own code really reads, while it folds, handles and judges them."""

from collections import UserDict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass
from typing import Any
from unittest.mock import patch

from compatibility import paths_of
from consumers import Consumer

from shared import event
from shared.catalogue.documents import published_types
from shared.event import Data, Event


class Watch:
    """The paths read so far, as (event type, path)."""

    def __init__(self) -> None:
        self.read: set[tuple[str, str]] = set()
        self._within: dict[int, tuple[Any, str, str]] = {}
        self._idle = False

    def note(self, owner: Any, name: str, value: Any) -> None:
        """A field of an event, or of something within one, was read."""
        if self._idle or name not in _names(type(owner)):
            return
        if isinstance(owner, Event):
            type_, path = owner.type, name
        elif id(owner) in self._within:
            _, type_, prefix = self._within[id(owner)]
            path = f"{prefix}.{name}"
        else:
            return
        held = value if isinstance(value, tuple) else [value]
        inner = [member for member in held if is_dataclass(member)]
        path += "[]" if isinstance(value, tuple) else ""
        for member in inner:
            self._within[id(member)] = member, type_, path
        if not inner:
            self.read.add((type_, path))

    def data(self, event: Event, whole: Data) -> Mapping[str, Any]:
        """The JSON values of an event as a mapping that tells which of them are taken."""
        return whole if self._idle else _Taken(self, event, whole)

    @contextmanager
    def idle(self) -> Iterator[None]:
        """What is read meanwhile is not noted."""
        before, self._idle = self._idle, True
        yield
        self._idle = before

    def unsaid(self, consumer: Consumer) -> set[tuple[str, str]]:
        """What was read of others' events, and of own ones that rules read, and is not among the consumer's needs."""
        return {
            (type_, path)
            for type_, path in self.read
            if type_.partition(".")[0] in consumer.sources
            and not any(
                said == path or said.startswith((f"{path}.", f"{path}[]")) for said in paths_of(consumer, type_)
            )
        }

    def unread(self, consumer: Consumer) -> set[tuple[str, str]]:
        """What is among the consumer's needs and was not read."""
        return {
            (type_, said)
            for type_ in consumer.needs
            for said in paths_of(consumer, type_)
            if not any(
                of == type_ and (said == path or said.startswith((f"{path}.", f"{path}[]"))) for of, path in self.read
            )
        }


class _Taken(UserDict[str, Any]):
    def __init__(self, watch: Watch, event: Event, whole: Data) -> None:
        super().__init__(whole)
        self._watch, self._event = watch, event

    def __getitem__(self, name: str) -> Any:
        self._watch.note(self._event, name, getattr(self._event, name))
        return super().__getitem__(name)


@contextmanager
def watching(service: str) -> Iterator[Watch]:
    """Watch every event class, and what lies within events; a service's own events are written down as they are."""
    watch = Watch()
    original, decode = Event.data, event._typed

    def data(told: Event) -> Mapping[str, Any]:
        with watch.idle():
            whole = original(told)
        return whole if told.type.startswith(f"{service}.") else watch.data(told, whole)

    def spy(owner: Any, name: str) -> Any:
        value = object.__getattribute__(owner, name)
        for read, found in value.items() if name == "__dict__" else [(name, value)]:  # vars() takes them all
            watch.note(owner, read, found)
        return value

    def typed(type_: str, raw: bytes) -> Event:
        with watch.idle():  # msgspec looks at what it has made
            return decode(type_, raw)

    with ExitStack() as stack:
        stack.enter_context(patch.object(Event, "data", data))
        stack.enter_context(patch.object(event, "_typed", typed))
        for cls in _classes():
            stack.enter_context(patch.object(cls, "__getattribute__", spy))
        yield watch


def _classes() -> set[type]:
    modules = {event.__module__ for event in published_types().values()}
    subclasses = {cls for cls in object.__subclasses__() if is_dataclass(cls) and cls.__module__ in modules}
    return {*published_types().values(), *subclasses}


def _names(cls: type) -> set[str]:
    return {one.name for one in fields(cls)}
