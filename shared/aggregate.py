"""Aggregates: they decide by their own past, record what they decided, and fold it; nothing here knows of storage."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Self

from shared.event import Event


class Aggregate:
    """One thing with a life of its own: a stream of events, and the state that its decisions need.

    `category` is the first half of the stream's name (`work-order/wo-1`); `version` counts the events on record.
    """

    category: ClassVar[str]

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.version = 0
        self.new_events: list[tuple[Event, datetime]] = []

    @property
    def exists(self) -> bool:
        """Whether anything was ever recorded, or is about to be."""
        return bool(self.version or self.new_events)

    @property
    def stream(self) -> str:
        """The stream's name."""
        return f"{self.category}/{self.id}"

    @classmethod
    def replay(cls, id_: str, events: Iterable[Event]) -> Self:
        """The aggregate as its past events made it."""
        aggregate = cls(id_)
        for event in events:
            aggregate.apply(event)
            aggregate.version += 1
        return aggregate

    def record(self, event: Event, at: datetime) -> None:
        """Decide: the event happened `at` (business time, aware), and is folded at once."""
        self.new_events.append((event, at))
        self.apply(event)

    def apply(self, event: Event) -> None:
        """Fold one event into the state; never refuse it."""
        raise NotImplementedError
