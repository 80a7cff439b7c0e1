"""Our contenders: the ledger, the relay, the replay."""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from benchmarks.together import at_once

Round = tuple[int, Callable[[], float]]


def append(url: str, writers: int, events: int, *, greenlets: bool = False) -> Round:
    """Append one event a commit, chain on, no views; the writers are threads, or greenlets as in a service."""
    if greenlets:
        import eventlet  # noqa: PLC0415  must patch before anything else is imported

        eventlet.monkey_patch()
    from benchmarks.workload import entry  # noqa: PLC0415

    ledger = _ledger(url)
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


def fill(url: str, facilities: int, events: int) -> None:
    """Write a ledger to publish and to replay."""
    from benchmarks.workload import entry  # noqa: PLC0415

    ledger = _ledger(url)
    for number in range(facilities):
        for version in range(1, events // facilities, 500):
            ledger.append(entry(f"hall-{number}", "work-order/0", version, events=500))
    ledger.database.close()


def relay(url: str, amqp: str) -> Round:
    """Publish the whole ledger, cursors and all."""
    from kombu import Connection  # noqa: PLC0415
    from sqlalchemy import text  # noqa: PLC0415

    from shared.ledger import count  # noqa: PLC0415
    from shared.relay import Publisher  # noqa: PLC0415

    ledger = _ledger(url)
    broker = Connection(amqp)

    def round_() -> float:
        with ledger.database.write() as connection:
            connection.execute(text("UPDATE ledger SET published = 0"))
        publisher = Publisher(ledger, broker, PARTITIONS)
        start = perf_counter()
        publisher.publish_pending()
        return perf_counter() - start

    return count(ledger.database), round_


PARTITIONS = 4


def replay(url: str) -> Round:
    """Read every event, verify its place in the chain, decode it."""
    from shared.ledger import count  # noqa: PLC0415

    ledger = _ledger(url)

    def round_() -> float:
        start = perf_counter()
        for facility in ledger.tips():
            for _ in _replayed(ledger, facility):
                pass
        return perf_counter() - start

    return count(ledger.database), round_


def _replayed(ledger: Any, facility: str) -> Iterator[Any]:
    from sqlalchemy import select  # noqa: PLC0415

    from shared.event import read  # noqa: PLC0415
    from shared.ledger import GENESIS, chained, events  # noqa: PLC0415

    hash_, position = GENESIS, 0
    while True:
        query = (
            select(events.c.position, events.c.body, events.c.hash)
            .where(events.c.facility == facility, events.c.position > position)
            .order_by(events.c.position)
            .limit(5000)
        )
        rows = ledger.database.rows(query)
        if not rows:
            return
        for at, body, recorded in rows:
            if at != position + 1 or chained(hash_, body) != recorded:
                raise AssertionError(f"{facility} {at}")
            position, hash_ = at, recorded
            yield read(body, recorded)


def _ledger(url: str) -> Any:
    from shared.clock import SystemClock  # noqa: PLC0415
    from shared.database import Database  # noqa: PLC0415
    from shared.ledger import Ledger  # noqa: PLC0415

    database = Database(url)
    database.migrate("benchmark")
    return Ledger(database, "work_orders", SystemClock())
