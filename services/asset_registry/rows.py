"""Many rows into a table at once."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Table, Text, cast, column, func, insert, literal, select
from sqlalchemy.dialects import postgresql


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all have the same columns; on PostgreSQL as one JSON text, in one statement.

    psycopg would send a statement for each row, and wait for each.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(insert(table), rows)
        return
    names = list(rows[0])
    told = func.json_to_recordset(cast(literal(orjson.dumps(rows).decode(), Text), postgresql.JSON))
    given = told.table_valued(*(column(name, table.c[name].type) for name in names)).render_derived(with_types=True)
    connection.execute(insert(table).from_select(names, select(*given.c)))
