"""The ledger, its remembered commands, the reader's checkpoints, and the mark of the installation."""

import sqlalchemy as sa
from alembic import op

revision = "ledger_0001"
down_revision = None
branch_labels = ("ledger",)
depends_on = None


def upgrade() -> None:
    """Create the tables that every service has; `event` refuses UPDATE and DELETE from then on."""
    op.create_table(
        "ledger",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(80), nullable=False),
        sa.Column("published", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "event",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True),
        sa.Column("event_id", sa.String(80), nullable=False, unique=True),
        sa.Column("stream", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("type", sa.String(120), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.String(80), nullable=False),
        sa.UniqueConstraint("facility", "stream", "version"),
    )
    op.create_table(
        "command",
        sa.Column("command_id", sa.String(200), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("outcome", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "checkpoint",
        sa.Column("source", sa.String(80), primary_key=True),
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(80), nullable=False),
        sa.Column("parked", sa.Text),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.String(40), nullable=False),
        sa.Column("now", sa.String(40), nullable=False),
    )
    guard = _POSTGRESQL_GUARD if op.get_bind().dialect.name == "postgresql" else _SQLITE_GUARD
    for statement in guard:
        op.execute(statement)


_SQLITE_GUARD = tuple(
    f"CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON event"
    f" BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: {verb} of event refused'); END"
    for verb in ("UPDATE", "DELETE")
)
_POSTGRESQL_GUARD = (
    "CREATE FUNCTION event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " RAISE EXCEPTION 'the ledger is append-only: % of event refused', TG_OP; END $$",
    "CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON event"
    " FOR EACH ROW EXECUTE FUNCTION event_is_append_only()",
    "CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON event"
    " FOR EACH STATEMENT EXECUTE FUNCTION event_is_append_only()",
)
