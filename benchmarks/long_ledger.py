"""What a ledger costs as it grows: a lone append, a look at all of it, a start, its bytes; and a stream of many events."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import uuid4

from sqlalchemy import text

from benchmarks.ours import open_empty
from benchmarks.workload import NOON, performed
from services.asset_registry.aggregate import System
from services.audit.snapshot import snapshot, stream
from services.audit.verify import replay_events
from shared.contracts.asset_registry import Point, PointRelocated, PointsAdded, SystemRegistered
from shared.database import Database
from shared.ledger import Draft, Entry, Ledger
from shared.ledger import count as counted
from shared.provider import open_ledger
from shared.unit import Unit

HALLS = 4
STREAMS, VERSIONS = 100, 5
LONE = 200
"""How many appends, one event a commit, are timed."""
_BODIES = "SELECT body FROM event WHERE facility = :facility ORDER BY position"

Figures = dict[str, float]


def grow(url: str, sizes: Sequence[int]) -> Iterator[tuple[int, Figures]]:
    """Number of events, and figures: microseconds, events a second, seconds, bytes; beside some, what bare statements take."""
    ledger = open_empty(url)
    _make_bare(ledger.database)
    batches, empty = count(), _bytes(ledger.database)
    for size in sizes:
        began, before = perf_counter(), counted(ledger.database)
        while counted_so_far(ledger) < size:
            number = next(batches)
            ledger.append(_batch(f"hall-{number % HALLS}", number))
        figures = {"filled, events/s": (size - before) / (perf_counter() - began)}
        yield (
            size,
            figures
            | _appends(ledger)
            | _looks(ledger)
            | {
                "start, s": _start(url),
                "bytes an event": (_bytes(ledger.database) - empty) / size,
            },
        )
    ledger.database.close()


def counted_so_far(ledger: Ledger) -> int:
    """How many events there are, by the heads: to count them would take longer than to append some."""
    return sum(head["position"] for head in ledger.tips().values())


def _batch(hall: str, number: int) -> Entry:
    """Some jobs of some events each, as one entry."""
    drafts = [
        Draft(stream=f"work-order/{number}-{stream}", version=version, event=performed(number), time=NOON)
        for stream in range(STREAMS)
        for version in range(1, VERSIONS + 1)
    ]
    return Entry(facility=hall, drafts=drafts, actor="user:li", correlation_id=str(uuid4()), causation_id=str(uuid4()))


def _appends(ledger: Ledger) -> Figures:
    ours = [_timed(lambda: ledger.append(_lone())) for _ in range(LONE)]
    bare = [_timed(lambda: _insert_bare(ledger.database)) for _ in range(LONE)]
    return {"append, µs": 1e6 * median(ours), "bare, µs": 1e6 * median(bare)}


def _lone() -> Entry:
    draft = Draft(stream=f"work-order/{uuid4()}", version=1, event=performed(1), time=NOON)
    return Entry(facility="hall-0", drafts=[draft], actor="user:li", correlation_id=str(uuid4()), causation_id="c")


def _make_bare(database: Database) -> None:
    kind = "BLOB" if database.sqlite else "BYTEA"
    with database.write() as connection:
        connection.execute(text(f"CREATE TABLE bare (id VARCHAR(80) PRIMARY KEY, body {kind} NOT NULL)"))


def _insert_bare(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("INSERT INTO bare VALUES (:id, :body)"), {"id": str(uuid4()), "body": bytes(750)})


def _looks(ledger: Ledger) -> Figures:
    """One hall's ledger verified and decoded, beside a bare scan with one SHA-256 each; the last page of the feed; a stream."""
    database = ledger.database
    end = ledger.tips()["hall-1"]["position"]
    verified = _timed(lambda: sum(1 for _ in replay_events(database, "hall-1")))
    scanned = _timed(lambda: _scan(database, "hall-1"))
    page = median(_timed(lambda: ledger.raw("hall-1", end - 1000)) for _ in range(5))
    job = median(_timed(lambda: ledger.stream("hall-1", "work-order/1-0")) for _ in range(20))
    return {
        "verified, events/s": end / verified,
        "bare scan, events/s": end / scanned,
        "last 1,000, ms": 1e3 * page,
        "a job, ms": 1e3 * job,
    }


def _scan(database: Database, hall: str) -> None:
    with snapshot(database) as connection:
        for (body,) in stream(connection, _BODIES, facility=hall):
            hashlib.sha256(body).digest()


def _start(url: str) -> float:
    """Open the database as a service does, and record the first event."""
    began = perf_counter()
    ledger = open_ledger({"DATABASES": {"benchmark": url}}, "benchmark")
    ledger.append(_lone())
    seconds = perf_counter() - began
    ledger.database.close()
    return seconds


def _bytes(database: Database) -> int:
    """How large the database is, without what SQLite has not put into its place yet."""
    if not database.sqlite:
        return int(database.rows(text("SELECT pg_database_size(current_database())"))[0][0])
    with database.read() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return Path(str(database.url.database)).stat().st_size


def streams(url: str, lengths: Sequence[int]) -> Iterator[tuple[int, Mapping[str, float]]]:
    """Number of events of one system's stream, and what a command about it takes to decide: milliseconds."""
    ledger = open_empty(url)
    for length in lengths:
        hall = f"hall-{length}"
        past = list(_moved_about(length))
        for first in range(0, length, 500):
            ledger.append(_entry_of(hall, past[first : first + 500]))
        took = [_timed(lambda hall=hall: _decide(ledger, hall)) for _ in range(5)]  # type: ignore[misc]
        yield length, {"decided, ms": 1e3 * median(took)}
    ledger.database.close()


def _moved_about(length: int) -> Iterator[Draft]:
    """A system with one point, which is relocated again and again."""
    first = (
        SystemRegistered(system_id="water", name="给排水", category="water", commissioned_on=date(2021, 1, 1)),
        PointsAdded(system_id="water", equipment="阀门", points=(Point(point_id="P-1", label="1"),)),
    )
    for version in range(1, length + 1):
        event = first[version - 1] if version < 3 else PointRelocated(point_id="P-1", location=f"{version}")
        yield Draft(stream="system/water", version=version, event=event, time=NOON)


def _entry_of(hall: str, drafts: Sequence[Draft]) -> Entry:
    return Entry(facility=hall, drafts=drafts, actor="user:li", correlation_id="c", causation_id="c")


def _decide(ledger: Ledger, hall: str) -> None:
    do = Unit(ledger, hall, actor="user:li", correlation_id="c", causation_id="c")
    do.edit(System, "water").relocate_point("P-1", "二层", do.now)


def _timed(do: Callable[[], object]) -> float:
    began = perf_counter()
    do()
    return perf_counter() - began
