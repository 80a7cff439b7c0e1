"""PostgreSQL databases as an installation has them: migrated by their owner, used by a role that may only what it must.

They are copied from templates that are migrated once, which costs less than to migrate each.
"""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import make_url

from shared.config import SERVICES
from shared.database import Database
from shared.upgrade import upgrade


@dataclass(frozen=True)
class Templates:
    """A migrated database of each service, with the roles that may use its copies."""

    server: str
    """The URL of the owner, in any database."""
    prefix: str
    password: str

    def name(self, service: str) -> str:
        """What the template, and the role of the service, are called."""
        return f"{self.prefix}_{service}"

    @contextmanager
    def copies(self, services: Iterable[str] = SERVICES) -> Iterator[dict[str, str]]:
        """A fresh database of each service, by the URL under which the service itself would use it."""
        names = {service: f"{self.prefix}_{secrets.token_hex(3)}_{service}" for service in services}
        try:
            for service, name in names.items():
                owner = f"CREATE DATABASE {name} TEMPLATE {self.name(service)}"
                closed = f"REVOKE ALL ON DATABASE {name} FROM PUBLIC"
                execute(self.server, owner, closed, f"GRANT CONNECT ON DATABASE {name} TO {self.name(service)}")
            yield {service: self.url(name, self.name(service)) for service, name in names.items()}
        finally:
            execute(self.server, *(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in names.values()))

    def url(self, database: str, role: str | None = None) -> str:
        """A database, as a role or as its owner."""
        url = make_url(self.server).set(database=database)
        if role is not None:
            url = url.set(username=role, password=self.password)
        return url.render_as_string(hide_password=False)


@contextmanager
def templates(server: str) -> Iterator[Templates]:
    """Templates and roles on a server, gone afterwards."""
    found = Templates(server, f"xunjian_test_{secrets.token_hex(4)}", secrets.token_hex(16))
    names = [found.name(service) for service in SERVICES]
    try:
        for name in names:
            role = f"CREATE ROLE {name} LOGIN PASSWORD '{found.password}'"
            execute(server, role, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
        for service, name in zip(SERVICES, names, strict=True):
            database = Database(found.url(name))
            upgrade(database, service, role=name)
            database.close()
        yield found
    finally:
        for name in names:
            execute(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"DROP ROLE IF EXISTS {name}")


def execute(url: str, *statements: str) -> None:
    """Execute statements, each a transaction by itself."""
    database = Database(url)
    try:
        with database.read() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    finally:
        database.close()
