"""From the ledger to the broker: every event above `published`, in order per facility, with pipelined confirms.

The broker is only the fast way; a reader that got nothing reads on from the ledger itself. So a crash between
publishing and moving the cursor repeats messages, and nothing more.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile
from time import monotonic
from typing import Any

import structlog
from kombu import Connection
from nameko.extensions import Extension
from sqlalchemy import Row, select, text

from shared.broker import PERSISTENT, events_of, note_stream_is_whole, partition_of, stream_is_whole, stream_of
from shared.claims import Claims
from shared.config import FED, setting
from shared.ledger import Ledger, envelope, events, heads

log = structlog.get_logger()

WINDOW = 500
"""How many messages may be on their way without the broker's confirm."""
PAGE = 1000
CONFIRM_SECONDS = 30
SAVE_SECONDS = 1.0
"""How seldom a busy relay saves its cursors; a crash repeats what it published since."""
RETRY_SECONDS = 1.0
TASK = "relay"


class Publisher:
    """Publishes pages of one service's ledger over one broker connection."""

    def __init__(self, ledger: Ledger, connection: Connection, partitions: int) -> None:
        self.ledger = ledger
        self.partitions = partitions
        self.connection = connection
        self.channel = connection.channel()
        self.exchange = events_of(ledger.service)(self.channel)
        self.exchange.declare()
        self.refused = False
        self.tag = 0
        self.unconfirmed: dict[int, None] = {}
        self._reached: dict[str, tuple[int, str]] = {}
        """Position and hash of what was published last, by facility."""
        self._saved: dict[str, tuple[int, str]] = {}
        self.channel.confirm_select()
        self.channel.events["basic_ack"].add(self._on_ack)
        self.channel.events["basic_nack"].add(self._on_nack)

    def publish_pending(self, *, save: bool = True) -> int:
        """Publish what is above the cursors, page by page; returns how many events.

        Without `save` the cursors in the database stay behind until `save_cursors`; a crash then repeats more.
        """
        count, sent = 0, dict[str, tuple[int, str]]()
        for behind in self._behind():
            facility = behind.facility
            after = max(behind.published, self._reached.get(facility, (0, ""))[0])
            while after < behind.position:
                page = self._page(facility, after)
                for row in page:
                    self._publish(facility, row, self.exchange.name, row.type.split(".")[1])
                after = page[-1].position
                sent[facility] = after, page[-1].hash
                count += len(page)
        # Once for all facilities, or a confirm would be waited for in each.
        self._await_confirms(0)
        self._reached |= sent
        if save:
            self.save_cursors()
        return count

    def keep_stream(self) -> int:
        """See to it that the service's stream holds all that was ever published; returns how many events were lacking.

        A stream that is new, or was left half filled, is filled from the ledger up to the cursors, without anybody else
        hearing of it; what is published above them goes there by the exchange.
        """
        service, count = self.ledger.service, 0
        if stream_is_whole(self.connection, service):
            return 0
        stream = stream_of(service)(self.channel)
        stream.delete()
        stream.declare()
        for head in self.ledger.database.rows(select(heads.c.facility, heads.c.published).order_by(heads.c.facility)):
            after = 0
            while after < head.published:
                page = [row for row in self._page(head.facility, after) if row.position <= head.published]
                for row in page:
                    self._publish(head.facility, row, "", stream.name)
                after, count = page[-1].position, count + len(page)
        self._await_confirms(0)
        note_stream_is_whole(self.connection, service)
        return count

    def save_cursors(self) -> None:
        """Move the cursors in the database to what is published and confirmed."""
        moved = {facility: at for facility, at in self._reached.items() if at > self._saved.get(facility, (0, ""))}
        if moved:
            with self.ledger.database.write() as connection:
                connection.execute(
                    text(
                        "UPDATE ledger SET published = :at, published_hash = :hash"
                        " WHERE facility = :facility AND published < :at"
                    ),
                    [dict(zip(("at", "hash"), moved[name], strict=True), facility=name) for name in sorted(moved)],
                )
        self._saved |= moved

    def beat(self) -> None:
        """Send a heartbeat if one is due, and take in the broker's; raises if the broker is gone."""
        if self.connection.supports_heartbeats:
            with suppress(TimeoutError):
                self.connection.drain_events(timeout=0.001)
            self.connection.heartbeat_check()

    def _behind(self) -> Sequence[Row[Any]]:
        query = select(heads.c.facility, heads.c.position, heads.c.published).where(
            heads.c.position > heads.c.published
        )
        return self.ledger.database.rows(query.order_by(heads.c.facility))

    def _page(self, facility: str, after: int) -> Sequence[Row[Any]]:
        return self.ledger.database.rows(
            select(events.c.position, events.c.type, events.c.body, events.c.hash)
            .where(events.c.facility == facility, events.c.position > after)
            .order_by(events.c.position)
            .limit(PAGE)
        )

    def _publish(self, facility: str, row: Row[Any], exchange: str, routing_key: str) -> None:
        partition = partition_of(facility, self.partitions)
        message = self.channel.prepare_message(
            envelope(row.body, row.hash).decode(),
            content_type="application/json",
            content_encoding="utf-8",
            headers={"facility": facility, "partition": partition, "position": row.position},
            properties={"delivery_mode": PERSISTENT},
        )
        self.tag += 1
        self.unconfirmed[self.tag] = None
        self.channel.basic_publish(message, exchange=exchange, routing_key=routing_key)
        self._await_confirms(WINDOW)

    def _await_confirms(self, allowed: int) -> None:
        while len(self.unconfirmed) > allowed:
            self.connection.drain_events(timeout=CONFIRM_SECONDS)
        if self.refused:
            raise ConnectionError("the broker refused a message")

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:
        if not multiple:
            self.unconfirmed.pop(delivery_tag, None)
            return
        for tag in list(takewhile(lambda tag: tag <= delivery_tag, self.unconfirmed)):
            del self.unconfirmed[tag]

    def _on_nack(self, delivery_tag: int, multiple: bool) -> None:
        self.refused = True
        self._on_ack(delivery_tag, multiple)


