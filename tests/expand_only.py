"""What a revision would do to the databases of services that still run the version before it, told without doing it."""

import re
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations, ops

_TAKES_AWAY = re.compile(
    r"\b(DROP|RENAME|(?<!BEFORE )TRUNCATE|REVOKE|SET\s+NOT\s+NULL|ALTER\s+COLUMN|VALIDATE|LOCK\s+TABLE|VACUUM|CLUSTER|REINDEX)\b",
    re.IGNORECASE,
)


def harm_of(upgrade: Callable[[], None]) -> list[str]:
    """What the `upgrade` of a revision does that an older version, or a long table, does not bear; none where it is fine."""
    # What is executed directly is only written down, and so answers nothing: a revision that asks first fails here.
    said = StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": said})
    noted: list[Any] = []
    operations = Operations(context)
    operations.invoke = noted.append  # type: ignore[method-assign]  # noted, and not carried out
    operations._install_proxy()
    try:
        upgrade()
    finally:
        operations._remove_proxy()
    made = {one.table_name for one in noted if isinstance(one, ops.CreateTableOp)}
    found = [why for one in noted for why in _harm(one, made)]
    return found + [f"executes {words}" for words in said.getvalue().split(";") if _TAKES_AWAY.search(words)]


def _harm(one: Any, made: set[str]) -> Iterator[str]:
    match one:
        case ops.CreateTableOp():
            return
        case ops.AddColumnOp():
            if not one.column.nullable and one.column.server_default is None:
                yield f"adds {one.table_name}.{one.column.name}, which may not be null and has no server_default"
        case ops.CreateIndexOp():
            if one.table_name not in made and not one.kw.get("postgresql_concurrently"):
                yield f"builds an index on {one.table_name} while nobody may write: postgresql_concurrently=True"
        case ops.ExecuteSQLOp():
            if _TAKES_AWAY.search(str(one.sqltext)):
                yield f"executes {one.sqltext}"
        case ops.BulkInsertOp():
            return
        case _:
            yield f"takes away or changes what is there: {type(one).__name__}"
