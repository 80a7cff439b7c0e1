"""The names and shapes on the broker: where a service's events go, and the queues of those who follow them."""

import hashlib
from collections.abc import Sequence

from kombu import Connection, Exchange, Queue, binding

PERSISTENT = 2


def events_of(source: str) -> Exchange:
    """The exchange that a service publishes to; declared as stock nameko's `@event_handler` declares it."""
    return Exchange(f"{source}.events", type="topic", durable=True, delivery_mode=PERSISTENT)


def partition_of(facility: str, partitions: int) -> int:
    """The partition of a facility: stable for ever, on every machine."""
    return int.from_bytes(hashlib.sha256(facility.encode()).digest()[:4], "big") % partitions


def declare_queues(connection: Connection, source: str, reader: str, partitions: int) -> Sequence[Queue]:
    """The queues in which `reader` receives all events of `source`, one a partition.

    A headers exchange behind the topic exchange deals facilities to quorum queues with one active consumer each, so
    replicas share the facilities and each facility has one reader at a time.
    """
    name = f"{reader}.from.{source}"
    channel = connection.channel()
    topic = events_of(source)(channel)
    topic.declare()
    fan = Exchange(name, type="headers", durable=True)(channel)
    fan.declare()
    fan.bind_to(topic, routing_key="#")
    queues = [_partition(name, fan, number) for number in range(partitions)]
    for queue in queues:
        queue(channel).declare()
    channel.close()
    return queues


def _partition(name: str, fan: Exchange, number: int) -> Queue:
    return Queue(
        f"{name}.{number}",
        durable=True,
        bindings=[binding(fan, arguments={"x-match": "all", "partition": number})],
        queue_arguments={"x-queue-type": "quorum", "x-single-active-consumer": True},
    )
