"""What no chain covers gets a digest of its own, and the views say by which version of their fold they were made."""

import hashlib

import orjson
import sqlalchemy as sa
from alembic import op

revision = "ledger_0002"
down_revision = "ledger_0001"
branch_labels = None
depends_on = None

GENESIS = "sha256:" + 64 * "0"
PAGE = 500


def upgrade() -> None:
    """Add the digests of command and installation, the hash beside ledger.published, and the table view_version."""
    for table in ("command", "installation"):
        op.add_column(table, sa.Column("digest", sa.String(64), nullable=False, server_default=sa.text("''")))
    op.add_column("ledger", sa.Column("published_hash", sa.String(80), nullable=False, server_default=GENESIS))
    op.create_table(
        "view_version",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    connection = op.get_bind()
    _hash_what_is_published(connection)
    _digest_rows(connection, "command", "command_id", ("command_id", "fingerprint", "outcome"))
    _digest_rows(connection, "installation", "id", ("id", "simulated", "created_at", "now"))
    told = "SELECT 1 FROM event UNION ALL SELECT 1 FROM checkpoint LIMIT 1"
    if connection.execute(sa.text(told)).first():
        first: dict[str, object] = {"id": 1, "version": 1}
        insert = sa.text("INSERT INTO view_version VALUES (:id, :version, :digest)")
        connection.execute(insert, {**first, "digest": digest(first)})


def _hash_what_is_published(connection: sa.Connection) -> None:
    connection.execute(
        sa.text(
            "UPDATE ledger SET published_hash = (SELECT hash FROM event"
            " WHERE event.facility = ledger.facility AND event.position = ledger.published) WHERE EXISTS"
            " (SELECT 1 FROM event WHERE event.facility = ledger.facility AND event.position = ledger.published)"
        )
    )


def _digest_rows(connection: sa.Connection, table: str, key: str, columns: tuple[str, ...]) -> None:
    """Page by page, in the order of the key."""
    names = ", ".join(columns)
    first = f"SELECT {names} FROM {table} ORDER BY {key} LIMIT {PAGE}"  # noqa: S608  names of ours
    more = f"SELECT {names} FROM {table} WHERE {key} > :after ORDER BY {key} LIMIT {PAGE}"  # noqa: S608
    update = sa.text(f"UPDATE {table} SET digest = :digest WHERE {key} = :key")  # noqa: S608
    rows = connection.execute(sa.text(first)).mappings().all()
    while rows:
        connection.execute(update, [{"key": row[key], "digest": digest(dict(row))} for row in rows])
        rows = connection.execute(sa.text(more), {"after": rows[-1][key]}).mappings().all()


def digest(row: dict[str, object]) -> str:
    """As `shared.digest` computed it when this revision was written: a revision does not change with the code."""
    plain = {
        str(name): [hashlib.sha256(value).hexdigest()]
        if isinstance(value, bytes | memoryview)
        else (int(value) if isinstance(value, bool) else value)
        for name, value in row.items()
    }
    return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()
