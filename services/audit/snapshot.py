"""Databases opened for an audit: nothing in them is changed, and all of one reading was committed at one moment."""

import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from shared.config import SERVICES, database_url
from shared.configuring import as_written
from shared.database import Database
from shared.errors import Invalid, Refused

PAGE = 1000
"""Rows fetched at a time."""

_TABLES = {"scoring": {"ledger", "event", "checkpoint", "journal", "rulebook"}}
_TABLES_OF_ALL = {"ledger", "event", "checkpoint"}
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG)
_POSTGRESQL_DAMAGE = ("XX001", "XX002")

# A byte that is no UTF-8 is told apart from every text, rather than stopping the reading.
_lenient = partial(str, encoding="utf-8", errors="surrogateescape")


class Unreadable(Refused):
    """There is no database of the platform there, or it cannot be read; the message is one line that says why."""


def of_folder(data: Path) -> dict[str, Database]:
    """The databases of an embedded platform, by service; raises Unreadable."""
    return {service: read_only(url, service) for service, url in urls_of_folder(data).items()}


def of_config(file: Path) -> dict[str, Database]:
    """The databases that a nameko configuration names under DATABASES, by service; raises Unreadable."""
    return {service: read_only(url, service) for service, url in urls_of_config(file).items()}


def urls_of_folder(data: Path) -> dict[str, str]:
    """Where the databases of an embedded platform are, by service; raises Unreadable."""
    if not data.is_dir():
        raise Unreadable(f"{data}: no such folder")
    files = {service: data / f"{service}.db" for service in SERVICES}
    missing = [file.name for file in files.values() if not file.is_file()]
    if len(missing) == len(files):
        raise Unreadable(f"{data}: not a data folder, expected {', '.join(missing)} in it")
    if missing:
        raise Unreadable(f"{data}: {', '.join(missing)} is missing")
    return {service: _address(file) for service, file in files.items()}


def urls_of_config(file: Path) -> dict[str, str]:
    """Where the databases are that a nameko configuration names under DATABASES, by service; raises Unreadable."""
    try:
        named = as_written(file, os.environ)["DATABASES"]
    except Invalid as fault:
        raise Unreadable(str(fault)) from fault
    if not isinstance(named, Mapping) or not named or not set(named) <= set(SERVICES):
        raise Unreadable(f"{file}: DATABASES: expected a mapping of {', '.join(SERVICES)} to database URLs")
    return {service: database_url({"DATABASES": named}, service) for service in named}


def read_only(url: str, service: str) -> Database:
    """Open a service's database so that it cannot be written; raises Unreadable, also where a table is missing."""
    try:
        database = Database(_read_only_url(url))
        with database.read() as connection:
            found = inspect(connection)
            missing = _TABLES.get(service, _TABLES_OF_ALL) - set(found.get_table_names())
            older = not missing and "published_hash" not in {column["name"] for column in found.get_columns("ledger")}
    except ArgumentError as fault:
        raise Unreadable(f"{service}: expected the URL of a database: {_line(fault)}") from fault
    except DBAPIError as fault:
        raise unreadable(service, fault) from fault
    except UnicodeDecodeError as fault:  # the driver's own message, of a schema that is no text any more
        raise Unreadable(f"the database of {service} cannot be read: malformed database schema") from fault
    if missing:
        raise Unreadable(f"{database.url.database}: no table {', '.join(sorted(missing))}; not a database of {service}")
    if older:
        raise Unreadable(
            f"{database.url.database}: written by an older version; start this one on it once, to convert it"
        )
    return database


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """One moment of a database: what others commit meanwhile is not seen, and nobody waits for the reader."""
    if database.sqlite:
        with database.read() as connection:
            driver: Any = connection.connection.driver_connection
            driver.text_factory = _lenient
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")
                driver.text_factory = str
    else:
        with database.engine.connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def stream(connection: Connection, query: str, *, page: int | None = None, **parameters: Any) -> Iterator[Any]:
    """The rows of a query as the driver gives them, a `page` at a time (by default PAGE), whatever their number."""
    if connection.dialect.name == "postgresql":
        yield from _binary(connection, query, parameters, page or PAGE)
        return
    result = connection.execute(text(query), parameters, execution_options={"yield_per": page or PAGE})
    for rows in result.partitions():
        yield from rows


