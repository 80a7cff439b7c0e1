"""The others: the eventsourcing library in its safe mode (table lock), and a bare publisher with pipelined confirms."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import DatetimeAsISO, JSONTranscoder, Mapper, UUIDAsHex
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from benchmarks.together import at_once

Round = tuple[int, Callable[[], float]]
NOON = datetime(2021, 3, 9, 12, tzinfo=UTC)


@dataclass(frozen=True)
class WorkPerformed(DomainEvent):
    """The event of `benchmarks.workload` as that library would have it, with what our envelope tells of it."""

    event_id: str
    source: str
    subject: str
    facility: str
    recorded_at: datetime
    actor: str
    correlation_id: str
    causation_id: str
    work_order_id: str
    kind: str
    occurrence_id: str
    system_id: str
    performed_at: datetime
    performed_by: str
    summary: str


def append(url: str, writers: int, events: int) -> Round:
    """Append one event a commit; every writer its own aggregate, as ours have their own stream."""
    recorder, mapper = _recorder(url, writers), _mapper()
    aggregates = [uuid4() for _ in range(writers)]
    written = 0

    def write(writer: int) -> None:
        for version in range(written + 1, written + events // writers + 1):
            recorder.insert_events([mapper.to_stored_event(_performed(aggregates[writer], version))])

    def round_() -> float:
        nonlocal written
        seconds = at_once(writers, write)
        written += events // writers
        return seconds

    return events, round_


def replay(url: str, events: int, section: int) -> Round:
    """Read the notification log and decode it; the library keeps no chain to verify."""
    recorder, mapper = _recorder(url, 1), _mapper()
    aggregate = uuid4()
    for first in range(1, events, 500):
        numbers = range(first, first + 500)
        recorder.insert_events([mapper.to_stored_event(_performed(aggregate, number)) for number in numbers])

    def round_() -> float:
        start, seen = perf_counter(), 0
        while page := recorder.select_notifications(start=seen, limit=section, inclusive_of_start=False):
            for notification in page:
                mapper.to_domain_event(notification)
            seen = page[-1].id
        return perf_counter() - start

    return events, round_


def _performed(aggregate: UUID, version: int) -> WorkPerformed:
    return WorkPerformed(
        originator_id=aggregate,
        originator_version=version,
        timestamp=NOON,
        event_id=str(uuid4()),
        source="/work_orders",
        subject=f"work-order/{aggregate}",
        facility="hall-0",
        recorded_at=datetime.now(UTC),
        actor="user:li",
        correlation_id=str(uuid4()),
        causation_id=str(uuid4()),
        work_order_id=f"wo-{version:08}",
        kind="inspection",
        occurrence_id="gas-suppression:2021-03:1",
        system_id="gas-suppression",
        performed_at=NOON,
        performed_by="user:li",
        summary="66 of 67 points were in order",
    )


def _mapper() -> Mapper[UUID]:
    transcoder = JSONTranscoder()
    transcoder.register(UUIDAsHex())
    transcoder.register(DatetimeAsISO())
    return Mapper(transcoder)


def _recorder(url: str, connections: int) -> PostgresApplicationRecorder:
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
