"""A stock nameko `@event_handler` receives our events (events.md, Envelope), with a real broker between."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from time import monotonic, sleep

import orjson
from kombu import Connection
from kombu.exceptions import KombuError
from publishers import published

from shared.clock import SystemClock
from shared.contracts.work_orders import WorkPerformed
from shared.database import Database
from shared.ledger import Draft, Entry, Ledger
from shared.relay import Publisher

HERE = Path(__file__).parent
QUEUE = "evt-work_orders-work_performed--stock_listener.hear"
START_SECONDS = 30


def test_a_stock_event_handler_receives_the_envelope_as_it_was_recorded(sqlite_url: str, amqp_url: str) -> None:
    ledger = _ledger_with_work_performed(sqlite_url)

    with _stock_listener(amqp_url) as listener, Connection(amqp_url) as broker:
        Publisher(ledger, broker, partitions=4).publish_pending()
        assert listener.stdout is not None
        heard = orjson.loads(listener.stdout.readline())

    assert heard == orjson.loads(ledger.raw("chenggong")[0])
    assert heard["data"]["performed_by"] == "user:li"


def _ledger_with_work_performed(url: str) -> Ledger:
    database = Database(url)
    database.migrate("work_orders")
    ledger = Ledger(database, "work_orders", SystemClock())
    work_order, event, at = next(told for told in published() if isinstance(told[1], WorkPerformed))
    draft = Draft(stream=work_order.stream, version=1, event=event, time=at)
    ledger.append(
        Entry(
            facility="chenggong", drafts=[draft], actor="user:li", correlation_id="request-1", causation_id="command-1"
        )
    )
    return ledger


@contextmanager
def _stock_listener(amqp_url: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "ignore", "-m", "nameko", "run", "--broker", amqp_url, "stock_listener"]
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True) as listener:
        # Who reads from it and gets nothing is told so by the end of the file.
        end = Timer(2 * START_SECONDS, listener.kill)
        end.start()
        try:
            _await_queue(amqp_url, listener)
            yield listener
        finally:
            end.cancel()
            listener.kill()


def _await_queue(amqp_url: str, listener: subprocess.Popen[str]) -> None:
    """An event that is sent before its queue is bound reaches nobody: that is why ours read the ledger as well."""
    give_up = monotonic() + START_SECONDS
    while monotonic() < give_up and listener.poll() is None:
        try:
            with Connection(amqp_url) as broker:
                if broker.channel().queue_declare(QUEUE, passive=True).consumer_count:
                    return
        except (OSError, KombuError, *Connection(amqp_url).channel_errors):
            pass
        sleep(0.1)
    raise AssertionError(f"the listener did not consume from {QUEUE} within {START_SECONDS} s")
