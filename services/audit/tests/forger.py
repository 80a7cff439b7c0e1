"""One who owns the databases, and changes what is in them behind the platform's back: one byte here and there."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from string import ascii_letters, digits
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.audit.chain import shown
from services.audit.folded import VIEWS
from services.audit.snapshot import snapshot, stream, tables_of
from services.audit.verify import Fault
from shared.config import SERVICES
from shared.database import Database
from shared.ledger import metadata as ledger_tables

PLACE = "place_"
"""Beside a row's columns: where the database itself has it."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One value of one row of a table, and the other that it is to have."""

    service: str
    table: str
    row: dict[str, Any]
    column: str
    value: Any

    @property
    def after(self) -> dict[str, Any]:
        """The row with the other value."""
        return {**self.row, self.column: self.value}

    def is_named_by(self, fault: Fault) -> bool:
        """Whether a difference says where this is: by facility and position, or by table and key, as they were or are."""
        if fault.service != self.service:
            return False
        either = self.row, self.after
        if self.table in {"event", "ledger", "checkpoint", "journal"}:
            facility = fault.facility in [row["facility"] for row in either]
            position = self.table == "ledger" or fault.position in [row["position"] for row in either]
            return facility and position and ("journal" in fault.what) == (self.table == "journal")
        if self.table == "alembic_version":
            return fault.what.startswith("table alembic_version: ")
        keys = {" ".join(shown(row[name]) for name in self._key()) for row in either}
        return any(fault.what.startswith(f"table {self.table}, row {key}: ") for key in keys)

    def _key(self) -> list[str]:
        tables = {**ledger_tables.tables, **VIEWS[self.service].metadata.tables}
        return [column.name for column in tables[self.table].primary_key.columns]


class Forger:
    """Draws changes from a seed, makes them, and takes them back."""

    def __init__(self, databases: dict[str, Database], seed: int) -> None:
        self._databases = databases
        self._random = Random(seed)
        self._rows: dict[str, dict[str, list[dict[str, Any]]]] = {service: {} for service in databases}
        for service, database in databases.items():
            _disarm(database)
            place = "rowid" if database.sqlite else "CAST(ctid AS TEXT)"
            with snapshot(database) as connection:
                for table in sorted(tables_of(connection)):
                    rows = list(stream(connection, f'SELECT {place} AS {PLACE}, * FROM "{table}" ORDER BY 1'))
                    if rows:
                        self._rows[service][table] = [row._asdict() for row in rows]

    def tables(self) -> set[tuple[str, str]]:
        """Every table that holds a row, with its service."""
        return {(service, table) for service, tables in self._rows.items() for table in tables}

    def changes(self) -> Iterator[Change]:
        """Changes of a random column that is not null, of a random row of a random table of a random service; no end."""
        while True:
            service = self._random.choice(SERVICES)
            table = self._random.choice(list(self._rows[service]))
            row = self._random.choice(self._rows[service][table])
            column = self._random.choice([name for name, value in row.items() if value is not None and name != PLACE])
            value = self._other(row[column], sqlite=self._databases[service].sqlite)
            if value is not None:
                yield Change(service=service, table=table, row=row, column=column, value=value)

    def _other(self, value: Any, *, sqlite: bool) -> Any:
        """The value with one byte, letter or digit changed; None where it has none that could be."""
        match value:
            case bool():
                return not value
            case int():
                return int(self._other_letter(str(value), digits))
            case bytes():
                at = self._random.randrange(len(value))
                return value[:at] + bytes([value[at] ^ self._random.randint(1, 255)]) + value[at + 1 :]
            case str():  # a byte that is no UTF-8 can be forced into SQLite only
                return self._other_letter(value, ascii_letters + digits + "\udcff" * sqlite)
            case _:  # JSON, as PostgreSQL's driver reads it, and as PostgreSQL takes it
                return self._other_json(value)

    def _other_letter(self, value: str, letters: str) -> str:
        at = self._random.randrange(len(value)) if value else 0
        letter = self._random.choice([one for one in letters if one != value[at : at + 1]])
        return value[:at] + letter + value[at + 1 :]

    def _other_json(self, value: Any) -> Any:
        whole = json.dumps(value, ensure_ascii=False)
        for at in self._random.sample(range(len(whole)), len(whole)):
            changed = whole[:at] + self._random.choice("abc123") + whole[at + 1 :]
            try:
                parsed = json.loads(changed)
            except ValueError:
                continue
            if parsed != value:
                return parsed
        return None

    @contextmanager
    def made(self, changes: Sequence[Change]) -> Iterator[list[Change]]:
        """Those of some changes that the database takes (a key may be taken already), until the block ends."""
        kept = [(change, change.row[change.column]) for change in changes if self._set(change, change.value)]
        try:
            yield [change for change, _ in kept]
        finally:
            for change, before in reversed(kept):
                assert self._set(change, before)

    def _set(self, change: Change, value: Any) -> bool:
        database = self._databases[change.service]
        statement, bound = _update(database, change, value)
        try:
            with database.write() as connection:
                change.row[PLACE] = connection.execute(statement, {**bound, "at": change.row[PLACE]}).scalar_one()
        except DBAPIError:
            return False
        return True


def _update(database: Database, change: Change, value: Any) -> tuple[Any, dict[str, Any]]:
    where, place = ("rowid = :at", "rowid")
    if not database.sqlite:
        where, place = ("ctid = CAST(:at AS tid)", "CAST(ctid AS TEXT)")
    given: Any = value
    cast = ":value"
    if isinstance(value, str) and database.sqlite:
        cast, given = "CAST(:value AS TEXT)", value.encode(errors="surrogateescape")
    elif isinstance(value, list | dict):
        cast, given = "CAST(:value AS json)", json.dumps(value)
    return text(f'UPDATE "{change.table}" SET "{change.column}" = {cast} WHERE {where} RETURNING {place}'), {
        "value": given
    }


def _disarm(database: Database) -> None:
    """Drop the triggers that refuse it, as one who owns a database can."""
    triggers = ("event_no_update", "event_no_delete") if database.sqlite else ("event_append_only ON event",)
    with database.write() as connection:
        for trigger in triggers:
            connection.execute(text(f"DROP TRIGGER {trigger}"))