class Relay(Extension):
    """The relay of a service: woken by each commit of this process, and polling for those of others.

    Of several replicas one publishes: the one that holds the claim.
    """

    def begin(self, ledger: Ledger, claims: Claims) -> None:
        """Begin to publish a ledger, once it is our turn."""
        self.ledger = ledger
        self._claims = claims
        self._wake = threading.Event()
        self.ledger.on_commit.append(self._wake.set)
        self._running = self.container.spawn_managed_thread(self._run, identifier="relay")

    def stop(self) -> None:
        """Publish no more; what is not published yet is after the next start."""
        self._running.kill()

    def _run(self) -> None:
        config, pause = self.container.config, threading.Event()
        while True:
            try:
                if self._claims.take(TASK):
                    with Connection(config["AMQP_URI"], connect_timeout=5, heartbeat=30) as broker:
                        self._follow(Publisher(self.ledger, broker, setting(config, "PARTITIONS")))
            except Exception as fault:  # noqa: BLE001  broker or database is away; the ledger keeps what is unpublished
                log.warning("relay interrupted", service=self.ledger.service, fault=repr(fault))
            self._claims.leave(TASK)  # perhaps another replica reaches the broker
            pause.wait(RETRY_SECONDS)

    def _follow(self, publisher: Publisher) -> None:
        poll = setting(self.container.config, "POLL_SECONDS")
        save_at = 0.0
        if self.ledger.service in FED and publisher.connection.transport.driver_type == "amqp":
            publisher.keep_stream()
        while self._claims.holds(TASK):
            self._wake.clear()
            publisher.publish_pending(save=False)
            if monotonic() >= save_at:
                publisher.save_cursors()
                save_at = monotonic() + SAVE_SECONDS
            publisher.beat()
            self._wake.wait(poll)
