"""What the ledger holds reaches the broker: in order, confirmed, by one relay at a time, and again after any break."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import eventlet
import orjson
import pytest
from kombu import Connection, Consumer, Message, Queue
from nameko.events import event_handler
from nameko.runners import ServiceRunner
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text

from shared import embedded, relay
from shared.broker import PERSISTENT, declare_queues, events_of, partition_of
from shared.claims import Claims
from shared.contracts.work_orders import WorkOrderClosed
from shared.ledger import Ledger
from shared.relay import TASK, Publisher
from shared.tests.given import assigned, draft, entry, history, ledger_at
from shared.tests.hosted import Followed, configuration, hosting

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["embedded", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """The broker inside the process, then a virtual host of RabbitMQ."""
    url: str = request.getfixturevalue("amqp_url") if request.param == "rabbitmq" else embedded.fresh()
    return url


@pytest.fixture
def broker(broker_url: str) -> Iterator[Connection]:
    with Connection(broker_url) as connection:
        yield connection


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[Ledger]:
    with ledger_at(sqlite_url) as ledger:
        yield ledger


class Inbox:
    """A queue that hears all that a service publishes."""

    def __init__(self, connection: Connection, arguments: dict[str, Any] | None = None) -> None:
        self.connection = connection
        self.queue = Queue("inbox", events_of("work_orders"), "#", queue_arguments=arguments)(connection.channel())
        self.queue.declare()

    def take(self, expected: int) -> list[Message]:
        """Take what is there, as many as expected at least."""
        return taken(self.connection, self.queue, expected)


def taken(connection: Connection, queue: Queue, expected: int, seconds: float = 10) -> list[Message]:
    """Take messages until there are as many as expected and no more come, or time is up."""
    found: list[Message] = []

    def keep(message: Message) -> None:
        message.ack()
        found.append(message)

    until = monotonic() + seconds
    with Consumer(connection.channel(), [queue], on_message=keep):
        while (left := until - monotonic()) > 0:
            try:
                connection.drain_events(timeout=min(left, 0.3))
            except TimeoutError:
                if len(found) >= expected:
                    break
    return found


def positions(messages: list[Message], facility: str = "hall-1") -> list[int]:
    return [message.headers["position"] for message in messages if message.headers["facility"] == facility]


def published(ledger: Ledger) -> dict[str, int]:
    return {row.facility: row.published for row in ledger.database.rows(text("SELECT facility, published FROM ledger"))}


@contextmanager
def publisher(ledger: Ledger, url: str, **options: Any) -> Iterator[Publisher]:
    """A publisher with a connection of its own."""
    with Connection(url, **options) as connection:
        yield Publisher(ledger, connection, 4)


# --- what is published ---------------------------------------------------------------------------------------------


def test_events_go_out_in_order_with_the_headers_and_properties_of_the_contract(
    ledger: Ledger, broker: Connection
) -> None:
    inbox = Inbox(broker)
    for facility in ("hall-1", "hall-2"):
        history(ledger, 3, facility)
    ledger.append(entry(draft("job/1", 2, WorkOrderClosed(work_order_id="wo-1", reason="巡检"))))

    assert Publisher(ledger, broker, 4).publish_pending() == 7

    messages = inbox.take(7)
    assert positions(messages) == [1, 2, 3, 4]
    assert positions(messages, "hall-2") == [1, 2, 3]
    for message in messages:
        facility, position = message.headers["facility"], message.headers["position"]
        (whole,) = ledger.raw(facility, position - 1, limit=1)
        assert message.body in (whole, whole.encode())
        assert message.headers == {"facility": facility, "position": position, "partition": partition_of(facility, 4)}
        assert message.content_type == "application/json"
        assert message.content_encoding == "utf-8"
        assert message.properties["delivery_mode"] == PERSISTENT
        assert message.delivery_info["routing_key"] == json.loads(whole)["type"].split(".")[1]
    assert {message.delivery_info["routing_key"] for message in messages} == {
        "work_order_assigned",
        "work_order_closed",
    }


def test_the_cursor_keeps_the_hash_of_the_event_at_which_it_stands(ledger: Ledger, broker: Connection) -> None:
    history(ledger, 3)
    publisher = Publisher(ledger, broker, 4)
    publisher.publish_pending()
    ledger.append(entry(draft("job/1", 2, WorkOrderClosed(work_order_id="wo-1", reason="巡检"))))

    before = ledger.database.rows(text("SELECT position, published, published_hash FROM ledger"))
    publisher.publish_pending()
    after = ledger.database.rows(text("SELECT position, published, published_hash FROM ledger"))

    hashes = [row.hash for row in ledger.database.rows(text("SELECT hash FROM event ORDER BY position"))]
    assert [tuple(row) for row in (*before, *after)] == [(4, 3, hashes[2]), (4, 4, hashes[3])]


def test_a_stock_nameko_event_handler_receives_them(ledger: Ledger, broker_url: str) -> None:
    heard: list[dict[str, Any]] = []

    class Stock:
        name = "stock"

        @event_handler("work_orders", "work_order_assigned")
        def on_assigned(self, payload: dict[str, Any]) -> None:
            heard.append(payload)

    runner = ServiceRunner({"AMQP_URI": broker_url})
    runner.add_service(Stock)
    runner.start()
    history(ledger, 2)
    ledger.append(entry(draft("job/1", 2, WorkOrderClosed(work_order_id="wo-1"))))
    with publisher(ledger, broker_url) as one:
        one.publish_pending()
    with eventlet.Timeout(10):
        while len(heard) < 2:
            eventlet.sleep(0.01)
    runner.kill()

    assert sorted(heard, key=lambda one: int(one["position"])) == [
        orjson.loads(one) for one in ledger.raw("hall-1")[:2]
    ]


def test_each_facility_goes_to_one_queue_of_each_follower(ledger: Ledger, broker: Connection) -> None:
    halls = [f"hall-{number}" for number in range(12)]
    queues = declare_queues(broker, "work_orders", "scoring", 4)
    for hall in halls:
        history(ledger, 2, hall)

    Publisher(ledger, broker, 4).publish_pending()

    for number, queue in enumerate(queues):
        here = [hall for hall in sorted(halls) if partition_of(hall, 4) == number]
        found = [(one.headers["facility"], one.headers["position"]) for one in taken(broker, queue, 2 * len(here))]
        assert found == [(hall, position) for hall in here for position in (1, 2)]
    assert len({partition_of(hall, 4) for hall in halls}) > 1


def test_a_facilitys_partition_is_the_same_for_ever() -> None:
    known = {"hall-1": 0, "chenggong": 0, "": 2, "大厅": 3}

    assert {hall: partition_of(hall, 4) for hall in known} == known
    assert {partition_of(f"hall-{number}", 4) for number in range(100)} == {0, 1, 2, 3}


# --- confirms and cursors ------------------------------------------------------------------------------------------


def test_the_cursor_moves_and_nothing_goes_out_twice(
    ledger: Ledger, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "WINDOW", 5)
    monkeypatch.setattr(relay, "PAGE", 7)
    history(ledger, 40)
    with Connection(broker_url) as connection:
        inbox = Inbox(connection)
        with publisher(ledger, broker_url) as one, publisher(ledger, broker_url) as later:
            assert [one.publish_pending(), one.publish_pending()] == [40, 0]
            assert published(ledger) == {"hall-1": 40}
            ledger.append(entry(draft("job/41")))
            assert [later.publish_pending(), one.publish_pending()] == [1, 0]

        assert positions(inbox.take(41)) == list(range(1, 42))


def test_a_crash_before_the_cursor_is_saved_only_repeats(ledger: Ledger, broker_url: str) -> None:
    history(ledger, 5)
    with Connection(broker_url) as connection:
        inbox = Inbox(connection)
        with publisher(ledger, broker_url) as crashed:
            assert crashed.publish_pending(save=False) == 5
            assert crashed.publish_pending(save=False) == 0
            assert published(ledger) == {"hall-1": 0}
        with publisher(ledger, broker_url) as restarted:
            assert restarted.publish_pending() == 5

        assert positions(inbox.take(10)) == [1, 2, 3, 4, 5] * 2
        assert published(ledger) == {"hall-1": 5}


def test_a_cursor_is_never_set_back(ledger: Ledger, broker_url: str) -> None:
    history(ledger, 3)
    with publisher(ledger, broker_url) as slow, publisher(ledger, broker_url) as fast:
        slow.publish_pending(save=False)
        ledger.append(entry(draft("job/4"), draft("job/5")))
        fast.publish_pending()

        slow.save_cursors()

        assert published(ledger) == {"hall-1": 5}


def test_what_the_broker_refuses_stays_to_be_published(ledger: Ledger, amqp_url: str) -> None:
    history(ledger, 5)
    with Connection(amqp_url) as connection:
        inbox = Inbox(connection, {"x-max-length": 2, "x-overflow": "reject-publish"})
        with publisher(ledger, amqp_url) as one, pytest.raises(ConnectionError, match="refused"):
            one.publish_pending()
        assert published(ledger) == {"hall-1": 0}

        inbox.queue.purge()
        inbox.queue.delete()
        with publisher(ledger, amqp_url) as again:
            assert again.publish_pending() == 5


@pytest.mark.parametrize(
    "confirms",
    [
        [(1, False), (2, False), (3, False), (4, False), (5, False)],
        [(5, True)],
        [(5, False), (4, True)],
        [(3, False), (2, False), (5, False), (4, True)],
        [(2, True), (2, True), (1, False), (5, True)],
    ],
)
def test_confirms_count_in_whatever_order_they_come(ledger: Ledger, confirms: list[tuple[int, bool]]) -> None:
    with publisher(ledger, embedded.fresh()) as one:
        one.unconfirmed = dict.fromkeys(range(1, 6))

        for tag, multiple in confirms[:-1]:
            one._on_ack(tag, multiple)
            assert one.unconfirmed
        one._on_ack(*confirms[-1])

        assert one.unconfirmed == {}


def test_an_idle_relay_keeps_its_connection(ledger: Ledger, amqp_url: str) -> None:
    with publisher(ledger, amqp_url, heartbeat=1) as idle:
        for _ in range(35):
            idle.beat()
            eventlet.sleep(0.1)

        history(ledger, 1)
        assert idle.publish_pending() == 1


# --- one at a time -------------------------------------------------------------------------------------------------


def test_a_relay_that_waits_for_its_turn_does_not_spin(postgres_url: str) -> None:
    connections: list[str] = []
    with ledger_at(postgres_url) as holder, closing(Claims(holder.database)) as elsewhere:
        assert elsewhere.take(TASK)
        with hosting(configuration(embedded.fresh(), postgres_url), Followed) as (waiting,):
            sqlalchemy_event.listen(waiting.database._reader, "connect", lambda *_: connections.append("one more"))
            for number in range(50):
                waiting.append(entry(draft(f"job/{number}")))
                eventlet.sleep(0.01)
            assert published(holder) == {"hall-1": 0}

    assert len(connections) < 8


def test_a_commit_wakes_the_relay_at_once(broker_url: str, sqlite_url: str) -> None:
    config = configuration(broker_url, sqlite_url) | {"POLL_SECONDS": 60}
    with Connection(broker_url) as connection, hosting(config, Followed) as (ledger,):
        inbox = Inbox(connection)
        eventlet.sleep(0.5)
        begun = monotonic()

        history(ledger, 3)

        assert positions(inbox.take(3)) == [1, 2, 3]
        assert monotonic() - begun < 5


def relaying(config: dict[str, Any]) -> subprocess.Popen[bytes]:
    """The followed service and its relay, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "shared.tests.hosted", json.dumps(config)],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something to become true."""
    with eventlet.Timeout(seconds):
        while not true():
            eventlet.sleep(0.02)


def connected(ledger: Ledger) -> Sequence[Any]:
    """Who is connected to a PostgreSQL database."""
    return ledger.database.rows(text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()"))


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGSTOP])
def test_when_a_relay_is_killed_or_stands_still_another_takes_over_within_ten_seconds(
    postgres_url: str, amqp_url: str, ending: signal.Signals
) -> None:
    config = configuration(amqp_url, postgres_url)
    with ledger_at(postgres_url) as ledger, Connection(amqp_url) as connection:
        inbox = Inbox(connection)
        history(ledger, 5)
        first = relaying(config)
        until(lambda: published(ledger) == {"hall-1": 5})
        before = len(connected(ledger))
        second = relaying(config)
        until(lambda: len(connected(ledger)) > before)
        for version in range(2, 12):
            ledger.append(entry(draft("job/1", version, assigned())))
            eventlet.sleep(0.05)
        until(lambda: published(ledger) == {"hall-1": 15})
        assert positions(inbox.take(15)) == list(range(1, 16))

        first.send_signal(ending)
        history(ledger, 3, "hall-2")
        until(lambda: published(ledger) == {"hall-1": 15, "hall-2": 3}, seconds=10)
        for process in (first, second):
            process.kill()
            process.wait()

        assert positions(inbox.take(3), "hall-2") == [1, 2, 3]
