"""A broker inside the process: `embedded://NAME` as AMQP_URI lets nameko services that run together do without RabbitMQ.

Not kombu's own memory transport: that one polls, shares one queue table among all who use it, puts requeued messages
last, knows neither `mandatory` nor expiry, and gives replies that nameko cannot read (no `content_type` property).
Here a publish wakes the consumers it concerns, and what is not acknowledged goes back to its place in the queue.

Left out, since nothing here needs it: threads (every user is a greenlet of one eventlet hub), exclusive queues,
priorities, dead letters, transactions. Nothing is kept: the truth is in the ledgers, and readers catch up from there.
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import count
from math import inf
from time import monotonic
from typing import Any

from amqp.exceptions import ChannelError, ConnectionForced, PreconditionFailed
from amqp.protocol import queue_declare_ok_t
from eventlet.event import Event
from kombu import Connection
from kombu.message import Message
from kombu.transport import TRANSPORT_ALIASES, base

from shared.embedded_queues import Binding, Broker, Consumer, Exchange, Parcel, Queue

TRANSPORT_ALIASES["embedded"] = "shared.embedded:Transport"

_BROKERS: dict[str, Broker] = {}


def fresh() -> str:
    """The address of a broker that nobody else uses, as tests want it."""
    return f"embedded://{secrets.token_hex(6)}"


def reset(address: str) -> None:
    """Forget a broker's queues and break its connections, as a restart of RabbitMQ without its disk would."""
    _broker(Connection(address).hostname).reset()


def _broker(name: str) -> Broker:
    return _BROKERS.setdefault(name, Broker())


class Session:
    """What kombu calls the connection: one client's consumers, and the bell that wakes the greenlet draining them."""

    def __init__(self, broker: Broker, client: Connection) -> None:
        self.broker = broker
        self.client = client
        self.channels: list[Channel] = []
        self.consumers: list[Consumer] = []
        self.closed = False
        self._bell: Event | None = None
        broker.clients.add(self)

    def close(self) -> None:
        """Close all channels, giving back what they have not acknowledged; a waiting `drain` raises."""
        self.closed = True
        self.broker.clients.discard(self)
        for channel in tuple(self.channels):
            channel.close()
        self.wake()

    def wake(self) -> None:
        """Have the greenlet that drains look again; harmless when none does."""
        if self._bell is not None:
            self._bell.send()
            self._bell = None

    def drain(self, timeout: float | None) -> None:
        """Deliver one message, waiting for it up to `timeout` seconds (none: for ever); raises TimeoutError."""
        until = inf if timeout is None else monotonic() + timeout
        while not self._deliver_one():
            if self.closed:
                raise ConnectionForced("the embedded broker was reset")
            left = until - monotonic()
            if left <= 0:
                raise TimeoutError("no message")
            self._bell = Event()
            self._bell.wait(None if left == inf else left)

    def _deliver_one(self) -> bool:
        for turn, consumer in enumerate(self.consumers):
            if consumer.may_take() and (parcel := consumer.queue.take()) is not None:
                self.consumers.append(self.consumers.pop(turn))  # the next turn is another's
                consumer.receive(consumer, parcel)
                return True
        return False