def _binary(connection: Connection, query: str, parameters: Mapping[str, Any], page: int) -> Iterator[Any]:
    """psycopg's own cursor, in the binary form: SQLAlchemy asks for text, where bytes take twice their length and time."""
    from psycopg.rows import namedtuple_row  # noqa: PLC0415  shared.database says first how psycopg is to wait

    driver: Any = connection.connection.driver_connection
    errors = connection.dialect.loaded_dbapi.Error
    statement = str(text(query).compile(dialect=connection.dialect))
    try:
        with driver.cursor("stream", binary=True, row_factory=namedtuple_row) as cursor:
            cursor.execute(statement, parameters)
            while rows := cursor.fetchmany(page):
                yield from rows
    except errors as fault:
        raise DBAPIError.instance(query, None, fault, errors) from fault


def one(connection: Connection, query: str, **parameters: Any) -> Any:
    """The only row of a query, or None."""
    return connection.execute(text(query), parameters).one_or_none()


def tables_of(connection: Connection) -> set[str]:
    """The names of a database's tables, without those that SQLite keeps for itself."""
    if connection.dialect.name == "postgresql":
        query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@'"
    return set(connection.execute(text(query)).scalars())


def distinct(connection: Connection, table: str, column: str, where: str = "1 = 1", **parameters: Any) -> list[Any]:
    """The different values of a column that leads an index (after those of `where`), by as many look-ups."""
    query = f"""
        WITH RECURSIVE named(name) AS (
            SELECT min({column}) FROM {table} WHERE {where}
            UNION ALL
            SELECT (SELECT min({column}) FROM {table} WHERE {where} AND {column} > named.name)
            FROM named WHERE named.name IS NOT NULL
        )
        SELECT name FROM named WHERE name IS NOT NULL"""  # noqa: S608  names of ours
    return list(connection.execute(text(query), parameters).scalars())


def is_damage(error: DBAPIError) -> bool:
    """Whether the database found its own pages broken, as a byte forced into the file breaks them."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return (code is not None and code & 0xFF in _DAMAGE) or getattr(error.orig, "sqlstate", None) in _POSTGRESQL_DAMAGE


def unreadable(service: str, error: DBAPIError) -> Unreadable:
    """Why a service's database cannot be read, in one line."""
    return Unreadable(f"the database of {service} cannot be read: {_line(error.orig or error)}")


def _read_only_url(url: str) -> str:
    given = make_url(url)
    if given.get_backend_name() != "sqlite":
        return url
    path = Path(given.database or "").resolve()
    query = {"mode": "ro", "uri": "true"}
    if not _kept_in_wal(path):
        query["immutable"] = "1"
    return _address(f"file:{_quoted(path)}", query)


def _address(file: Path | str, query: Mapping[str, str] | None = None) -> str:
    return URL.create("sqlite", database=str(file), query=query or {}).render_as_string()


def _kept_in_wal(path: Path) -> bool:
    """Whether somebody may be writing; a copy in a folder that nobody can write to is read as it lies there."""
    try:
        with path.open("rb") as file:
            header = file.read(20)
    except OSError as fault:
        raise Unreadable(f"{path}: {fault.strerror}") from fault
    if not header.startswith(b"SQLite format 3\0"):
        raise Unreadable(f"{path}: not a SQLite database")
    return header[18:20] == b"\2\2" and (os.access(path.parent, os.W_OK) or Path(f"{path}-wal").exists())


def _quoted(path: Path) -> str:
    """A path within a `file:` address, where % # and ? mean something."""
    return re.sub("[%#?]", lambda sign: f"%{ord(sign.group()):02X}", str(path))


def _line(fault: BaseException) -> str:
    return " ".join(str(fault).split())
