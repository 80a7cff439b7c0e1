"""A publisher that only publishes: py-amqp with pipelined confirms, its messages ready in memory."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import amqp
from kombu import Connection

from shared.broker import PERSISTENT, events_of, partition_of
from shared.clock import SystemClock
from shared.config import DEFAULTS
from shared.database import Database
from shared.ledger import Ledger

WINDOW = 500
"""As many messages without the broker's confirm as our relay allows."""


def publish(url: str, amqp_url: str) -> tuple[int, Callable[[], float]]:
    """Publish the bodies of a ledger to the exchange that our relay publishes to."""
    broker = Connection(amqp_url)
    messages = _messages(Ledger(Database(url), "work_orders", SystemClock()))
    exchange = events_of("work_orders").name

    def round_() -> float:
        channel = broker.channel()
        window = _Window(channel)
        start = perf_counter()
        for message in messages:
            channel.basic_publish(message, exchange=exchange, routing_key="work_performed")
            window.sent += 1
            while window.sent - window.confirmed > WINDOW:
                broker.drain_events()
        while window.sent > window.confirmed:
            broker.drain_events()
        seconds = perf_counter() - start
        channel.close()
        return seconds

    return len(messages), round_


class _Window:
    """How many messages are on their way; acks come in any order, but all come."""

    def __init__(self, channel: Any) -> None:
        self.sent = 0
        self.confirmed = 0
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:
        self.confirmed = delivery_tag if multiple else self.confirmed + 1


def _messages(ledger: Ledger) -> list[amqp.Message]:
    messages = []
    for facility, head in ledger.tips().items():
        partition = partition_of(facility, DEFAULTS["PARTITIONS"])
        for after in range(0, head["position"], 1000):
            for number, body in enumerate(ledger.raw(facility, after, 1000), start=after + 1):
                headers = {"facility": facility, "partition": partition, "position": number}
                properties = {"content_type": "application/json", "content_encoding": "utf-8"}
                messages.append(amqp.Message(body, application_headers=headers, delivery_mode=PERSISTENT, **properties))
    return messages
