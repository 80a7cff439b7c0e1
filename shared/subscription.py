"""From the broker to a handler: in order per facility, and with an effect exactly once.

A reader keeps, per source and facility, the position and hash that it has reached, and moves them in the transaction
that holds the effects: first the service's views take the event in, then its handlers decide. What the broker brings is only a hint that there is more: what is at or below the checkpoint is
dropped, a gap is read from the source's own ledger, and now and then the reader asks how far its sources are. An event
that cannot be applied parks its facility, with the reason, until it can.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from time import monotonic
from typing import Any, TypeVar

import orjson
import structlog
from kombu import Connection as Broker
from kombu import Consumer, Message, Queue
from nameko.extensions import Entrypoint, SharedExtension
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError

from shared import tracing
from shared.broker import declare_queues, partition_of
from shared.checkpoints import checkpoints
from shared.claims import Claims, part_of
from shared.config import setting
from shared.errors import Conflict, Unavailable
from shared.event import Event, Recorded, read
from shared.ledger import GENESIS, Ledger, chained, stripped
from shared.measures import COMPARED, EVENTS_APPLIED
from shared.provider import claims_of, ledger_of
from shared.rpc import Failed, caller
from shared.unit import Unit

log = structlog.get_logger()
Method = TypeVar("Method", bound=Callable[..., None])

BATCH = 200
"""How many events one transaction applies at most."""
ATTEMPTS = 10
"""How often a run is decided anew when commands change the same streams meanwhile."""
LINGER_SECONDS = 0.02
DEAL_SECONDS = 1.0
"""How often a replica looks which partitions are to be its own."""
RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class Arrived:
    """One event of a source's ledger as it was hashed there."""

    position: int
    body: bytes
    hash: str


@dataclass(frozen=True)
class Handler:
    """A method of the service, and the event classes that it takes; none means all.

    It decides once the views know the event, or `before` that.
    """

    method: Callable[[Unit, Recorded], None]
    kinds: tuple[type[Event], ...]
    before: bool = False

    def takes(self, event: Event) -> bool:
        """Whether the method is to be called for an event."""
        return not self.kinds or isinstance(event, self.kinds)


class _Overtaken(Exception):
    """Another replica moved the checkpoint."""


class _SetBack(Exception):
    """A source whose ledger ends before the checkpoint, or has another past: a backup of another day."""


