"""The names and shapes on the broker: where a service's events go, and the queues of those who follow them."""

import hashlib
from collections.abc import Sequence

from amqp.exceptions import NotFound
from kombu import Connection, Exchange, Queue, binding

PERSISTENT = 2
STREAM_AGE = "10Y"
"""How long a stream keeps an event (RabbitMQ's `x-max-age`): records are kept for five years at least."""


def events_of(source: str) -> Exchange:
    """The exchange that a service publishes to; declared as stock nameko's `@event_handler` declares it."""
    return Exchange(f"{source}.events", type="topic", durable=True, delivery_mode=PERSISTENT)


def stream_of(source: str) -> Queue:
    """The stream that keeps all that a service published, for those who come later (RabbitMQ ≥ 3.9)."""
    return Queue(
        f"{source}.events.stream",
        durable=True,
        queue_arguments={"x-queue-type": "stream", "x-max-age": STREAM_AGE},
    )


def stream_is_whole(connection: Connection, source: str) -> bool:
    """Whether a service's stream is there and was filled from the beginning.

    An exchange without bindings says the latter: it is declared once that is done, and lives and dies with the broker's
    memory of the stream.
    """
    return _is_there(connection, stream_of(source)) and _is_there(connection, _whole(source))


def note_stream_is_whole(connection: Connection, source: str) -> None:
    """Let what is published from now on go to the stream as well, and note that all before is in it."""
    channel = connection.channel()
    stream_of(source)(channel).bind_to(events_of(source), routing_key="#")
    _whole(source)(channel).declare()
    channel.close()


def _whole(source: str) -> Exchange:
    return Exchange(f"{source}.events.stream.whole", type="fanout", durable=True)


def _is_there(connection: Connection, thing: Exchange | Queue) -> bool:
    channel = connection.channel()
    try:
        if isinstance(thing, Queue):
            thing(channel).queue_declare(passive=True)
        else:
            thing(channel).declare(passive=True)
    except NotFound:  # which closes the channel
        return False
    channel.close()
    return True


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
