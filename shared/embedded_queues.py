"""The queues of the embedded broker: exchanges that route, queues that keep order, consumers that wait their turn."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import heappop, heappush
from itertools import count
from math import inf
from time import monotonic
from typing import Any, Protocol

import eventlet
from amqp.exceptions import NotFound

PUBLISHES_PER_TURN = 64


class Connected(Protocol):
    """One client of the broker."""

    def wake(self) -> None:
        """There may be a message for one of its consumers."""

    def close(self) -> None:
        """Its connection is broken."""


@dataclass(slots=True)
class Parcel:
    """A message in a queue; `place` is its rank there, which it keeps when it comes back."""

    place: int
    message: dict[str, Any]
    expires: float
    redelivered: bool = False


@dataclass(slots=True, eq=False)
class Consumer:
    """Somebody who wants a queue's messages, at most `prefetch` unacknowledged ones at a time (0: no limit)."""

    tag: str
    queue: "Queue"
    client: Connected
    receive: Callable[["Consumer", Parcel], None]
    prefetch: int
    unacknowledged: int = 0

    def may_take(self) -> bool:
        """Whether its prefetch count and its place among the queue's consumers allow another message."""
        if self.queue.single_active and self.queue.consumers[0] is not self:
            return False
        return not self.prefetch or self.unacknowledged < self.prefetch


@dataclass(slots=True, eq=False)
class Queue:
    """Messages in the order of their publishing; with `single_active`, only the first consumer gets any."""

    name: str
    auto_delete: bool = False
    single_active: bool = False
    unused_for: float = inf
    consumers: list[Consumer] = field(default_factory=list)
    last_used: float = field(default_factory=monotonic)
    _ready: list[tuple[int, Parcel]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._ready)

    def put(self, parcel: Parcel) -> None:
        """Add a parcel at its place and wake who may want it."""
        heappush(self._ready, (parcel.place, parcel))
        for consumer in self.consumers:
            consumer.client.wake()

    def take(self) -> Parcel | None:
        """Remove the first parcel that has not expired, if there is one."""
        while self._ready:
            _, parcel = heappop(self._ready)
            if parcel.expires > monotonic():
                return parcel
        return None

    def purge(self) -> int:
        """Drop all; returns how many."""
        purged = len(self._ready)
        self._ready.clear()
        return purged

    def is_forgotten(self) -> bool:
        """Whether nobody has consumed from it for its `x-expires`."""
        return not self.consumers and monotonic() - self.last_used > self.unused_for


@dataclass(frozen=True, slots=True)
class Binding:
    """One line of an exchange's routing table."""

    destination: str
    to_exchange: bool
    key: str
    arguments: tuple[tuple[str, Any], ...]

    def admits(self, kind: str, routing_key: str, headers: Mapping[str, Any]) -> bool:
        """Whether a message goes this way, from an exchange of that kind."""
        match kind:
            case "fanout":
                return True
            case "headers":
                wanted = [headers.get(name) == value for name, value in self.arguments if not name.startswith("x-")]
                return any(wanted) if ("x-match", "any") in self.arguments else all(wanted)
            case "topic":
                return _topic_matches(self.key, routing_key)
            case _:
                return self.key == routing_key


@dataclass(slots=True)
class Exchange:
    """A routing table of one kind: direct, topic, fanout or headers."""

    kind: str
    bindings: dict[Binding, None] = field(default_factory=dict)


@lru_cache(maxsize=4096)
def _topic_matches(pattern: str, routing_key: str) -> bool:
    return _words_match(tuple(pattern.split(".")), tuple(routing_key.split(".")))


def _words_match(pattern: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """AMQP 0-9-1, 3.1.3.3: `*` stands for one word, `#` for any number of them."""
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_words_match(pattern[1:], words[skipped:]) for skipped in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _words_match(pattern[1:], words[1:])


class Broker:
    """Exchanges, queues and who is connected, by one name."""

    def __init__(self) -> None:
        self.exchanges: dict[str, Exchange] = {}
        self.queues: dict[str, Queue] = {}
        self.clients: set[Connected] = set()
        self._places = count(1)

    def reset(self) -> None:
        """Lose everything and break all connections."""
        self.exchanges.clear()
        self.queues.clear()
        for client in tuple(self.clients):
            client.close()

    def exchange(self, name: str) -> Exchange:
        """The exchange of that name; raises NotFound."""
        if name not in self.exchanges:
            raise NotFound(f"no exchange {name!r}")
        return self.exchanges[name]

    def queue(self, name: str) -> Queue:
        """The queue of that name; raises NotFound."""
        if name not in self.queues:
            raise NotFound(f"no queue {name!r}")
        return self.queues[name]

    def publish(self, exchange: str, routing_key: str, message: dict[str, Any]) -> bool:
        """Put a message into every queue that it is routed to; false if there was none."""
        names = set(self._route(exchange, routing_key, message["headers"]))
        expiration = message["properties"].get("expiration")
        expires = inf if expiration is None else monotonic() + int(expiration) / 1000
        place = next(self._places)
        for name in names:
            self.queues[name].put(Parcel(place, message, expires))
        if place % PUBLISHES_PER_TURN == 0:
            eventlet.sleep(0)  # a socket would have let others run, too
        return bool(names)

    def _route(self, exchange: str, routing_key: str, headers: Mapping[str, Any]) -> Iterator[str]:
        if not exchange:
            yield from {routing_key} & self.queues.keys()
            return
        found = self.exchange(exchange)
        for binding in found.bindings:
            if binding.admits(found.kind, routing_key, headers):
                if binding.to_exchange:
                    yield from self._route(binding.destination, routing_key, headers)
                else:
                    yield binding.destination

    def leave(self, consumer: Consumer) -> None:
        """Take a consumer off its queue, which goes with its last one if it was declared so."""
        queue = consumer.queue
        queue.consumers.remove(consumer)
        queue.last_used = monotonic()
        if queue.auto_delete and not queue.consumers:
            self.drop(queue.name)
        for successor in queue.consumers[:1]:
            successor.client.wake()

    def drop(self, queue: str) -> None:
        """Delete a queue and the bindings to it."""
        self.queues.pop(queue, None)
        for exchange in self.exchanges.values():
            for binding in [b for b in exchange.bindings if b.destination == queue and not b.to_exchange]:
                del exchange.bindings[binding]

    def drop_forgotten(self) -> None:
        """Delete the queues whose `x-expires` has passed, such as the reply queues of callers that are gone."""
        for name in [queue.name for queue in self.queues.values() if queue.is_forgotten()]:
            self.drop(name)
