"""A service's views folded afresh from events, in a SQLite database of their own, and held row by row against others."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Self

import orjson
from sqlalchemy import JSON, Boolean, Column, Engine, String, Table, Text, create_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable

from shared.event import Recorded
from shared.views import Views

Row = Sequence[Any]
"""The values of a table's columns, in their order."""


class Scratch:
    """The views of a service, in memory and, where that is too little, on disk; gone once it is closed."""

    def __init__(self, views: Views) -> None:
        self.views = views
        self._connection = _engine().connect()
        driver: Any = self._connection.connection.driver_connection
        self._driver = driver
        for statement in ("PRAGMA journal_mode=MEMORY", "PRAGMA synchronous=OFF", "BEGIN", *_schema(views.tables)):
            driver.execute(statement).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fold(self, recorded: Recorded) -> None:
        """Bring the tables on by one event."""
        self.views.fold(self._connection, recorded)

    def rows(self, table: Table) -> Iterator[Row]:
        """The rows of a table, in the order of its key."""
        yield from self._driver.execute(in_order(table))

    def close(self) -> None:
        """Forget all of it."""
        self._driver.rollback()
        self._connection.close()


@cache
def _engine() -> Engine:
    """One for all scratches, as it keeps the statements that it once compiled; each connection is a database of its own."""
    # "" is SQLite's own temporary file. Greenlets share a thread; nobody else uses the connection.
    connect = partial(sqlite3.connect, "", isolation_level=None, check_same_thread=False)
    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _schema(tables: Iterable[Table]) -> Iterator[str]:
    for table in tables:
        yield from _statements(table)


@cache
def _statements(table: Table) -> tuple[str, ...]:
    dialect = _engine().dialect
    making: list[CreateTable | CreateIndex] = [CreateTable(table), *(CreateIndex(index) for index in table.indexes)]
    return tuple(str(statement.compile(dialect=dialect)) for statement in making)


@cache
def in_order(table: Table, *, postgresql: bool = False) -> str:
    """The query for a table's rows by its key, as bytes compare; on PostgreSQL JSON is asked for as the text it is."""
    names = [_as_text(column) if postgresql else f'"{column.name}"' for column in table.columns]
    keys = [_as_bytes(column) if postgresql else f'"{column.name}"' for column in table.primary_key.columns]
    return f'SELECT {", ".join(names)} FROM "{table.name}" ORDER BY {", ".join(keys)}'  # noqa: S608  names of ours


def _as_text(column: Column[Any]) -> str:
    return f'CAST("{column.name}" AS TEXT)' if isinstance(column.type, JSON) else f'"{column.name}"'


def _as_bytes(column: Column[Any]) -> str:
    return f'"{column.name}"' + ' COLLATE "C"' * isinstance(column.type, String | Text)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One row that is not as its events give it: of which facility, in which table, under which key, and what differs.

    `found` and `folded` are the row on either side, None where there is none.
    """

    facility: Any
    table: str
    key: tuple[Any, ...]
    what: str
    found: Row | None
    folded: Row | None

    def __str__(self) -> str:
        return f"table {self.table}, row {' '.join(map(str, self.key))}: {self.what}"


def compare(
    table: Table,
    found: Iterable[Row],
    folded: Iterable[Row],
    shown: Callable[[Any], str] = repr,
    *,
    postgresql: bool = False,
) -> Iterator[Difference]:
    """Where rows that were found, in SQLite or `postgresql`, differ from those that were folded, both by key."""
    columns = list(table.columns)
    key_at = [number for number, column in enumerate(columns) if column.primary_key]
    plain = [
        (number, _json if isinstance(column.type, JSON) else _truth)
        for number, column in enumerate(columns)
        if isinstance(column.type, JSON) or (postgresql and isinstance(column.type, Boolean))
    ]
    for ours, theirs in _unequal(_normal(found, plain), folded, key_at):
        row = ours if ours is not None else theirs
        assert row is not None
        yield Difference(
            facility=row[0],
            table=table.name,
            key=tuple(row[number] for number in key_at),
            what=_told(columns, ours, theirs, shown),
            found=ours,
            folded=theirs,
        )


def _told(columns: Sequence[Column[Any]], ours: Row | None, theirs: Row | None, shown: Callable[[Any], str]) -> str:
    if ours is None:
        return "is missing"
    if theirs is None:
        return "follows from no event"
    return "; ".join(
        f"{column.name} is {shown(a)}, but the events give {shown(b)}"
        for column, a, b in zip(columns, ours, theirs, strict=True)
        if a != b
    )


def _normal(rows: Iterable[Row], changed: Sequence[tuple[int, Callable[[Any], Any]]]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        if changed:
            values = list(row)
            for number, change in changed:
                values[number] = change(values[number])
            yield tuple(values)
        else:
            yield row if type(row) is tuple else tuple(row)


def _json(value: Any) -> Any:
    """JSON text as SQLAlchemy writes it, also where it came into PostgreSQL, and was moved from there, without spaces."""
    try:
        parsed = orjson.loads(value)
        return json.dumps(parsed) if orjson.dumps(parsed).decode() == value else value
    except (TypeError, ValueError):
        return value


def _truth(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _unequal(
    found: Iterable[Row], folded: Iterable[Row], key_at: Sequence[int]
) -> Iterator[tuple[Row | None, Row | None]]:
    """Rows of equal key that are not equal, side by side; where one side has none, None.

    Values are compared as Python does: SQLite keeps no 1.0 where it keeps 1.
    """
    left, right = iter(found), iter(folded)
    ours, theirs = next(left, None), next(right, None)
    while ours is not None or theirs is not None:
        if ours == theirs:
            ours, theirs = next(left, None), next(right, None)
            continue
        a = None if ours is None else [_rank(ours[number]) for number in key_at]
        b = None if theirs is None else [_rank(theirs[number]) for number in key_at]
        mine, other = b is None or (a is not None and a <= b), a is None or (b is not None and b <= a)
        yield ours if mine else None, theirs if other else None
        ours = next(left, None) if mine else ours
        theirs = next(right, None) if other else theirs


def _rank(value: Any) -> tuple[int, Any]:
    """Where a value stands among others of any type, as SQLite orders them."""
    match value:
        case None:
            return 0, 0
        case int() | float():
            return 1, value
        case str():
            return 2, value.encode(errors="surrogateescape")
        case _:
            return 3, bytes(value)
