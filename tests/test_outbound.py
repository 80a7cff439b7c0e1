"""What other systems are told, by every way that there is: the same events, in the same order, to readers of 30 lines."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import eventlet
import orjson
import pytest
import requests
from amqp.exceptions import AccessRefused, NotFound
from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.exceptions import OperationalError

from services.integration.service import Integration
from services.integration.tests.hosted import configuration
from services.integration.tests.receivers import receiver
from services.integration.tests.told import HALL, told
from shared.broker import events_of, stream_is_whole, stream_of
from shared.contracts.work_orders import WorkPerformed
from shared.ledger import Ledger
from shared.relay import Publisher
from shared.tests.given import NOON, draft, entry, history, ledger_at
from shared.tests.hosted import Followed, hosting
from tests.api import KEY
from tests.processes import EVERYWHERE, Platform, Process, free_port
from tests.test_embedded_platform import HALL as REGISTERED

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "docs/samples"
STOCK_QUEUE = "evt-work_orders-work_performed--stock_nameko.on_work_performed"
PATIENCE_SECONDS = 30.0


def waited(holds: Callable[[], bool]) -> None:
    """Wait for something to hold."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < give_up, f"not within {PATIENCE_SECONDS} s"
        eventlet.sleep(0.02)


@contextmanager
def running(*program: str, **environment: str) -> Iterator[Callable[[], list[list[str]]]]:
    """A program of somebody else; gives the lines that it has printed, as words."""
    said = subprocess.PIPE
    with subprocess.Popen(program, cwd=SAMPLES, stdout=said, env={**os.environ, **environment}) as process:
        lines: list[list[str]] = []

        def listen() -> None:
            for line in process.stdout or ():
                lines.append(line.decode().split())  # noqa: PERF401  others look at it meanwhile

        listening = eventlet.spawn(listen)
        try:
            yield lambda: list(lines)
        finally:
            process.kill()
            listening.kill()


def hashes(ledger: Ledger) -> list[str]:
    """Those of a ledger, in order."""
    return [orjson.loads(whole)["hash"] for whole in ledger.raw(HALL)]


# --- RabbitMQ -------------------------------------------------------------------------------------------------------


@pytest.fixture
def reader_url(amqp_url: str, test_servers: dict[str, str]) -> Iterator[str]:
    """The broker as a read-only user reaches it, who is of this test alone."""
    name, api = f"t-{secrets.token_hex(6)}", test_servers["XUNJIAN_TEST_RABBITMQ_API"]
    command = [str(ROOT / "infra/rabbitmq/add-reader"), name, "--vhost", amqp_url.rpartition("/")[2], "--api", api]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    password = finished.stdout.splitlines()[1].partition(" ")[2]
    yield f"amqp://reader.{name}:{password}@{amqp_url.rpartition('@')[2]}"
    requests.delete(f"{api}/api/users/reader.{name}", timeout=10).raise_for_status()


