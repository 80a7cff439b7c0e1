"""From the ledger to the broker: every event above `published`, in order per facility, with pipelined confirms.

The broker is only the fast way; a reader that got nothing reads on from the ledger itself. So a crash between
publishing and moving the cursor repeats messages, and nothing more.
"""

import threading
from collections.abc import Sequence
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from kombu import Connection
from nameko.extensions import DependencyProvider
from sqlalchemy import Row, select, text

from shared.broker import PERSISTENT, events_of, partition_of
from shared.config import setting
from shared.ledger import Ledger, envelope, events, facilities_behind, heads
from shared.provider import ledger_of

log = structlog.get_logger()

WINDOW = 500
"""How many messages may be on their way without the broker's confirm."""
PAGE = 1000
RETRY_SECONDS = 1.0


class Publisher:
    """Publishes pages of one service's ledger over one broker connection."""

    def __init__(self, ledger: Ledger, connection: Connection, partitions: int) -> None:
        self.ledger = ledger
        self.partitions = partitions
        self.connection = connection
        self.channel = connection.channel()
        self.exchange = events_of(ledger.service)(self.channel)
        self.exchange.declare()
        self.unconfirmed = 0
        self.refused = False
        self.confirms = hasattr(self.channel, "confirm_select")
        if self.confirms:
            self.sent = self.confirmed = 0
            self.channel.confirm_select()
            self.channel.events["basic_ack"].add(self._on_ack)
            self.channel.events["basic_nack"].add(self._on_nack)

    def publish_pending(self) -> int:
        """Publish what is above the cursors, page by page; returns how many events."""
        count = 0
        while True:
            with self.ledger.database.read() as connection:
                behind = facilities_behind(connection)
            if not behind:
                return count
            for facility in behind:
                count += self.publish_page(facility)

    def publish_page(self, facility: str) -> int:
        """Publish at most PAGE events of one facility and move its cursor; raises ConnectionError if refused."""
        rows = self._page(facility)
        headers = {"facility": facility, "partition": partition_of(facility, self.partitions)}
        for row in rows:
            self._publish(row, headers)
        self._await_confirms(0)
        if rows:
            with self.ledger.database.write() as connection:
                connection.execute(
                    text("UPDATE ledger SET published = :last WHERE facility = :facility AND published < :last"),
                    {"facility": facility, "last": rows[-1].position},
                )
        return len(rows)

    def _page(self, facility: str) -> Sequence[Row[Any]]:
        published = select(heads.c.published).where(heads.c.facility == facility).scalar_subquery()
        return self.ledger.database.rows(
            select(events.c.position, events.c.type, events.c.body, events.c.hash)
            .where(events.c.facility == facility, events.c.position > published)
            .order_by(events.c.position)
            .limit(PAGE)
        )

    def _publish(self, row: Row[Any], headers: dict[str, Any]) -> None:
        message = self.channel.prepare_message(
            envelope(row.body, row.hash).decode(),
            content_type="application/json",
            content_encoding="utf-8",
            headers={**headers, "position": row.position},
            properties={"delivery_mode": PERSISTENT},
        )
        self.channel.basic_publish(message, exchange=self.exchange.name, routing_key=row.type.split(".")[1])
        if self.confirms:
            self.sent += 1
            self._await_confirms(WINDOW)

    def _await_confirms(self, allowed: int) -> None:
        if self.confirms:
            while self.sent - self.confirmed > allowed:
                self.connection.drain_events(timeout=30)
        if self.refused:
            raise ConnectionError("the broker refused a message")

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:
        self.confirmed = delivery_tag if multiple else self.confirmed + 1

    def _on_nack(self, delivery_tag: int, multiple: bool) -> None:
        self.refused = True
        self._on_ack(delivery_tag, multiple)


class RelayProvider(DependencyProvider):
    """The relay of a service: woken by each commit of this process, and polling for those of others.

    Of several replicas one publishes: on PostgreSQL the holder of an advisory lock.
    """

    def setup(self) -> None:
        """Nothing is done before the database is there."""
        self._wake = threading.Event()

    def start(self) -> None:
        """Begin to publish."""
        self.ledger = ledger_of(self.container)
        self.ledger.on_commit.append(self._wake.set)
        self.container.spawn_managed_thread(self._run, identifier="relay")

    def get_dependency(self, worker_ctx: Any) -> None:
        """Nothing that a method would call."""

    def _run(self) -> None:
        config = self.container.config
        while True:
            try:
                with _sole(self.ledger) as sole, Connection(config["AMQP_URI"], connect_timeout=5, heartbeat=30) as broker:
                    if sole:
                        self._follow(Publisher(self.ledger, broker, setting(config, "PARTITIONS")))
            except Exception as fault:  # the broker or the database is away; what is not published is still there
                log.warning("relay interrupted", service=self.ledger.service, fault=repr(fault))
            self._wake.wait(RETRY_SECONDS)

    def _follow(self, publisher: Publisher) -> None:
        poll = setting(self.container.config, "POLL_SECONDS")
        while True:
            self._wake.clear()
            publisher.publish_pending()
            if publisher.connection.supports_heartbeats:
                publisher.connection.heartbeat_check()
            self._wake.wait(poll)


@contextmanager
def _sole(ledger: Ledger) -> Iterator[bool]:
    """Whether this process is the one that publishes; an embedded database has no second process."""
    if ledger.database.sqlite:
        yield True
        return
    with ledger.database.read() as connection:
        yield connection.execute(text("SELECT pg_try_advisory_lock(hashtext('xunjian relay'))")).scalar_one()
        connection.execute(text("SELECT pg_advisory_unlock_all()"))
