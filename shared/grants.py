"""What the role under which a service runs may do with its tables: said beside the migrations, granted after them.

A migration that makes a table adds a line to `rights.yaml` beside it (`table: SELECT, INSERT`). A table without one is
refused, so that none is forgotten.
"""

from functools import cache
from typing import Any

import yaml
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from shared.database import ROOT
from shared.errors import Rejected

RIGHTS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
"""All that a service ever needs; it owns nothing, and empties no table by TRUNCATE."""
_UNDEFINED_ROLE = "42704"
_TABLES = text(  # a partition is reached through its table
    "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    " AND NOT relispartition ORDER BY relname"
)
_OWNS_DATABASE = text(
    "SELECT pg_has_role(datdba, 'USAGE') AND datname <> 'postgres' FROM pg_database WHERE datname = current_database()"
)


@cache
def rights_of(service: str) -> dict[str, str]:
    """The rights of a service by table, as GRANT takes them; raises ValueError where a file says what is no right."""
    files = (ROOT / "shared/migrations/rights.yaml", ROOT / f"services/{service}/migrations/rights.yaml")
    said: dict[str, Any] = {}
    for file in files:
        said |= yaml.safe_load(file.read_text())
    for table, rights in said.items():
        if not isinstance(rights, str) or not set(rights.split(", ")) <= RIGHTS:
            raise ValueError(f"{service}: table {table}: expected some of {', '.join(sorted(RIGHTS))}, not {rights!r}")
    return said


def grant(connection: Connection, service: str, role: str) -> None:
    """Give a role what the service needs in this PostgreSQL database, and nothing else; within a transaction of the owner.

    Nobody but a superuser can change or delete an event afterwards: the owner loses that right as well. Raises Rejected
    where the role is not there, or a table has no rights declared.
    """
    rights = rights_of(service)
    tables = list(connection.execute(_TABLES).scalars())
    if forgotten := [table for table in tables if table not in rights]:
        where = f"services/{service}/migrations/rights.yaml"
        raise Rejected(f"{service}: table {forgotten[0]}: expected a line in {where} that says who may do what with it")
    quoted = connection.dialect.identifier_preparer.quote
    schema = quoted(str(connection.execute(text("SELECT current_schema()")).scalar_one()))
    everybody = f"{quoted(role)}, PUBLIC"
    statements = [
        f"REVOKE ALL ON SCHEMA {schema} FROM {everybody}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {everybody}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {everybody}",
        f"GRANT USAGE ON SCHEMA {schema} TO {quoted(role)}",
        *(f"GRANT {rights[table]} ON TABLE {quoted(table)} TO {quoted(role)}" for table in tables),
        "REVOKE UPDATE, DELETE, TRUNCATE ON TABLE event FROM CURRENT_USER",
    ]
    if connection.execute(_OWNS_DATABASE).scalar_one():
        database = quoted(str(connection.engine.url.database))
        statements += [
            f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
            f"GRANT CONNECT ON DATABASE {database} TO {quoted(role)}",
        ]
    try:
        for statement in statements:
            connection.exec_driver_sql(statement)
    except ProgrammingError as fault:
        if _state(fault) == _UNDEFINED_ROLE:
            raise Rejected(f"{service}: no role {role}, which RUNTIME_ROLES names; make it first") from fault
        raise


def _state(fault: DBAPIError) -> str | None:
    return getattr(fault.orig, "sqlstate", None)