class Reader:
    """Applies one source's events to one service's database."""

    def __init__(
        self, ledger: Ledger, source: str, handlers: Sequence[Handler], feed: Callable[..., list[str]]
    ) -> None:
        self.ledger = ledger
        self.source = source
        self.handlers = handlers
        self.feed = feed
        self._parked: dict[str, str] = {}
        self._left_at = ""
        """The facility at which reading on was broken off."""
        self._applied = EVENTS_APPLIED.labels(ledger.service, source)
        self._clashes: defaultdict[str, int] = defaultdict(int)
        self._names = {kind.event_name for handler in handlers for kind in handler.kinds}
        self._takes_all = any(not handler.kinds for handler in handlers)

    def receive(self, facility: str, offered: Iterable[Arrived]) -> None:
        """Apply whatever is new among the offered events and before them, or park the facility."""
        waiting = {arrived.position: arrived for arrived in offered}
        while True:
            position, hash_ = self._reached(facility)
            waiting = {at: arrived for at, arrived in waiting.items() if at > position}
            if not waiting:
                return
            run = self._run(facility, position, waiting)
            if not run or not self._apply(facility, position, hash_, run):
                return

    def catch_up(self, heads: dict[str, dict[str, Any]], seconds: float = inf) -> bool:
        """Read on where the source (`heads`: facility → {position, hash}) is ahead of the checkpoint.

        Returns whether that was done in so many seconds; the next time begins with what was left.
        """
        ends = monotonic() + seconds
        level = self._level_with(heads)
        for facility in sorted(heads.keys() - level, key=lambda name: (name <= self._left_at, name)):
            head = heads[facility]
            position, hash_ = self._reached(facility)
            if position >= head["position"] and hash_ != head["hash"]:
                self._must_still_be_there(facility, position, hash_)
            elif position == head["position"] and self._is_parked(facility):
                self._unpark(facility, position)
            while position < head["position"]:
                if monotonic() > ends:
                    self._left_at = facility
                    return False
                page = self._page(facility, position)
                self.receive(facility, page)
                before, (position, _) = position, self._reached(facility)
                if position == before:
                    break
        return True

    def _level_with(self, heads: dict[str, dict[str, Any]]) -> set[str]:
        """The facilities that are where their source is, and not parked: by one query, as there may be thousands."""
        here = select(checkpoints).where(checkpoints.c.source == self.source, checkpoints.c.parked.is_(None))
        there = {name: (head["position"], head["hash"]) for name, head in heads.items()}
        rows = self.ledger.database.rows(here)
        return {row.facility for row in rows if there.get(row.facility) == (row.position, row.hash)}

    def _must_still_be_there(self, facility: str, position: int, hash_: str) -> None:
        """Park a facility of which the source does not hold any more what was applied here: it was set back."""
        page = self._page(facility, position - 1)
        if not page or page[0].hash != hash_:
            self._park(facility, position, _SetBack(f"{self.source} no longer has the event that was applied before"))

    def _run(self, facility: str, position: int, waiting: dict[int, Arrived]) -> list[Arrived]:
        """The next events without a gap, at most BATCH; from the source's ledger where the broker left one."""
        if position + 1 not in waiting:
            return self._page(facility, position)
        run: list[Arrived] = []
        while (position := position + 1) in waiting and len(run) < BATCH:
            run.append(waiting[position])
        return run

    def _page(self, facility: str, after: int) -> list[Arrived]:
        """The next events from the source's ledger; a facility that the source itself cannot read is parked."""
        try:
            page = self.feed(facility=facility, after=after, limit=BATCH)
            return [Arrived(number, *stripped(whole.encode())) for number, whole in enumerate(page, start=after + 1)]
        except (Failed, ValueError) as fault:
            self._park(facility, after, fault)
            return []

    def _reached(self, facility: str) -> tuple[int, str]:
        rows = self.ledger.database.rows(
            select(checkpoints.c.position, checkpoints.c.hash).where(
                checkpoints.c.source == self.source, checkpoints.c.facility == facility
            )
        )
        return (rows[0].position, rows[0].hash) if rows else (0, GENESIS)

    def _apply(self, facility: str, position: int, hash_: str, run: Sequence[Arrived]) -> bool:
        """Apply a run in one transaction; if it fails, each event alone, parking at the one that cannot be applied."""
        try:
            with tracing.transaction(self.ledger.service, len(run)), self.ledger.database.write() as connection:
                self._move(connection, facility, position, run[-1])
                for arrived in run:
                    self._handle(connection, arrived, hash_)
                    hash_ = arrived.hash
        except _Overtaken:
            return True
        except Conflict as clash:  # a command was faster on the same stream; decide anew, but not for ever
            self._clashes[facility] += 1
            if self._clashes[facility] < ATTEMPTS:
                return True
            return self._apart(facility, position, hash_, run, clash)
        except (DBAPIError, Unavailable) as fault:
            # The database went away, or has no room: no fault of the event's, which is tried again.
            if getattr(fault, "connection_invalidated", False) or self.ledger.database.disk.fault is not None:
                raise
            return self._apart(facility, position, hash_, run, fault)
        except Exception as fault:  # noqa: BLE001  whatever a handler may raise is kept with the parked facility
            return self._apart(facility, position, hash_, run, fault)
        self.ledger.database.disk.found_room()
        self._parked.pop(facility, None)
        self._clashes.pop(facility, None)
        self._applied.inc(len(run))
        for wake in self.ledger.on_commit:
            wake()
        return True

    def _apart(self, facility: str, position: int, hash_: str, run: Sequence[Arrived], fault: Exception) -> bool:
        if len(run) == 1:
            self._park(facility, position, fault)
            return False
        _, hash_ = self._reached(facility)
        for number, arrived in enumerate(run):
            if not self._apply(facility, position + number, hash_, [arrived]):
                return False
            hash_ = arrived.hash
        return True

    def _move(self, connection: Connection, facility: str, position: int, last: Arrived) -> None:
        moved = connection.execute(
            update(checkpoints)
            .where(
                checkpoints.c.source == self.source,
                checkpoints.c.facility == facility,
                checkpoints.c.position == position,
            )
            .values(position=last.position, hash=last.hash, parked=None)
        )
        if moved.rowcount == 1:
            return
        if position != 0:
            raise _Overtaken
        added = connection.execute(
            text("INSERT INTO checkpoint VALUES (:source, :facility, :position, :hash, NULL) ON CONFLICT DO NOTHING"),
            {"source": self.source, "facility": facility, "position": last.position, "hash": last.hash},
        )
        if added.rowcount != 1:
            raise _Overtaken

    def _handle(self, connection: Connection, arrived: Arrived, prevhash: str) -> None:
        if chained(prevhash, arrived.body) != arrived.hash:
            raise ValueError(f"position {arrived.position}: the hash does not follow from the event before it")
        if not self._takes_all and orjson.loads(arrived.body)["type"].split(".")[1] not in self._names:
            return
        recorded = read(arrived.body, arrived.hash)
        tracing.applying(self.ledger.service, recorded)
        if self.ledger.clock.simulated:
            self.ledger.clock.advance(recorded.recordedat)
        concerned = [handler for handler in self.handlers if handler.takes(recorded.event)]
        for handler in concerned:
            if handler.before:
                self._react(connection, handler, recorded, arrived.body)
        # What the service recorded itself was folded when it was appended.
        if concerned and self.ledger.fold is not None and self.source != self.ledger.service:
            self.ledger.fold(connection, recorded)
        for handler in concerned:
            if not handler.before:
                self._react(connection, handler, recorded, arrived.body)

    def _react(self, connection: Connection, handler: Handler, recorded: Recorded, body: bytes) -> None:
        unit = Unit(
            self.ledger,
            recorded.facility,
            actor=f"service:{self.ledger.service}",
            correlation_id=recorded.correlationid,
            causation_id=recorded.id,
            connection=connection,
            cause=body,
        )
        with structlog.contextvars.bound_contextvars(correlation_id=recorded.correlationid):
            handler.method(unit, recorded)
        entry = unit.entry()
        if entry.drafts:
            self.ledger.append_within(connection, entry)

    def _is_parked(self, facility: str) -> bool:
        here = (checkpoints.c.source == self.source) & (checkpoints.c.facility == facility)
        return bool(
            self.ledger.database.rows(select(checkpoints.c.parked).where(here, checkpoints.c.parked.is_not(None)))
        )

    def _unpark(self, facility: str, position: int) -> None:
        """Forget why a facility was parked that has nothing left to be applied: its source was set right again."""
        here = (checkpoints.c.source == self.source) & (checkpoints.c.facility == facility)
        with self.ledger.database.write() as connection:
            connection.execute(update(checkpoints).where(here, checkpoints.c.position == position).values(parked=None))
        self._parked.pop(facility, None)

    def _park(self, facility: str, before: int, fault: Exception) -> None:
        """Say in the checkpoint why the event after position `before` is not applied, unless another replica did it."""
        reason = f"position {before + 1}: {type(fault).__name__}: {fault}"
        if reason == self._parked.get(facility):
            return
        log.error("facility parked", source=self.source, facility=facility, reason=reason)
        with self.ledger.database.write() as connection:
            connection.execute(
                text("INSERT INTO checkpoint VALUES (:source, :facility, 0, :hash, NULL) ON CONFLICT DO NOTHING"),
                {"source": self.source, "facility": facility, "hash": GENESIS},
            )
            connection.execute(
                update(checkpoints)
                .where(
                    checkpoints.c.source == self.source,
                    checkpoints.c.facility == facility,
                    checkpoints.c.position == before,
                )
                .values(parked=reason)
            )
        self._parked[facility] = reason