def test_feed_webhook_amqp_and_stream_deliver_the_same_sequence(tmp_path: Path, amqp_url: str, reader_url: str) -> None:
    with told(tmp_path) as here, receiver() as there:
        ledgers = here.ledgers
        here.tell(20)
        here.subscribe(there.url)
        config = configuration(amqp_url, {name: str(one.database.url) for name, one in ledgers.items()})
        tap = Queue("tap", events_of("work_orders"), routing_key="#", durable=True)
        stock = (sys.executable, "-W", "ignore", "-m", "nameko", "run", "--broker", amqp_url, "stock_nameko")
        kombu = (sys.executable, str(SAMPLES / "plain_kombu.py"), reader_url)
        with Connection(amqp_url) as broker, hosting(config, Followed, Integration), running(*stock) as heard:
            tap(broker.channel()).declare()
            waited(lambda: _consumed(amqp_url, STOCK_QUEUE))
            ledgers["work_orders"].append(entry(draft("job/p", event=_performed())))
            here.tell(20)
            waited(lambda: stream_is_whole(broker, "work_orders") and stream_is_whole(broker, "integration"))
            with running(*kombu, "work_orders") as theirs, running(*kombu, "integration") as ours:
                waited(lambda: len(there.calls) == 42 and len(theirs()) == 41 and len(ours()) == 1)
                waited(lambda: bool(heard()))
            tapped = _drained(broker, tap)

        numbered = here.numbered()
        assert [number for number, _ in numbered] == list(range(1, 43))
        assert [(call.number, call.event) for call in there.calls] == numbered
        for source, streamed in (("work_orders", theirs()), ("integration", ours())):
            ledger = hashes(ledgers[source])
            assert [event["hash"] for _, event in numbered if event["source"] == f"/{source}"] == ledger
            assert [words[-1] for words in streamed] == ledger
        assert list(dict.fromkeys(event["hash"] for event in tapped)) == hashes(ledgers["work_orders"])[-len(tapped) :]
        assert heard() == [[HALL, "21", "wo-p", "user:li"]]


def _performed() -> WorkPerformed:
    return WorkPerformed(
        work_order_id="wo-p", kind="corrective", system_id="hvac", performed_at=NOON, performed_by="user:li"
    )


def _consumed(amqp_url: str, queue: str) -> bool:
    with Connection(amqp_url) as broker:
        try:
            return bool(broker.channel().queue_declare(queue, passive=True).consumer_count)
        except NotFound:
            return False


def _drained(broker: Connection, queue: Queue) -> list[dict[str, Any]]:
    """All that waits in a queue."""
    channel, found = broker.channel(), []
    while (message := queue(channel).get(no_ack=True)) is not None:
        found.append(json.loads(message.body))
    return found


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[Ledger]:
    """A ledger of which everything is published."""
    with ledger_at(sqlite_url) as one:
        yield one


def test_a_stream_that_is_new_or_half_filled_gets_all_that_was_ever_published(ledger: Ledger, amqp_url: str) -> None:
    history(ledger, 30)
    with Connection(amqp_url) as broker:
        assert Publisher(ledger, broker, 1).publish_pending() == 30
        half = stream_of("work_orders")(broker.channel())
        half.declare()
        Producer(broker.channel()).publish("half", routing_key=half.name)

        filled = [Publisher(ledger, broker, 1).keep_stream() for _ in range(2)]
        ledger.append(entry(draft("job/new")))
        assert Publisher(ledger, broker, 1).publish_pending() == 1
        streamed = _streamed(broker, "work_orders", 31)

    assert filled == [30, 0]
    assert [orjson.loads(body)["hash"] for body in streamed] == hashes(ledger)


def _streamed(broker: Connection, source: str, number: int) -> list[bytes]:
    """The first messages of a stream."""
    bodies: list[bytes] = []

    def hear(message: Any) -> None:
        bodies.append(message.body)
        message.ack()

    arguments = {"x-stream-offset": "first"}
    stream = Queue(stream_of(source).name, no_declare=True, consumer_arguments=arguments)
    with Consumer(broker.channel(), [stream], on_message=hear, prefetch_count=10):
        while len(bodies) < number:
            broker.drain_events(timeout=10)
    return bodies


