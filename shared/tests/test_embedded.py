"""The embedded broker keeps what RabbitMQ keeps: routes, order, what is unacknowledged, and its consumers' time."""

import time
from collections.abc import Iterator
from typing import Any, ClassVar

import eventlet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu import Connection, Consumer, Exchange, Message, Queue
from kombu.exceptions import ChannelError
from nameko.events import EventDispatcher, event_handler
from nameko.rpc import rpc
from nameko.runners import ServiceRunner
from nameko.standalone.rpc import ClusterRpcProxy

from shared import embedded


@pytest.fixture
def connection() -> Iterator[Connection]:
    with Connection(embedded.fresh()) as connection:
        yield connection


def publish(connection: Connection, body: Any, **options: Any) -> None:
    connection.Producer(serializer="json").publish(body, **options)


def taken(connection: Connection, queue: str) -> list[Any]:
    """All that waits in a queue, acknowledged."""
    bodies = []
    while (message := connection.default_channel.basic_get(queue)) is not None:
        message.ack()
        bodies.append(message.decode())
    return bodies


def test_a_message_arrives_with_its_headers_and_properties(connection: Connection) -> None:
    queue = Queue("inbox", Exchange("events", type="topic"), routing_key="work_performed")(connection)
    queue.declare()

    publish(
        connection,
        {"巡检": 1},
        exchange="events",
        routing_key="work_performed",
        headers={"facility": "f-1", "position": 7},
        correlation_id="c-1",
        reply_to="r-1",
    )

    message = queue.get()
    assert message.decode() == {"巡检": 1}
    assert message.headers == {"facility": "f-1", "position": 7}
    assert message.properties["content_type"] == "application/json"
    assert (message.properties["correlation_id"], message.properties["reply_to"]) == ("c-1", "r-1")
    assert message.delivery_info["routing_key"] == "work_performed"


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("a.b", ["a.b"], ["a", "a.b.c", "axb"]),
        ("a.*", ["a.b"], ["a", "a.b.c"]),
        ("a.#", ["a", "a.b", "a.b.c"], ["b", "ab"]),
        ("#.c", ["c", "b.c", "a.b.c"], ["a.b", "c.d"]),
        ("a.#.c", ["a.c", "a.b.c", "a.b.b.c"], ["a", "c"]),
        ("#", ["a", "a.b.c"], []),
    ],
)
def test_topics_match_as_amqp_says(
    connection: Connection, pattern: str, matching: list[str], others: list[str]
) -> None:
    Queue("inbox", Exchange("topics", type="topic"), routing_key=pattern)(connection).declare()

    for key in matching + others:
        publish(connection, key, exchange="topics", routing_key=key)

    assert taken(connection, "inbox") == matching


def test_a_headers_exchange_behind_a_topic_exchange_deals_out_partitions(connection: Connection) -> None:
    topic = Exchange("work_orders.events", type="topic")(connection)
    partitions = Exchange("partitions", type="headers")(connection)
    topic.declare()
    partitions.declare()
    partitions.bind_to(topic, routing_key="#")
    for number in (0, 1):
        arguments = {"x-match": "all", "partition": number}
        Queue(f"part-{number}", partitions, binding_arguments=arguments)(connection).declare()

    for number in (0, 1, 1):
        publish(connection, number, exchange="work_orders.events", routing_key="x", headers={"partition": number})

    assert taken(connection, "part-0") == [0]
    assert taken(connection, "part-1") == [1, 1]


def test_every_queue_of_a_fanout_gets_a_copy_of_its_own(connection: Connection) -> None:
    for name in ("left", "right"):
        Queue(name, Exchange("all", type="fanout"))(connection).declare()

    publish(connection, {}, exchange="all", headers={"seen": "no"})

    left, right = (connection.default_channel.basic_get(name) for name in ("left", "right"))
    left.headers["seen"] = "yes"
    left.ack()
    assert right.headers == {"seen": "no"}


def test_what_is_given_back_returns_to_its_old_place(connection: Connection) -> None:
    queue = Queue("inbox")(connection)
    queue.declare()
    for number in range(4):
        publish(connection, number, routing_key="inbox")
    first, second, third = queue.get(), queue.get(), queue.get()

    third.requeue()
    first.requeue()
    second.ack()

    again = queue.get()
    assert (again.decode(), again.delivery_info["redelivered"]) == (0, True)
    assert taken(connection, "inbox") == [2, 3]


def test_what_a_lost_connection_held_goes_to_the_next_consumer(connection: Connection) -> None:
    queue = Queue("inbox")
    other = connection.clone()
    queue(other).declare()
    for number in range(3):
        publish(connection, number, routing_key="inbox")
    for _ in range(2):
        queue(other).get()

    other.close()

    assert taken(connection, "inbox") == [0, 1, 2]


def test_a_consumer_holds_no_more_than_its_prefetch_count(connection: Connection) -> None:
    received: list[Message] = []
    consumer = Consumer(connection, [Queue("inbox")], on_message=received.append)
    consumer.qos(prefetch_count=2)
    consumer.consume()
    for number in range(3):
        publish(connection, number, routing_key="inbox")

    connection.drain_events(timeout=1)
    connection.drain_events(timeout=1)
    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=0)
    received[0].ack()
    connection.drain_events(timeout=1)

    assert [message.decode() for message in received] == [0, 1, 2]


