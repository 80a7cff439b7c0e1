"""The tables of one service carried into another database, row by row in the order of their keys, and held against it."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, MetaData, Table, delete

from services.audit.snapshot import stream
from shared.errors import Rejected
from shared.refold import Row, in_order

NOT_CARRIED = frozenset({"session", "one_time", "attempt"})
"""What lets somebody in for minutes or hours: it does not come along, and people sign in again."""
_REPLACED = frozenset({*NOT_CARRIED, "installation", "view_version"})
"""Tables in which a target that was started once, and never used, has rows of its own."""
_LARGE = frozenset({"attachment"})
"""Tables of which one row may have many megabytes: they are read one at a time."""


@dataclass
class Carried:
    """One table: its name, how many rows it has, and the SHA-256 over all of them."""

    name: str
    rows: int = 0
    _sha256: Any = field(default_factory=hashlib.sha256, repr=False, compare=False)

    def passing(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The same rows, counted and hashed as they pass."""
        for row in rows:
            self.rows += 1
            for value in row:
                kind, content = _plain(value)
                self._sha256.update(b"%c%d:" % (kind, len(content)))
                self._sha256.update(content)
            yield row

    @property
    def sha256(self) -> str:
        """Over the rows so far: of each value its kind, its length and its bytes, alike in every database."""
        return str(self._sha256.hexdigest())


def carry(service: str, source: Connection, target: Connection) -> list[Carried]:
    """Copy all tables but the short-lived into a target of the same schema without rows, within its transaction.

    Returns them by name; raises Rejected where the target then has something else than the source.
    """
    tables, carried = MetaData(), []
    tables.reflect(source)
    for table in sorted(tables.tables.values(), key=lambda table: table.name):
        if table.name in _REPLACED:
            target.execute(delete(table))
        if table.name not in {*NOT_CARRIED, "alembic_version"}:
            carried.append(_copy(service, table, source, target))
    return carried


def _copy(service: str, table: Table, source: Connection, target: Connection) -> Carried:
    original, copy = Carried(table.name), Carried(table.name)
    try:
        _insert(target, table, original.passing(_rows(source, table)))
    except target.dialect.loaded_dbapi.Error as fault:
        raise Rejected(f"{service}: table {table.name}: {fault}") from fault
    for _ in copy.passing(_rows(target, table)):
        pass
    if (original.rows, original.sha256) != (copy.rows, copy.sha256):
        raise Rejected(f"{service}: table {table.name}: the copy is not what it was made from")
    return original


def _rows(connection: Connection, table: Table) -> Iterator[Row]:
    query = in_order(table, postgresql=connection.dialect.name == "postgresql")
    return stream(connection, query, page=1 if table.name in _LARGE else None)


def _insert(connection: Connection, table: Table, rows: Iterator[Row]) -> None:
    """Hand rows on to the driver one by one, as none of SQLAlchemy's ways to insert does."""
    driver: Any = connection.connection.driver_connection
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    into = f'"{table.name}" ({names})'
    if connection.dialect.name == "postgresql":
        _copy_in(driver, f"COPY {into} FROM STDIN", rows)
    else:
        marks = ", ".join("?" * len(table.columns))
        driver.executemany(f"INSERT INTO {into} VALUES ({marks})", rows).close()  # noqa: S608  names of ours


def _copy_in(driver: Any, statement: str, rows: Iterator[Sequence[Any]]) -> None:
    """As text, which PostgreSQL reads as each column's own type: 1 is a truth in a column of truths."""
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _plain(value: Any) -> tuple[int, bytes]:
    """A letter for the kind, and the bytes; SQLite keeps a truth as 0 or 1."""
    match value:
        case None:
            return ord("-"), b""
        case int():
            return ord("i"), b"%d" % value
        case str():
            return ord("s"), value.encode(errors="surrogateescape")
        case bytes() | memoryview():
            return ord("b"), bytes(value)
        case _:
            raise TypeError(f"expected what a table of ours can hold, not {value!r}")
