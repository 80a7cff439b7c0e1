"""The ledger: per facility one gapless, hash-chained sequence of events, in the service's own database.

The head row of a facility is the sequence, the lock, the tip of the chain and the relay's cursor in one. Moving it is
the first statement of every append, conditional on the position and hash that the new events are chained to; so two
writers never share a position and positions follow the order of commits. A writer that was overtaken chains anew.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError
from uuid_utils import uuid7

from shared import tracing
from shared.clock import Clock
from shared.commit_queue import CommitQueue, Place
from shared.database import Database
from shared.digest import digested
from shared.errors import Conflict
from shared.event import Event, Recorded, canonical, read, timestamp, written
from shared.measures import APPEND_SECONDS, EVENTS_APPENDED

GENESIS = "sha256:" + 64 * "0"
"""The `prevhash` of a facility's first event."""

metadata = MetaData()
heads = Table(
    "ledger",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("hash", String(80), nullable=False),
    Column("published", BigInteger, nullable=False),
    Column("published_hash", String(80), nullable=False, server_default=GENESIS),
)
events = Table(
    "event",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("event_id", String(80), nullable=False, unique=True),
    Column("stream", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", String(120), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", String(80), nullable=False),
    UniqueConstraint("facility", "stream", "version"),
)
commands = Table(
    "command",
    metadata,
    Column("command_id", String(200), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("outcome", LargeBinary, nullable=False),
    Column("digest", String(64), nullable=False, server_default=text("''")),
)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An event decided on, and the place in its stream that it takes if nobody was faster; `time` is business time."""

    stream: str
    version: int
    event: Event
    time: datetime


@dataclass(frozen=True, kw_only=True)
class Done:
    """A command that is remembered with its answer (canonical JSON bytes), under its idempotency key."""

    command_id: str
    fingerprint: str
    outcome: bytes

    def row(self) -> dict[str, Any]:
        """As it is kept, with a digest: no chain covers it."""
        return digested(vars(self))


@dataclass(kw_only=True)
class Entry:
    """What one command or reaction adds to a facility's ledger: all of it or nothing."""

    facility: str
    drafts: Sequence[Draft]
    actor: str
    correlation_id: str
    causation_id: str
    done: Done | None = None
    recorded: list[Recorded] = field(default_factory=list)


Fold = Callable[[Connection, Recorded], None]
_Head = tuple[int, str]
"""Position and hash of a facility's last event."""


class Ledger:
    """Appends to and reads from the ledgers of one service."""

    def __init__(self, database: Database, service: str, clock: Clock, fold: Fold | None = None) -> None:
        self.database = database
        self.service = service
        self.clock = clock
        self.fold = fold
        self.on_commit: list[Callable[[], None]] = []
        self._heads: dict[str, _Head] = {}
        self._queues: dict[str, CommitQueue] = {}
        self._appended = EVENTS_APPENDED.labels(service)
        self._append_seconds = APPEND_SECONDS.labels(service)

    def append(self, entry: Entry) -> Sequence[Recorded]:
        """Commit an entry, together with others that wait for the same facility; returns its events as recorded.

        Raises Conflict if a stream moved on meanwhile or the command is already remembered.
        """
        began = perf_counter()
        place = Place(entry)
        queue = self._queues.setdefault(entry.facility, CommitQueue())
        queue.pass_through(place, partial(self._commit, entry.facility))
        for wake in self.on_commit:
            wake()
        if place.error is not None:
            raise place.error
        self.database.disk.found_room()
        seconds = perf_counter() - began
        self._append_seconds.observe(seconds)
        self._appended.inc(len(entry.recorded))
        tracing.appended(self.service, entry.recorded, seconds)
        return entry.recorded

    def append_within(self, connection: Connection, entry: Entry) -> Sequence[Recorded]:
        """Add an entry to a transaction that somebody else commits; raises Conflict as `append` does."""
        self._heads.pop(entry.facility, None)
        head = self._locked_head(connection, entry.facility)
        self._write(connection, entry.facility, head, [entry])
        self._appended.inc(len(entry.recorded))
        tracing.appended(self.service, entry.recorded)
        return entry.recorded

    def stream(self, facility: str, stream: str, connection: Connection | None = None) -> list[Recorded]:
        """The events of one stream, oldest first."""
        query = (
            select(events.c.body, events.c.hash)
            .where(events.c.facility == facility, events.c.stream == stream)
            .order_by(events.c.version)
        )
        rows = self.database.rows(query) if connection is None else connection.execute(query).all()
        return [read(row.body, row.hash) for row in rows]

    def raw(self, facility: str, after: int = 0, limit: int = 1000) -> list[str]:
        """Whole envelopes as JSON text, by position, above `after`."""
        query = (
            select(events.c.body, events.c.hash)
            .where(events.c.facility == facility, events.c.position > after)
            .order_by(events.c.position)
            .limit(limit)
        )
        return [envelope(row.body, row.hash).decode() for row in self.database.rows(query)]

    def tips(self) -> dict[str, dict[str, Any]]:
        """Where each facility's ledger stands: facility → {position, hash}."""
        return {row.facility: {"position": row.position, "hash": row.hash} for row in self.database.rows(select(heads))}

    def remembered(self, command_id: str) -> Done | None:
        """The first answer to a command, if it was ever carried out."""
        columns = select(commands.c.command_id, commands.c.fingerprint, commands.c.outcome)
        found = self.database.mappings(columns.where(commands.c.command_id == command_id))
        return Done(**found[0]) if found else None

    def _commit(self, facility: str, batch: Sequence[Place]) -> None:
        """Commit a batch as one; if somebody in it fails, commit each alone to find out who."""
        try:
            self._commit_together(facility, [place.entry for place in batch])
        except Exception as fault:  # noqa: BLE001  handed to the waiting caller, which raises it
            self._heads.pop(facility, None)
            if len(batch) == 1:
                batch[0].error = fault
            else:
                for place in batch:
                    self._commit(facility, [place])
        for place in batch:
            place.settled = True

    def _commit_together(self, facility: str, entries: Sequence[Entry]) -> None:
        head = self._heads.get(facility)
        if head is not None:
            try:
                self._heads[facility] = self._write_behind(facility, head, entries)
                return
            except _Overtaken:
                self._heads.pop(facility, None)
        with self.database.write() as connection:
            head = self._write(connection, facility, self._locked_head(connection, facility), entries)
        self._heads[facility] = head

    def _locked_head(self, connection: Connection, facility: str) -> _Head:
        query = select(heads.c.position, heads.c.hash).where(heads.c.facility == facility).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is None:
            connection.execute(
                text("INSERT INTO ledger VALUES (:facility, 0, :hash, 0, :hash) ON CONFLICT DO NOTHING"),
                {"facility": facility, "hash": GENESIS},
            )
            row = connection.execute(query).one()
        return row.position, row.hash

    def _write_behind(self, facility: str, head: _Head, entries: Sequence[Entry]) -> _Head:
        """Commit entries behind the head last seen; as one statement where there are no views to fold with it."""
        if self.fold is None and not self.database.sqlite:
            advance = self._advance(facility, head, entries)
            with _clashes():
                moved = self.database.alone(_ONE_STATEMENT, _parameters(advance))
            if moved != 1:
                raise _Overtaken
            return advance.after
        with self.database.write() as connection:
            return self._write(connection, facility, head, entries)

    def _write(self, connection: Connection, facility: str, head: _Head, entries: Sequence[Entry]) -> _Head:
        """Chain and insert the entries behind `head`; returns the new head.

        Raises _Overtaken if that is not the head, Conflict if a place in a stream or a command is taken.
        """
        advance = self._advance(facility, head, entries)
        write = _write_sqlite if self.database.sqlite else _write_postgresql
        with _clashes():
            write(connection, advance)
        if self.fold is not None:
            for entry in entries:
                for recorded in entry.recorded:
                    self.fold(connection, recorded)
        return advance.after

    def _advance(self, facility: str, head: _Head, entries: Sequence[Entry]) -> "_Advance":
        rows = list(self._chain(facility, head, entries))
        after = (rows[-1]["position"], rows[-1]["hash"]) if rows else head
        return _Advance(facility, head, after, rows, [entry.done for entry in entries if entry.done is not None])

    def _chain(self, facility: str, head: _Head, entries: Sequence[Entry]) -> Iterator[dict[str, Any]]:
        position, hash_ = head
        now = timestamp(self.clock.now())
        for entry in entries:
            entry.recorded = []
            for draft in entry.drafts:
                position += 1
                body = self._body(entry, draft, {"position": position, "recordedat": now, "prevhash": hash_})
                hash_ = chained(hash_, body)
                entry.recorded.append(read(body, hash_))
                yield {
                    "position": position,
                    "event_id": entry.recorded[-1].id,
                    "stream": draft.stream,
                    "version": draft.version,
                    "type": draft.event.type,
                    "body": body,
                    "hash": hash_,
                }

    def _body(self, entry: Entry, draft: Draft, link: dict[str, Any]) -> bytes:
        """The canonical bytes of an envelope without `hash` (events.md); `link` is its place in the ledger."""
        attributes = {
            "specversion": "1.0",
            "id": str(uuid7()),
            "source": f"/{self.service}",
            "type": draft.event.type,
            "subject": draft.stream,
            "time": written(draft.time),
            "datacontenttype": "application/json",
            "data": draft.event.data(),
            "facility": entry.facility,
            "streamversion": draft.version,
            "actor": entry.actor,
            "correlationid": entry.correlation_id,
            "causationid": entry.causation_id,
            **link,
        }
        if self.clock.simulated:
            attributes["simulated"] = True
        return canonical(attributes)


class _Overtaken(Exception):
    """Somebody else moved the head since it was looked at."""


@contextmanager
def _clashes() -> Iterator[None]:
    """The ledger's own constraints say Conflict; those of the views, which a fold breaks, say what they say."""
    try:
        yield
    except IntegrityError as clash:
        raise Conflict("the stream moved on, or the command is already remembered") from clash


def chained(prevhash: str, body: bytes) -> str:
    """The hash of an event: SHA-256 over the ASCII of `prevhash` and then the canonical bytes of its envelope."""
    return "sha256:" + hashlib.sha256(prevhash.encode() + body).hexdigest()


def envelope(body: bytes, hash_: str) -> bytes:
    """The whole envelope as JSON: the hashed bytes untouched, with their hash as one more member."""
    return body[:-1] + b',"hash":' + orjson.dumps(hash_) + b"}"


def stripped(envelope_: bytes) -> tuple[bytes, str]:
    """Undo `envelope`: the canonical bytes that were hashed, and the hash."""
    body, _, tail = envelope_.rpartition(b',"hash":')
    return body + b"}", orjson.loads(tail[:-1])


@dataclass(frozen=True)
class _Advance:
    """One step of a facility's head, and what is inserted with it."""

    facility: str
    before: _Head
    after: _Head
    rows: Sequence[dict[str, Any]]
    done: Sequence[Done]


_ONE_STATEMENT = """
    WITH moved AS (
        UPDATE ledger SET position = %s, hash = %s
        WHERE facility = %s AND position = %s AND hash = %s RETURNING facility
    ), done AS (
        INSERT INTO command (command_id, fingerprint, outcome, digest)
        SELECT c.command_id, c.fingerprint, convert_to(c.outcome, 'UTF8'), c.digest
        FROM moved, json_to_recordset(%s) AS c(command_id text, fingerprint text, outcome text, digest text)
    ), added AS (
        INSERT INTO event (facility, position, event_id, stream, version, type, body, hash)
        SELECT moved.facility, e.position, e.event_id, e.stream, e.version, e.type, convert_to(e.body, 'UTF8'), e.hash
        FROM moved, json_to_recordset(%s)
            AS e(position bigint, event_id text, stream text, version int, type text, body text, hash text)
    )
    SELECT count(*) FROM moved
    """
_MOVE = text(
    "UPDATE ledger SET position = :last, hash = :tip"
    " WHERE facility = :facility AND position = :before AND hash = :hash_before"
)


def _write_postgresql(connection: Connection, advance: _Advance) -> None:
    if connection.exec_driver_sql(_ONE_STATEMENT, _parameters(advance)).scalar_one() != 1:
        raise _Overtaken


def _parameters(advance: _Advance) -> tuple[Any, ...]:
    """One statement, so that a lone append costs one round trip and one flush to disk; rows travel as one JSON text."""
    added = orjson.dumps([{**row, "body": row["body"].decode()} for row in advance.rows]).decode()
    remembered = orjson.dumps([{**one.row(), "outcome": one.outcome.decode()} for one in advance.done]).decode()
    return (*advance.after, advance.facility, *advance.before, remembered, added)


def _write_sqlite(connection: Connection, advance: _Advance) -> None:
    if connection.execute(_MOVE, _move(advance)).rowcount != 1:
        raise _Overtaken
    if advance.rows:
        connection.execute(events.insert(), [{"facility": advance.facility, **row} for row in advance.rows])
    if advance.done:
        connection.execute(commands.insert(), [one.row() for one in advance.done])


def _move(advance: _Advance) -> dict[str, Any]:
    return {
        "facility": advance.facility,
        "before": advance.before[0],
        "hash_before": advance.before[1],
        "last": advance.after[0],
        "tip": advance.after[1],
    }


def last_recorded(database: Database) -> datetime | None:
    """The newest `recordedat` in any of the service's ledgers."""
    tips = select(events.c.body).join(
        heads, (heads.c.facility == events.c.facility) & (heads.c.position == events.c.position)
    )
    return max((read(row.body).recordedat for row in database.rows(tips)), default=None)


def count(database: Database) -> int:
    """How many events the service holds."""
    return int(database.rows(select(func.count()).select_from(events))[0][0])
