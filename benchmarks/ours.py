"""Our contenders: the ledger, the relay, the replay."""

from collections.abc import Callable
from time import perf_counter

from kombu import Connection
from sqlalchemy import text

from benchmarks.together import at_once
from benchmarks.workload import entry
from services.audit.verify import replay_events
from shared.clock import SystemClock
from shared.config import DEFAULTS
from shared.database import Database
from shared.ledger import Ledger, count
from shared.relay import Publisher

Round = tuple[int, Callable[[], float]]


def append(url: str, writers: int, events: int) -> Round:
    """Append one event a commit, chain on, no views."""
    ledger = open_empty(url)
    written = 0

    def write(writer: int) -> None:
        for version in range(written + 1, written + events // writers + 1):
            ledger.append(entry("hall-0", f"work-order/{writer}", version))

    def round_() -> float:
        nonlocal written
        seconds = at_once(writers, write)
        written += events // writers
        return seconds

    return events, round_


def relay(url: str, amqp: str, facilities: int, events: int) -> Round:
    """Publish a whole ledger, its cursors included."""
    ledger = filled(url, facilities, events)
    broker = Connection(amqp)

    def round_() -> float:
        with ledger.database.write() as connection:
            connection.execute(text("UPDATE ledger SET published = 0"))
        publisher = Publisher(ledger, broker, DEFAULTS["PARTITIONS"])
        start = perf_counter()
        publisher.publish_pending()
        return perf_counter() - start

    return count(ledger.database), round_


def replay(url: str, facilities: int, events: int) -> Round:
    """Read every event, verify its place in the chain, decode it."""
    ledger = filled(url, facilities, events)

    def round_() -> float:
        start = perf_counter()
        for facility in ledger.tips():
            for _ in replay_events(ledger.database, facility):
                pass
        return perf_counter() - start

    return count(ledger.database), round_


def open_empty(url: str) -> Ledger:
    """A ledger in a database that is empty, or was filled by us."""
    database = Database(url)
    database.migrate("benchmark")
    return Ledger(database, "work_orders", SystemClock())


def filled(url: str, facilities: int, events: int) -> Ledger:
    """A ledger with so many events of so many facilities, made by whoever comes first."""
    ledger, each = open_empty(url), events // facilities
    for number in range(facilities if count(ledger.database) == 0 else 0):
        for version in range(1, each + 1, 500):
            ledger.append(entry(f"hall-{number}", "work-order/0", version, events=min(500, each + 1 - version)))
    return ledger