class Channel(base.StdChannel):
    """A kombu channel on an embedded broker; confirms come at once, so `basic_publish` is done when it returns."""

    def __init__(self, session: Session, number: int) -> None:
        self.channel_id = number
        self.session = session
        self.connection: Session | None = session
        self.broker = session.broker
        self.events: defaultdict[str, set[Callable[[int, bool], None]]] = defaultdict(set)
        self._consumers: dict[str, Consumer] = {}
        self._prefetch = 0
        self._tags = count(1)
        self._published = count(1)
        self._unacknowledged: dict[int, tuple[Consumer | None, Queue, Parcel]] = {}
        session.channels.append(self)

    def close(self) -> None:
        """Cancel its consumers and give back what they have not acknowledged."""
        if self.connection is None:
            return
        self.connection = None
        self.session.channels.remove(self)
        for consumer_tag in tuple(self._consumers):
            self.basic_cancel(consumer_tag)
        for tag in tuple(self._unacknowledged):
            self._settle(tag, requeue=True)

    # Exchanges and queues

    def exchange_declare(self, exchange: str = "", passive: bool = False, **options: Any) -> None:
        """Make an exchange of `type`; raises PreconditionFailed where one of another type has the name."""
        kind = options.get("type") or "direct"
        if passive:
            self.broker.exchange(exchange)
        elif self.broker.exchanges.setdefault(exchange, Exchange(kind)).kind != kind:
            raise PreconditionFailed(f"exchange {exchange!r} is not of type {kind!r}")

    def exchange_delete(self, exchange: str, **_: Any) -> None:
        """Delete an exchange; its queues stay."""
        self.broker.exchanges.pop(exchange, None)

    def exchange_bind(
        self, destination: str, source: str = "", routing_key: str = "", arguments: Any = None, **_: Any
    ) -> None:
        """Hand on what `source` receives to the exchange `destination`."""
        self.broker.exchange(destination)
        self._bind(source, Binding(destination, True, routing_key, _pairs(arguments)))

    def exchange_unbind(
        self, destination: str, source: str = "", routing_key: str = "", arguments: Any = None, **_: Any
    ) -> None:
        """Undo `exchange_bind`."""
        self._unbind(source, Binding(destination, True, routing_key, _pairs(arguments)))

    def queue_declare(
        self, queue: str = "", passive: bool = False, auto_delete: bool = False, arguments: Any = None, **_: Any
    ) -> queue_declare_ok_t:
        """Make a queue unless it is there; knows `x-expires` and `x-single-active-consumer`."""
        self.broker.drop_forgotten()
        name = queue or f"amq.gen-{secrets.token_hex(8)}"
        if not passive and name not in self.broker.queues:
            asked = arguments or {}
            single = bool(asked.get("x-single-active-consumer"))
            self.broker.queues[name] = Queue(name, auto_delete, single, asked.get("x-expires", inf) / 1000)
        found = self.broker.queue(name)
        return queue_declare_ok_t(name, len(found), len(found.consumers))

    def queue_bind(
        self, queue: str, exchange: str = "", routing_key: str = "", arguments: Any = None, **_: Any
    ) -> None:
        """Route to a queue what an exchange receives under the key."""
        self.broker.queue(queue)
        self._bind(exchange, Binding(queue, False, routing_key, _pairs(arguments)))

    def queue_unbind(
        self, queue: str, exchange: str = "", routing_key: str = "", arguments: Any = None, **_: Any
    ) -> None:
        """Undo `queue_bind`."""
        self._unbind(exchange, Binding(queue, False, routing_key, _pairs(arguments)))

    def queue_purge(self, queue: str, **_: Any) -> int:
        """Drop what waits in a queue; returns how many messages that were."""
        return self.broker.queue(queue).purge()

    def queue_delete(self, queue: str, if_unused: bool = False, if_empty: bool = False, **_: Any) -> int:
        """Delete a queue; returns how many messages were lost with it."""
        found = self.broker.queues.get(queue)
        if found is None or (if_unused and found.consumers) or (if_empty and len(found)):
            return 0
        self.broker.drop(queue)
        return len(found)

    def _bind(self, exchange: str, binding: Binding) -> None:
        self.broker.exchange(exchange).bindings[binding] = None

    def _unbind(self, exchange: str, binding: Binding) -> None:
        self.broker.exchange(exchange).bindings.pop(binding, None)

    # Publishing

    def prepare_message(  # noqa: PLR0917  kombu passes them by position
        self,
        body: bytes | str,
        priority: int | None = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
        headers: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A message as `basic_publish` takes it, with all that AMQP calls properties under `properties`."""
        stated = {"priority": priority, "content_type": content_type, "content_encoding": content_encoding}
        return {
            "body": body.encode() if isinstance(body, str) else body,
            "headers": dict(headers or {}),
            "properties": {**stated, **(properties or {})},
        }

    def basic_publish(
        self, message: dict[str, Any], exchange: str = "", routing_key: str = "", mandatory: bool = False, **_: Any
    ) -> None:
        """Publish and confirm; a mandatory message that no queue takes raises, as with RabbitMQ's confirms."""
        if self.connection is None:
            raise ConnectionForced("the embedded broker was reset")
        envelope = {**message, "exchange": exchange, "routing_key": routing_key}
        if not self.broker.publish(exchange, routing_key, envelope) and mandatory:
            raise ChannelError("NO_ROUTE")
        tag = next(self._published)
        for on_ack in tuple(self.events["basic_ack"]):
            on_ack(tag, False)

    def confirm_select(self, **_: Any) -> None:
        """Nothing to turn on; listeners in `events["basic_ack"]` hear of each message while it is published."""

    # Consuming

    def basic_qos(self, _prefetch_size: int, prefetch_count: int, _apply_global: bool = False) -> None:
        """How many unacknowledged messages each consumer started from now on may have; 0 is no limit."""
        self._prefetch = prefetch_count

    def basic_consume(
        self, queue: str, no_ack: bool = False, callback: Any = None, consumer_tag: str = "", **_: Any
    ) -> str:
        """Start delivering a queue's messages to `callback`; returns the consumer's tag."""

        def receive(consumer: Consumer, parcel: Parcel) -> None:
            callback(self._hand_out(consumer, consumer.queue, parcel, no_ack))

        tag = consumer_tag or secrets.token_hex(8)
        consumer = Consumer(tag, self.broker.queue(queue), self.session, receive, self._prefetch)
        self._consumers[tag] = consumer
        consumer.queue.consumers.append(consumer)
        self.session.consumers.append(consumer)
        self.session.wake()
        return tag

    def basic_cancel(self, consumer_tag: str, **_: Any) -> None:
        """Stop a consumer; what it holds can still be acknowledged."""
        consumer = self._consumers.pop(consumer_tag, None)
        if consumer is not None:
            self.session.consumers.remove(consumer)
            self.broker.leave(consumer)

    def basic_get(self, queue: str, no_ack: bool = False, **_: Any) -> Message | None:
        """Take one message without consuming, or None."""
        found = self.broker.queue(queue)
        parcel = found.take()
        return None if parcel is None else self._hand_out(None, found, parcel, no_ack)

    def basic_ack(self, delivery_tag: int, multiple: bool = False, **_: Any) -> None:
        """Be done with a message, or with all up to it."""
        for tag in self._held(delivery_tag, multiple):
            self._settle(tag, requeue=False)

    def basic_reject(self, delivery_tag: int, requeue: bool = False, **_: Any) -> None:
        """Give a message back to its old place in the queue, or drop it."""
        for tag in self._held(delivery_tag, multiple=False):
            self._settle(tag, requeue=requeue)

    def basic_recover(self, **_: Any) -> None:
        """Give back all that is not acknowledged."""
        for tag in tuple(self._unacknowledged):
            self._settle(tag, requeue=True)

    def message_to_python(self, message: Message) -> Message:
        """Messages are born as kombu's."""
        return message

    def _hand_out(self, consumer: Consumer | None, queue: Queue, parcel: Parcel, no_ack: bool) -> Message:
        tag = next(self._tags)
        if not no_ack:
            self._unacknowledged[tag] = (consumer, queue, parcel)
            if consumer is not None:
                consumer.unacknowledged += 1
        message = parcel.message
        return Message(
            body=message["body"],
            channel=self,
            delivery_tag=tag,
            content_type=message["properties"]["content_type"],
            content_encoding=message["properties"]["content_encoding"],
            headers=dict(message["headers"]),
            properties=dict(message["properties"]),
            delivery_info={
                "consumer_tag": consumer.tag if consumer else None,
                "delivery_tag": tag,
                "exchange": message["exchange"],
                "redelivered": parcel.redelivered,
                "routing_key": message["routing_key"],
            },
        )

    def _held(self, delivery_tag: int, multiple: bool) -> list[int]:
        if not multiple:
            return [delivery_tag] if delivery_tag in self._unacknowledged else []
        return [tag for tag in self._unacknowledged if tag <= delivery_tag]

    def _settle(self, tag: int, *, requeue: bool) -> None:
        consumer, queue, parcel = self._unacknowledged.pop(tag)
        if consumer is not None:
            consumer.unacknowledged -= 1
        if requeue:
            parcel.redelivered = True
            queue.put(parcel)
        self.session.wake()


def _pairs(arguments: Mapping[str, Any] | None) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((arguments or {}).items()))


class Transport(base.Transport):
    """kombu's door to the embedded brokers; the address's host is the broker's name."""

    driver_type = "embedded"
    driver_name = "embedded"
    default_port = 0
    implements = base.default_transport_capabilities.extend()
    recoverable_connection_errors = base.Transport.connection_errors
    recoverable_channel_errors = ()

    def establish_connection(self) -> Session:
        """Connect; this cannot fail."""
        return Session(_broker(self.client.hostname), self.client)

    def verify_connection(self, connection: Session) -> bool:
        """Whether the connection is still open."""
        return not connection.closed

    def close_connection(self, connection: Session) -> None:
        """Close it with its channels."""
        connection.close()

    def create_channel(self, connection: Session) -> Channel:
        """Open a channel; raises ConnectionForced on a closed connection."""
        if connection.closed:
            raise ConnectionForced("the embedded broker was reset")
        return Channel(connection, len(connection.channels) + 1)

    def close_channel(self, channel: Channel) -> None:
        """Close one channel."""
        channel.close()

    def drain_events(self, connection: Session, timeout: float | None = None, **_: Any) -> None:
        """Deliver one message, waiting for it up to `timeout` seconds; raises TimeoutError."""
        connection.drain(timeout)
