"""The others: the eventsourcing library in its safe mode (table lock), and a bare publisher with pipelined confirms."""

from collections.abc import Callable
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.together import at_once

Round = tuple[int, Callable[[], float]]
TOPIC = "work_orders:WorkPerformed"
PAGE = 5000


def append(url: str, writers: int, events: int) -> Round:
    """Append one event a commit; every writer its own aggregate, as ours have their own stream."""
    from eventsourcing.persistence import JSONTranscoder, StoredEvent  # noqa: PLC0415

    from benchmarks.workload import attributes  # noqa: PLC0415

    recorder, transcoder = _recorder(url, writers), JSONTranscoder()
    aggregates = [uuid4() for _ in range(writers)]
    written = 0

    def write(writer: int) -> None:
        for version in range(written + 1, written + events // writers + 1):
            state = transcoder.encode(attributes(f"work-order/{writer}", version))
            recorder.insert_events([StoredEvent(aggregates[writer], version, TOPIC, state)])

    def round_() -> float:
        nonlocal written
        seconds = at_once(writers, write)
        written += events // writers
        return seconds

    return events, round_


def replay(url: str, events: int) -> Round:
    """Read the notification log and decode it; the library keeps no chain to verify."""
    from eventsourcing.persistence import JSONTranscoder, StoredEvent  # noqa: PLC0415

    from benchmarks.workload import attributes  # noqa: PLC0415

    recorder, transcoder = _recorder(url, 1), JSONTranscoder()
    aggregate = uuid4()
    for first in range(1, events, 500):
        recorder.insert_events(
            [
                StoredEvent(aggregate, number, TOPIC, transcoder.encode(attributes("work-order/0", number)))
                for number in range(first, first + 500)
            ]
        )

    def round_() -> float:
        start, seen = perf_counter(), 0
        while page := recorder.select_notifications(start=seen, limit=PAGE, inclusive_of_start=False):
            for notification in page:
                transcoder.decode(notification.state)
            seen = page[-1].id
        return perf_counter() - start

    return events, round_


def _recorder(url: str, connections: int) -> Any:
    from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore  # noqa: PLC0415

    target = urlsplit(url)
    datastore = PostgresDatastore(
        dbname=target.path.lstrip("/"),
        host=str(target.hostname),
        port=target.port or 5432,
        user=str(target.username),
        password=str(target.password),
        pool_size=connections,
    )
    recorder = PostgresApplicationRecorder(datastore)
    recorder.create_table()
    return recorder
