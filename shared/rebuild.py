"""Views built anew beside the live ones, compared with them, and put in their place, while the service goes on.

Nothing is held while the events are folded, into a database that only the rebuild sees. At the end ledgers and
checkpoints are held still for one transaction: the last events are folded, old and new are compared, and tables that
differ are replaced. So a reader sees the old rows or the new ones, and a crash at any point leaves the old ones.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Boolean, Connection, Table, select, text

from shared.checkpoints import checkpoints
from shared.database import Database
from shared.digest import digested
from shared.errors import Conflict, Invalid
from shared.event import read
from shared.ledger import GENESIS, chained, events, heads, stripped
from shared.refold import Difference, Row, Scratch, compare, in_order
from shared.views import Views, version_of, view_version

Feed = Callable[..., list[str]]
"""Reads a source's ledger: (facility, after, limit) → whole envelopes as JSON text."""
Pages = Callable[..., list[tuple[bytes, str]]]
"""Reads one facility's ledger: (after, limit) → hashed bytes and hash of each event."""

PAGE = 200
"""Events folded before others get their turn."""
ROWS = 2000
"""Rows fetched at a time."""
SHOWN = 20
"""How many differences of a table are kept one by one."""


@dataclass(kw_only=True)
class Compared:
    """How a table that was live differs from the one that was built: how many rows, and the first of them."""

    table: str
    missing: int = 0
    unfounded: int = 0
    different: int = 0
    first: list[Difference] = field(default_factory=list)

    @property
    def count(self) -> int:
        """All of them."""
        return self.missing + self.unfounded + self.different

    def take(self, one: Difference) -> None:
        """Count a difference."""
        self.missing += one.found is None
        self.unfounded += one.folded is None
        self.different += one.found is not None and one.folded is not None
        if len(self.first) < SHOWN:
            self.first.append(one)


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """What became of a rebuild: the versions of the fold that the views had and have, and the tables that differed."""

    before: int
    version: int
    events: int
    differing: tuple[Compared, ...]


class Rebuild:
    """One rebuild of one service's views; `feeds` read the ledgers of the sources that they are folded from."""

    def __init__(self, database: Database, service: str, views: Views, feeds: Mapping[str, Feed]) -> None:
        if missing := [source for source in views.sources if source not in feeds]:
            raise Invalid({service: [f"its views are folded from the ledgers of {', '.join(missing)} too"]})
        self._database = database
        self._service = service
        self._views = views
        self._feeds = feeds
        self._reached: dict[tuple[str, str], tuple[int, str]] = {}
        """Position and hash that were folded last, by source and facility."""
        self.events = 0

    def run(self) -> Rebuilt:
        """Build, compare and replace.

        Raises Conflict where another process rebuilds them now, Unavailable where a source is away, and what a fold
        raises; nothing is changed then.
        """
        before = version_of(self._database, self._views)
        with _sole(self._database), Scratch(self._views) as scratch:
            with self._database.read() as connection:
                self._fold_new(connection, scratch, give_way=True)
            with self._database.write() as connection:
                _hold_still(connection)
                self._fold_new(connection, scratch, give_way=False)
                differing = tuple(self._replace(connection, scratch))
                self._note_version(connection)
        return Rebuilt(before=before, version=self._views.version, events=self.events, differing=differing)

    # Folding

    def _fold_new(self, connection: Connection, scratch: Scratch, *, give_way: bool) -> None:
        """Fold what is recorded, and of the sources what was read, since it was done last."""
        for facility, last in connection.execute(select(heads.c.facility, heads.c.position)).all():
            own = partial(_own, connection, facility)
            self._fold(scratch, (self._service, facility), last, own, give_way=give_way)
        for source in self._views.sources:
            reached = select(checkpoints.c.facility, checkpoints.c.position).where(checkpoints.c.source == source)
            for facility, last in connection.execute(reached).all():
                heard = partial(_heard, self._feeds[source], facility)
                self._fold(scratch, (source, facility), last, heard, give_way=give_way)

    def _fold(self, scratch: Scratch, ledger: tuple[str, str], last: int, page_of: Pages, *, give_way: bool) -> None:
        """Fold a ledger (source, facility) from where it was reached up to a position, page by page."""
        source, facility = ledger
        position, hash_ = self._reached.get(ledger, (0, GENESIS))
        names = self._views.heard_from(source)
        while position < last:
            page = page_of(after=position, limit=min(PAGE, last - position))
            if not page:
                raise Invalid(f"facility {facility}, position {position + 1} of {source}: the event is missing")
            for body, found in page:
                position += 1
                if chained(hash_, body) != found:
                    raise Invalid(f"facility {facility}, position {position} of {source}: the chain is broken")
                hash_ = found
                recorded = read(body, hash_)
                if source == self._service or recorded.type.split(".")[1] in names:
                    scratch.fold(recorded)
                    self.events += 1
            self._reached[ledger] = position, hash_
            if give_way:
                time.sleep(0)

    # Replacing

    def _replace(self, connection: Connection, scratch: Scratch) -> Iterator[Compared]:
        postgresql = connection.dialect.name == "postgresql"
        for table in self._views.tables:
            compared, live = Compared(table=table.name), _live(connection, table)
            for one in compare(table, live, scratch.rows(table), postgresql=postgresql):
                compared.take(one)
            if compared.count:
                connection.execute(table.delete())
                _insert(connection, table, scratch.rows(table))
                yield compared

    def _note_version(self, connection: Connection) -> None:
        row = digested({"id": 1, "version": self._views.version})
        connection.execute(view_version.delete())
        connection.execute(view_version.insert().values(row))


