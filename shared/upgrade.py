"""The schema of a service's database against the one that this program expects, and the way from one to the other.

A role that owns its tables, as in a small set-up, brings them up when the service starts; one that does not waits for
`xunjian migrate`. Nobody touches a database that a newer program has brought further.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from shared.database import Database, known_revisions, newest_revisions
from shared.errors import Rejected, Unavailable
from shared.grants import grant

_FOUND = text("SELECT version_num FROM alembic_version")
_MAY_MIGRATE = text(
    "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AND coalesce("
    "(SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('alembic_version')), true)"
)
_ROLE = text("SELECT current_user")
_LOCK_NOT_HAD = "55P03"
_NOT_ALLOWED = "42501"


@dataclass(frozen=True)
class Upgraded:
    """The revisions of a database before and after."""

    before: frozenset[str]
    after: frozenset[str]


def found_revisions(database: Database) -> frozenset[str]:
    """The revisions at which a database stands; none where it is empty. Raises DBAPIError."""
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return frozenset()
        return frozenset(connection.execute(_FOUND).scalars())


def must_not_be_newer(database: Database, service: str) -> frozenset[str]:
    """The revisions at which a database stands; raises Rejected where this program does not know one, DBAPIError."""
    found = found_revisions(database)
    if not found <= known_revisions(service):
        after = "run the version of xunjian that brought it there, or a later one"
        raise Rejected(f"{_differing(database, service, found, 'a newer')}: {after}")
    return found


def bring_up_at_start(database: Database, service: str) -> None:
    """See to it that a service finds the schema that it expects; raises Rejected where it does not, and may not mend it."""
    found = must_not_be_newer(database, service)
    if found == newest_revisions(service):
        return
    if not database.sqlite and not database.rows(_MAY_MIGRATE)[0][0]:
        raise Rejected(f"{_differing(database, service, found, 'an older')}: run xunjian migrate")
    database.migrate(service)


def upgrade(database: Database, service: str, role: str | None = None) -> Upgraded:
    """Bring a database to the newest schema, and on PostgreSQL give the role of the service its rights.

    Raises Rejected where the schema is newer or the role cannot have its rights, and Unavailable where somebody holds a
    table for too long or the database does not answer; what was done until then stays and does no harm.
    """
    with _told(database, service):
        before = must_not_be_newer(database, service)
        database.migrate(service)
        if role is not None and not database.sqlite:
            with database.write() as connection:
                if role != connection.execute(_ROLE).scalar_one():
                    grant(connection, service, role)
        return Upgraded(before, found_revisions(database))


@contextmanager
def _told(database: Database, service: str) -> Iterator[None]:
    """Say what went wrong in one line."""
    try:
        yield
    except DBAPIError as fault:
        place, why = database.url.render_as_string(hide_password=True), " ".join(str(fault.orig).split())
        match getattr(fault.orig, "sqlstate", None):
            case state if state == _LOCK_NOT_HAD:
                held = "somebody has held a table for too long, and waiting would make all others wait"
                raise Unavailable(f"{service}: {held}; run xunjian migrate again ({why})") from fault
            case state if state == _NOT_ALLOWED:
                raise Rejected(f"{place}: expected the role that owns the tables of {service}: {why}") from fault
            case _:
                raise Unavailable(f"{place}: expected a database for {service}: {why}") from fault


def _differing(database: Database, service: str, found: Iterable[str], how: str) -> str:
    place, expected = database.url.render_as_string(hide_password=True), named(newest_revisions(service))
    return f"{place}: database of {how} schema (found {named(found)}, expected {expected})"


def named(revisions: Iterable[str]) -> str:
    """Revisions as a person reads them."""
    return ", ".join(sorted(revisions)) or "none"
