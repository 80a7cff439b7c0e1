"""Where an installation can be: a data folder of SQLite files, or the PostgreSQL databases that a configuration names."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, MetaData, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from services.audit.folded import VIEWS
from services.audit.snapshot import Unreadable, read_only, tables_of, unreadable, urls_of_config, urls_of_folder
from services.carrying import NOT_CARRIED
from services.data_folder import sole_user_of
from shared.config import SERVICES, runtime_role
from shared.configuring import as_written
from shared.database import Database, newest_revisions
from shared.errors import Rejected
from shared.installation import installation
from shared.ledger import metadata
from shared.upgrade import upgrade

_NAME = f"xunjian move {os.getpid()}"
_OTHERS = text(
    # Of another role's sessions one sees no more than that they are there.
    "SELECT pid, application_name FROM pg_stat_activity WHERE datname = current_database() AND usesysid IS NOT NULL"
    " AND application_name IS DISTINCT FROM :name AND coalesce(backend_type, 'client backend') = 'client backend'"
    " ORDER BY pid"
)
GONE_SECONDS = 2.0
"""How long a connection may take to be gone after its process ended."""
_MAY_BE_THERE = {"installation", "view_version", "alembic_version", *NOT_CARRIED}
"""Tables in which an installation that was started, and never used, has rows."""


@dataclass(frozen=True)
class Place:
    """An installation's databases, by service."""

    path: Path
    is_folder: bool
    urls: Mapping[str, str]
    roles: Mapping[str, str | None] = field(default_factory=dict)
    """Under which the services run, where they do not own their tables."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else uses it: raises OSError or Rejected where somebody does; a folder is made, and locked meanwhile."""
        self.must_be_unused()
        if not self.is_folder:
            yield
            return
        with sole_user_of(self.path):
            yield

    def must_be_unused(self) -> None:
        """Raise Rejected where somebody else is connected to one of its PostgreSQL databases; a folder has its lock."""
        if self.is_folder:
            return
        with self.writable() as databases:
            for service, database in databases.items():
                give_up = time.monotonic() + GONE_SECONDS
                while others := database.rows(_OTHERS, {"name": _NAME}):
                    if time.monotonic() > give_up:
                        who = ", ".join(f"{one.application_name or 'unnamed'} (pid {one.pid})" for one in others)
                        raise Rejected(f"the database of {service} in {self.path} is in use: {who}")
                    time.sleep(0.02)

    def must_be_whole(self) -> None:
        """Raise Unreadable unless every database is there, and of this version."""
        if self.is_folder:
            urls_of_folder(self.path)
        with self.opened() as databases:
            for service, database in databases.items():
                if _revisions(database) != newest_revisions(service):
                    said = "written by another version; start this one on it once, to convert it"
                    raise Unreadable(f"{self.path}: {service}: {said}")

    def must_be_empty(self, source: "Place") -> None:
        """Raise Rejected where a service has recorded or heard something, or is marked otherwise than the source's."""
        for service, url in self.urls.items():
            if not self.is_folder or Path(str(make_url(url).database)).exists():
                with source.opened() as theirs, self.writable(service) as ours:
                    _must_be_empty(service, ours[service], f"{self.path}: {service}")
                    _must_be_marked(ours[service], theirs[service], f"{self.path}: {service}")

    def prepare(self) -> None:
        """Bring every database to the newest schema; raises as `upgrade` does."""
        with self.writable() as databases:
            for service, database in databases.items():
                upgrade(database, service, self.roles.get(service))

    @contextmanager
    def opened(self) -> Iterator[Mapping[str, Database]]:
        """Its databases, read-only; whatever keeps them from being read is raised as Unreadable."""
        with self._all(read_only, self.urls) as databases:
            yield databases

    @contextmanager
    def writable(self, *services: str) -> Iterator[Mapping[str, Database]]:
        """Its databases, or those of some services; whatever keeps them from being used is raised as Unreadable."""
        with self._all(lambda url, _: Database(url), services or self.urls) as databases:
            yield databases

    @contextmanager
    def _all(self, open_: Callable[[str, str], Database], services: Iterable[str]) -> Iterator[dict[str, Database]]:
        databases: dict[str, Database] = {}
        try:
            for service in services:
                databases[service] = open_(self.urls[service], service)
            yield databases
        except DBAPIError as fault:
            raise unreadable(f"a service in {self.path}", fault) from fault
        finally:
            for database in databases.values():
                database.close()


def place(path: Path) -> Place:
    """The place at a path: a file is a configuration, all else a folder, which need not be there.

    Raises Unreadable where the configuration does not name a PostgreSQL database for every service.
    """
    if path.is_file() or path.suffix in (".yaml", ".yml"):
        return Place(path, is_folder=False, urls=_named(path), roles=_roles(path))
    files = {service: path.resolve() / f"{service}.db" for service in SERVICES}
    urls = {service: URL.create("sqlite", database=str(file)).render_as_string() for service, file in files.items()}
    return Place(path, is_folder=True, urls=urls)


def _named(file: Path) -> dict[str, str]:
    """The databases of a configuration, under a name by which our connections are told from those of others."""
    urls = urls_of_config(file)
    return {service: _on_postgresql(f"{file}: DATABASES.{service}", urls.get(service)) for service in SERVICES}


def _roles(file: Path) -> dict[str, str | None]:
    config = as_written(file, os.environ)
    return {service: runtime_role(config, service) for service in SERVICES}


def _on_postgresql(where: str, named: str | None) -> str:
    expected = f"{where}: expected the URL of a PostgreSQL database"
    try:
        url = make_url(named or "")
    except ArgumentError as fault:
        raise Unreadable(expected) from fault
    if url.get_backend_name() != "postgresql":
        raise Unreadable(f"{expected}; a data folder is said by its path")
    return url.update_query_dict({"application_name": _NAME}).render_as_string(hide_password=False)


def _revisions(database: Database) -> set[str]:
    return {row.version_num for row in database.rows(text("SELECT version_num FROM alembic_version"))}


def _must_be_empty(service: str, database: Database, where: str) -> None:
    with database.read() as connection:
        there = tables_of(connection)
        known = {"alembic_version", *metadata.tables, *VIEWS[service].metadata.tables}
        if there - known:
            raise Rejected(f"{where}: expected an empty database, but there is a table {min(there - known)}")
        tables = MetaData()
        tables.reflect(connection, only=sorted(there - _MAY_BE_THERE))
        for table in tables.sorted_tables:
            if connection.execute(select(text("1")).select_from(table).limit(1)).first() is not None:
                raise Rejected(f"{where}: expected an empty database, but there are rows in {table.name}")


def _must_be_marked(database: Database, source: Database, where: str) -> None:
    """As the source is, or not at all."""
    with database.read() as connection:
        if installation.name not in tables_of(connection):
            return
    marked = select(installation.c.simulated)
    here, there = ({bool(row.simulated) for row in one.rows(marked)} for one in (database, source))
    if here and here != there:
        kinds = ("real", "simulated")
        raise Rejected(f"{where}: a {kinds[max(here)]} installation, expected a {kinds[max(there)]} one")