def _own(connection: Connection, facility: str, *, after: int, limit: int) -> list[tuple[bytes, str]]:
    query = (
        select(events.c.body, events.c.hash)
        .where(events.c.facility == facility, events.c.position > after)
        .order_by(events.c.position)
        .limit(limit)
    )
    return [(row.body, row.hash) for row in connection.execute(query)]


def _heard(feed: Feed, facility: str, *, after: int, limit: int) -> list[tuple[bytes, str]]:
    return [stripped(envelope.encode()) for envelope in feed(facility=facility, after=after, limit=limit)]


def _hold_still(connection: Connection) -> None:
    """Let nobody move a checkpoint or a head; in the order in which readers take them. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        for table in ("checkpoint", "ledger"):
            connection.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))


def _live(connection: Connection, table: Table) -> Iterator[Row]:
    """The rows of a live table in the order of its key, also where somebody put into SQLite what is no text.

    From the driver itself: while they are read, ledgers and checkpoints are held.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        with driver.cursor("live", binary=True) as cursor:
            cursor.itersize = ROWS
            yield from cursor.execute(in_order(table, postgresql=True))
        return
    driver.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    try:
        yield from driver.execute(in_order(table))
    finally:
        driver.text_factory = str


def _insert(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Rows as SQLite keeps them; into PostgreSQL as one stream, since psycopg would wait for each."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        driver.executemany(f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})', rows)  # noqa: S608  names of ours
        return
    truths = [number for number, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            values = list(row)
            for number in truths:
                values[number] = None if values[number] is None else bool(values[number])
            copy.write_row(values)


@contextmanager
def _sole(database: Database) -> Iterator[None]:
    """The only rebuild of these views: on PostgreSQL the holder of an advisory lock; SQLite's folder has one process."""
    if database.sqlite:
        yield
        return
    with database.read() as connection:
        connection.detach()  # closed with the block, and the lock goes with it
        lock = text("SELECT pg_try_advisory_lock(hashtext('xunjian rebuild'), hashtext(current_schema()))")
        if not connection.execute(lock).scalar_one():
            raise Conflict("the views are rebuilt by another process now")
        yield