def test_a_single_active_consumer_is_succeeded_when_it_goes(connection: Connection) -> None:
    queue = Queue("inbox", queue_arguments={"x-single-active-consumer": True})
    received: list[tuple[str, int]] = []
    connections = {name: connection.clone() for name in ("first", "second")}
    for name, own in connections.items():
        Consumer(own, [queue], no_ack=True, callbacks=[lambda body, _, n=name: received.append((n, body))]).consume()
    for number in range(2):
        publish(connection, number, routing_key="inbox")

    with pytest.raises(TimeoutError):
        connections["second"].drain_events(timeout=0)
    connections["first"].drain_events(timeout=0)
    connections["first"].close()
    connections["second"].drain_events(timeout=0)

    assert received == [("first", 0), ("second", 1)]


def test_a_mandatory_message_that_nobody_takes_is_refused(connection: Connection) -> None:
    Exchange("events")(connection).declare()

    with pytest.raises(ChannelError, match="NO_ROUTE"):
        publish(connection, {}, exchange="events", routing_key="nobody", mandatory=True)


def test_an_expired_message_is_not_delivered(connection: Connection) -> None:
    Queue("inbox")(connection).declare()

    publish(connection, "stale", routing_key="inbox", expiration=0.02)
    publish(connection, "fresh", routing_key="inbox", expiration=60)
    eventlet.sleep(0.03)

    assert taken(connection, "inbox") == ["fresh"]


def test_queues_go_when_they_are_no_longer_used(connection: Connection) -> None:
    short = Queue("reply", queue_arguments={"x-expires": 10})(connection)
    short.declare()
    with Consumer(connection, [Queue("passing", auto_delete=True)]):
        pass
    eventlet.sleep(0.02)

    Queue("another")(connection).declare()

    for name in ("reply", "passing"):
        with pytest.raises(ChannelError, match="no queue"):
            connection.default_channel.queue_declare(name, passive=True)


def test_each_publish_is_confirmed_at_once(connection: Connection) -> None:
    channel = connection.channel()
    confirmed: list[tuple[int, bool]] = []
    channel.confirm_select()
    channel.events["basic_ack"].add(lambda tag, multiple: confirmed.append((tag, multiple)))

    for _ in range(3):
        channel.basic_publish(channel.prepare_message("{}", content_type="application/json"), routing_key="nowhere")

    assert confirmed == [(1, False), (2, False), (3, False)]


def test_waiting_ends_with_the_first_message(connection: Connection) -> None:
    received: list[Any] = []
    Consumer(connection, [Queue("inbox")], callbacks=[lambda body, _: received.append(body)]).consume()
    other = connection.clone()
    eventlet.spawn_after(0.05, publish, other, "now", routing_key="inbox")
    began = time.monotonic()

    connection.drain_events(timeout=5)

    assert received == ["now"]
    assert time.monotonic() - began < 0.5


def test_brokers_of_different_names_share_nothing() -> None:
    with Connection(embedded.fresh()) as one, Connection(embedded.fresh()) as other:
        for connection in (one, other):
            Queue("inbox")(connection).declare()

        publish(one, "mine", routing_key="inbox")

        assert taken(other, "inbox") == []
        assert taken(one, "inbox") == ["mine"]


@given(st.lists(st.sampled_from(["publish", "take", "ack", "requeue", "reconnect"]), max_size=60))
def test_nothing_is_lost_or_reordered_whatever_consumers_do(deeds: list[str]) -> None:
    address = embedded.fresh()
    producer, reader = Connection(address), Connection(address)
    Queue("inbox")(producer).declare()
    held: list[Message] = []
    published, acknowledged = 0, []

    for deed in deeds:
        if deed == "publish":
            publish(producer, published, routing_key="inbox")
            published += 1
        elif deed == "take" and (message := reader.default_channel.basic_get("inbox")):
            held.append(message)
        elif deed == "reconnect":
            reader.close()
            reader, held = Connection(address), []
        elif held and deed in ("ack", "requeue"):
            message = held.pop(0)
            getattr(message, deed)()
            acknowledged += [message.decode()] if deed == "ack" else []
    reader.close()

    left = taken(producer, "inbox")
    assert left == sorted(left)
    assert sorted(acknowledged + left) == list(range(published))
    producer.close()


class Speaker:
    name = "speaker"
    dispatch = EventDispatcher()

    @rpc
    def say(self, what: str) -> None:
        self.dispatch("said", what)


class Listener:
    name = "listener"
    heard: ClassVar[list[str]] = []

    @event_handler("speaker", "said")
    def on_said(self, what: str) -> None:
        self.heard.append(what)

    @event_handler("speaker", "said")
    def on_said_too(self, what: str) -> None:
        self.heard.append(f"{what}, too")


@pytest.fixture
def services() -> Iterator[dict[str, str]]:
    config = {"AMQP_URI": embedded.fresh()}
    Listener.heard.clear()
    runner = ServiceRunner(config)
    runner.add_service(Speaker)
    runner.add_service(Listener)
    runner.start()
    yield config
    runner.kill()


def test_stock_nameko_services_run_on_it(services: dict[str, str]) -> None:
    with ClusterRpcProxy(services, timeout=5) as proxy:
        for word in ("one", "two"):
            proxy.speaker.say(word)
    eventlet.sleep(0.05)

    assert sorted(Listener.heard) == ["one", "one, too", "two", "two, too"]


def test_services_come_back_after_the_broker_lost_everything(services: dict[str, str]) -> None:
    embedded.reset(services["AMQP_URI"])
    eventlet.sleep(1.2)  # kombu reconnects once a second

    with ClusterRpcProxy(services, timeout=5) as proxy:
        proxy.speaker.say("again")
    eventlet.sleep(0.05)

    assert "again" in Listener.heard


def test_idle_services_take_hardly_any_processor_time(services: dict[str, str]) -> None:
    before = time.process_time()

    eventlet.sleep(2)

    assert time.process_time() - before < 0.1