def test_the_reading_user_reads_what_is_published_and_can_do_nothing_else(amqp_url: str, reader_url: str) -> None:
    with Connection(amqp_url) as broker:
        for source in ("work_orders", "access"):
            events_of(source)(broker.channel()).declare()
        Queue("rpc-work_orders", Exchange("nameko-rpc", type="topic"), "#")(broker.channel()).declare()

    user = Connection(reader_url).userid

    def own(channel: Any, source: str) -> None:
        queue = Queue(f"{user}.mine", events_of(source), "#", no_declare=True)(channel)
        queue.queue_declare()
        queue.queue_bind()

    refused: list[Callable[[Any], Any]] = [
        lambda channel: own(channel, "access"),
        lambda channel: Queue("reader.other.mine")(channel).declare(),
        lambda channel: Queue("rpc-work_orders")(channel).get(),
        lambda channel: events_of("work_orders")(channel).delete(),
        lambda channel: Exchange("other", type="topic")(channel).declare(),
        lambda channel: _published(channel, "work_orders.events", "work_performed"),
        lambda channel: _published(channel, "nameko-rpc", "work_orders.assign"),
        lambda channel: _published(channel, "", "rpc-work_orders"),
        lambda channel: stream_of("work_orders")(channel).declare(),
        lambda channel: stream_of("access")(channel).get(),
    ]
    with Connection(reader_url) as broker:
        own(broker.channel(), "work_orders")
        for forbidden in refused:
            with pytest.raises((AccessRefused, OperationalError)):
                forbidden(broker.channel())


def _published(channel: Any, exchange: str, key: str) -> None:
    channel.confirm_select()
    channel.basic_publish_confirm(channel.prepare_message(b"{}"), exchange=exchange, routing_key=key)


WRONG = [(["Bad Name"], "NAME: expected"), (["ok", "--api", "nowhere"], "--api: expected"), ([], "name")]


@pytest.mark.parametrize(("arguments", "what"), WRONG)
def test_wrong_use_of_add_reader_is_said_in_a_line(arguments: list[str], what: str) -> None:
    command = [str(ROOT / "infra/rabbitmq/add-reader"), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)

    assert finished.returncode == 2
    assert what in finished.stderr.splitlines()[-1]


# --- the platform as it is run --------------------------------------------------------------------------------------


@contextmanager
def served(folder: Path) -> Iterator[Platform]:
    """`xunjian serve`, which may call this machine."""
    port, data = free_port(), folder / "data"
    data.mkdir()
    (data / "operator.key").write_text(KEY)
    program = ["xunjian", "serve", f"--data={data}", f"--port={port}", "--webhook-host=127.0.0.1", "--log-level=INFO"]
    platform = Platform([Process(EVERYWHERE, program, folder / "log")], {}, port, (f"--data={data}", {}))
    try:
        platform.start()
        yield platform
    finally:
        platform.stop()


@pytest.mark.slow
def test_events_arrive_by_webhook_and_feed_while_the_platform_is_killed_and_started(tmp_path: Path) -> None:
    keys = count(1)
    with receiver() as there, served(tmp_path) as platform:

        def tell(path: str, **body: Any) -> Any:
            return platform.api.post(path, body, f"k-{next(keys)}", actor=None)

        tell("/facilities", **REGISTERED)
        webhook = tell("/facilities/hall/webhooks", url=there.url, webhook_id="w-1", after=0)
        for number in range(3):
            system = {"system_id": f"s-{number}", "name": "空调", "category": "hvac", "commissioned_on": "2021-01-01"}
            tell("/facilities/hall/systems", **system)
            if number == 1:
                platform.kill(EVERYWHERE)
                platform.restart(EVERYWHERE)
        waited(lambda: len(set(there.acknowledged)) == 5)
        program = (sys.executable, str(SAMPLES / "http_feed.py"), f"http://127.0.0.1:{platform.port}", "hall")
        with running(*program, XUNJIAN_KEY=KEY) as followed:
            waited(lambda: len(followed()) == 5)
            tell("/facilities/hall/webhooks/w-1/pause")
            waited(lambda: len(followed()) == 6)  # by the long poll
        (listed,) = platform.api.get("/facilities/hall/webhooks")

    assert webhook["secret"].startswith("whsec_")
    arrived = list(dict.fromkeys((str(call.number), call.event["hash"]) for call in there.calls))
    assert arrived == [(words[0], words[-1]) for words in followed()][:5]
    assert (listed["status"], listed["delivered"]) == ("paused", 5)
