"""One service's own database: SQLite in a file, or PostgreSQL; the same calls on both.

psycopg waits in libpq, which stops every greenlet of a nameko process; PSYCOPG_WAIT_FUNC must be set before psycopg is
imported for the first time, hence here.
"""

import os

os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command as alembic
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Row, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.base import Executable

from shared.disk import Disk

ROOT = Path(__file__).resolve().parent.parent
WAIT_SECONDS = 30
"""How long SQLite waits for another process that writes."""
LOCK_SECONDS = 2
"""How long a migration waits for a table: as long as it does, whoever comes after it waits as well."""
STANDSTILL_SECONDS = 15
"""How long PostgreSQL waits for the next statement of a transaction before it undoes it."""
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_MIGRATE = text("SELECT pg_try_advisory_lock(hashtext('xunjian migrate'))")


class Database:
    """Connections to one database; `write` is one transaction, `read` sees what was committed before each statement."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if self.sqlite:
            self.engine, self._reader = _sqlite_writer(url), _sqlite(url)
        else:
            self.engine = _postgresql_writer(url)
            # A pool of its own: its connections are never in a transaction, so they need no care when they change hands.
            self._reader = create_engine(
                url, pool_size=10, max_overflow=20, isolation_level="AUTOCOMMIT", pool_reset_on_return=None
            )
        # SQLite has one writer, and waits for it by stopping the whole process: greenlets must queue before it.
        self._writer = threading.Lock() if self.sqlite else nullcontext()
        self.disk = Disk()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed at the end of the block and rolled back if it raises.

        Raises Unavailable where the disk is full.
        """
        with self._writer, self.disk.watched(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for queries."""
        with self._reader.connect() as connection:
            yield connection

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection that is nobody else's and closed at the end; each statement is a transaction."""
        connection = self._reader.connect()
        driver: Any = connection.connection.driver_connection
        connection.detach()
        try:
            yield connection
        finally:
            with suppress(DBAPIError):
                connection.close()
            driver.close()  # SQLAlchemy lets go of one that broke without closing it

    def alone(self, statement: str, parameters: Sequence[Any]) -> Any:
        """Execute one PostgreSQL statement that is a transaction by itself; the first column of its one row.

        Raises Unavailable where the disk is full.
        """
        with self.disk.watched():
            return self._alone(statement, parameters)

    def _alone(self, statement: str, parameters: Sequence[Any]) -> Any:
        """The driver is called directly, since SQLAlchemy would take as long again as the driver does."""
        pooled, errors = self._reader.raw_connection(), self._reader.dialect.loaded_dbapi.Error
        connection: Any = pooled.driver_connection
        try:
            return connection.execute(statement, parameters).fetchone()[0]
        except errors as fault:
            raise DBAPIError.instance(
                statement, None, fault, errors, connection_invalidated=connection.closed
            ) from fault
        except BaseException:  # stopped half-way: nobody else may get this connection
            pooled.invalidate()
            raise
        finally:
            if connection.closed:
                pooled.invalidate()
                self._reader.dispose()
            pooled.close()

    def rows(self, query: Executable, parameters: dict[str, Any] | None = None) -> Sequence[Row[Any]]:
        """All rows of one query."""
        with self.read() as connection:
            return connection.execute(query, parameters or {}).all()

    def mappings(self, query: Executable) -> list[dict[str, Any]]:
        """All rows of one query, each as column name → value."""
        with self.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def migrate(self, service: str) -> None:
        """Bring the schema to the newest revision of the ledger and of the service's views; replicas may race.

        On PostgreSQL each revision is a transaction, and one that waits for a lock for LOCK_SECONDS gives up (DBAPIError).
        """
        configuration = revisions(service)
        with _alone_in_process(), self.write() if self.sqlite else self._migrating() as connection:
            configuration.attributes["connection"] = connection
            alembic.upgrade(configuration, "heads")

    @contextmanager
    def _migrating(self) -> Iterator[Connection]:
        """The one PostgreSQL session that migrates, in no transaction; what it holds and has set ends with it."""
        with self.engine.connect() as connection:
            try:
                # Whoever waited within a statement would be waited for by an index that is built beside writers.
                while not connection.execute(_MIGRATE).scalar_one():
                    connection.commit()
                    time.sleep(0.05)
                connection.execute(text(f"SET lock_timeout = '{LOCK_SECONDS}s'"))
                connection.commit()
                yield connection
            finally:
                connection.invalidate()

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()
        self._reader.dispose()


def revisions(service: str) -> Config:
    """Where alembic finds the revisions of a service's database."""
    configuration = Config()
    configuration.set_main_option("script_location", str(ROOT / "shared/migrations"))
    configuration.set_main_option("path_separator", "os")
    places = [ROOT / "shared/migrations/versions", ROOT / f"services/{service}/migrations"]
    configuration.set_main_option("version_locations", os.pathsep.join(str(place) for place in places))
    return configuration


@cache
def newest_revisions(service: str) -> frozenset[str]:
    """The revisions at which a database of a service stands once it is migrated."""
    return frozenset(ScriptDirectory.from_config(revisions(service)).get_heads())


@cache
def known_revisions(service: str) -> frozenset[str]:
    """All revisions that this program knows of a service's database."""
    return frozenset(one.revision for one in ScriptDirectory.from_config(revisions(service)).walk_revisions())


_migrating = threading.Lock()


@contextmanager
def _alone_in_process() -> Iterator[None]:
    """One migration at a time: alembic keeps the running one in module globals.

    The lock may be older than eventlet's patches, so a greenlet must not wait in it.
    """
    while not _migrating.acquire(blocking=False):
        time.sleep(0.01)
    try:
        yield
    finally:
        _migrating.release()


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url, isolation_level="AUTOCOMMIT", pool_size=10, max_overflow=20, connect_args={"timeout": WAIT_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        _write_ahead(connection)
        for setting in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}").fetchall()

    return engine


def _write_ahead(connection: Any) -> None:
    """Turn to WAL, which a file keeps; SQLite waits for nobody here, so whoever meets another that begins tries again."""
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode not in _BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _postgresql_writer(url: str) -> Engine:
    """A process that stands still in the middle of a transaction must not hold up the others for ever."""
    engine = create_engine(url, pool_size=10, max_overflow=20)

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.execute(f"SET idle_in_transaction_session_timeout = '{STANDSTILL_SECONDS}s'")
        connection.commit()

    return engine


def _sqlite_writer(url: str) -> Engine:
    """The driver would begin a transaction at the first write; ours begin before the first read (BEGIN IMMEDIATE)."""
    engine = _sqlite(url)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