class Feed(SharedExtension):
    """The one consumer of a source within a service; its handlers are the service's `@subscribe` methods."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.registered: list[tuple[str, tuple[type[Event], ...], bool]] = []

    @property
    def sharing_key(self) -> tuple[type, str]:
        """One consumer per source."""
        return type(self), self.source

    def register(self, method_name: str, kinds: tuple[type[Event], ...], *, before: bool) -> None:
        """Take a method in."""
        self.registered.append((method_name, kinds, before))

    def start(self) -> None:
        """Begin to consume."""
        self._running = self.container.spawn_managed_thread(self._forever, identifier=f"feed of {self.source}")

    def stop(self) -> None:
        """Consume no more; what is not applied yet is after the next start."""
        self._running.kill()

    def _reader(self, feed: Callable[..., list[str]]) -> Reader:
        ledger = ledger_of(self.container)
        service = self.container.service_cls()
        service.ledger = ledger
        handlers = [Handler(getattr(service, name), kinds, before) for name, kinds, before in self.registered]
        return Reader(ledger, self.source, handlers, feed)

    def _forever(self) -> None:
        config = self.container.config
        pause = threading.Event()
        while True:
            try:
                with caller(config) as call, Broker(config["AMQP_URI"], connect_timeout=5, heartbeat=30) as broker:
                    self._consume(broker, self._reader(partial(call, self.source, "read_ledger")), call)
            except Exception as fault:  # noqa: BLE001  broker, database or source is away; the checkpoint stands
                log.warning("subscription interrupted", source=self.source, fault=repr(fault))
            pause.wait(RETRY_SECONDS)

    def _consume(self, broker: Broker, reader: Reader, call: Callable[..., Any]) -> None:
        config = self.container.config
        partitions = setting(config, "PARTITIONS")
        messages: list[Message] = []
        due_at = 0.0
        queues = declare_queues(broker, self.source, reader.ledger.service, partitions)
        with (
            Consumer(broker.channel(), on_message=messages.append, prefetch_count=2 * BATCH) as consumer,
            _dealt(claims_of(self.container), f"partition of {self.source}", consumer, queues) as hand,
        ):
            while True:
                if hand.deal():
                    due_at = 0.0
                if monotonic() >= due_at:
                    due_at = monotonic() + self._catch_up(reader, call, hand)
                _drain(broker, messages, min(1.0, max(0.001, due_at - monotonic())))
                for facility, offered in _by_facility(messages).items():
                    if hand.is_due():  # others may wait for a share: what is left is read from the source
                        due_at = 0.0
                        break
                    if not hand.has(facility):  # whoever has it now began by reading on
                        continue
                    try:
                        reader.receive(facility, offered)
                    except Unavailable:  # a gap, and the source is away: the other facilities need not wait for it
                        due_at = min(due_at, monotonic() + RETRY_SECONDS)
                for message in messages:
                    message.ack()
                messages.clear()
                if broker.supports_heartbeats:
                    broker.heartbeat_check()

    def _catch_up(self, reader: Reader, call: Callable[..., Any], hand: "_Hand") -> float:
        """Read on where the source is ahead; returns after how many seconds to look again."""
        try:
            heads = call(self.source, "heads")
            ours = {facility: head for facility, head in heads.items() if hand.has(facility)}
            if not reader.catch_up(ours, DEAL_SECONDS):
                return 0.0
        except Unavailable:
            log.info("source not there yet", source=self.source, service=reader.ledger.service)
            return RETRY_SECONDS
        COMPARED.labels(reader.ledger.service, self.source).set_to_current_time()
        return float(setting(self.container.config, "CATCH_UP_SECONDS"))


class _Hand:
    """The partitions of a source that this replica consumes: as many as are dealt to it."""

    def __init__(self, claims: Claims, what: str, consumer: Consumer, queues: Sequence[Queue]) -> None:
        self._claims = claims
        self._what = what
        self._consumer = consumer
        self._queues = queues
        self._held: frozenset[int] = frozenset()
        self._deal_at = 0.0

    def has(self, facility: str) -> bool:
        """Whether a facility is ours to follow."""
        return partition_of(facility, len(self._queues)) in self._held

    def is_due(self) -> bool:
        """Whether it is time to deal anew."""
        return monotonic() >= self._deal_at

    def deal(self) -> bool:
        """Now and then begin to consume what is to be ours, and end what is not; whether anything came in."""
        if not self.is_due():
            return False
        self._deal_at = monotonic() + DEAL_SECONDS
        before, self._held = self._held, self._claims.share(self._what, len(self._queues))
        for number in before - self._held:
            self._consumer.cancel_by_queue(self._queues[number].name)
            self._claims.leave(part_of(self._what, number))
        for number in sorted(self._held - before):
            self._consumer.add_queue(self._queues[number])
        self._consumer.consume()
        return bool(self._held - before)


@contextmanager
def _dealt(claims: Claims, what: str, consumer: Consumer, queues: Sequence[Queue]) -> Iterator[_Hand]:
    try:
        yield _Hand(claims, what, consumer, queues)
    finally:
        claims.give_up(what, len(queues))


class Subscription(Entrypoint):
    """Marks a method `(do: Unit, recorded: Recorded)` that follows another service's events.

    A method without a body only says that the views fold these events.
    """

    def __init__(self, source: str, *kinds: type[Event], before: bool = False) -> None:
        super().__init__()
        self.kinds = kinds
        self.before = before
        self.feed = Feed(source)

    def setup(self) -> None:
        """Hand the method to the feed."""
        self.feed.register(self.method_name, self.kinds, before=self.before)

    def stop(self) -> None:
        """Stop the feed while the database is still open."""
        self.feed.stop()


subscribe = Subscription.decorator
"""`@subscribe("work_orders", WorkPerformed)`: handle these events of that service; without classes, all of them.

With `before=True` the method decides by what the views knew before the event.
"""


def _drain(broker: Broker, messages: list[Message], patience: float) -> None:
    """Wait some seconds for a message, then a moment for more that one transaction can hold."""
    with suppress(TimeoutError):
        broker.drain_events(timeout=patience)
        until = monotonic() + LINGER_SECONDS
        while len(messages) < BATCH and (left := until - monotonic()) > 0:
            broker.drain_events(timeout=left)


def _by_facility(messages: Sequence[Message]) -> dict[str, list[Arrived]]:
    offered: defaultdict[str, list[Arrived]] = defaultdict(list)
    for message in messages:
        whole = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        try:
            offered[str(message.headers["facility"])].append(
                Arrived(int(message.headers["position"]), *stripped(whole))
            )
        except (KeyError, TypeError, ValueError) as fault:
            log.error("a message that is no event was dropped", fault=repr(fault), size=len(whole))
    return offered
