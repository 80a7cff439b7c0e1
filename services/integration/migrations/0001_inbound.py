"""What other systems told."""

import sqlalchemy as sa
from alembic import op

revision = "integration_0001"
down_revision = None
branch_labels = ("integration",)
depends_on = "ledger_0001"


def upgrade() -> None:
    """Create hall, source, mapping, message, closed_day and attachment."""
    _create_sources()
    _create_messages()
    op.create_table(
        "closed_day",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("source", sa.String(200), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("message", sa.String(64), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("ratings", sa.BigInteger),
        sa.Column("amount", sa.String(20)),
    )
    op.create_table(
        "attachment",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, server_default=sa.text("''")),
    )


def _create_sources() -> None:
    op.create_table(
        "hall",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("timezone", sa.String(80), nullable=False),
    )
    op.create_table(
        "source",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("source_id", sa.String(80), primary_key=True),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("mapping_sha256", sa.String(64), nullable=False),
        sa.Column("mapped_by", sa.Text, nullable=False),
        sa.Column("mapped_at", sa.String(40), nullable=False),
    )
    op.create_index("source_by_name", "source", ["facility", "source"], unique=True)
    op.create_table(
        "mapping",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("source_id", sa.String(80), primary_key=True),
        sa.Column("mapping_sha256", sa.String(64), primary_key=True),
        sa.Column("mapping", sa.Text, nullable=False),
    )


def _create_messages() -> None:
    op.create_table(
        "message",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("message", sa.String(64), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("message_id", sa.String(200), nullable=False),
        sa.Column("message_type", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("received_from", sa.Text, nullable=False),
        sa.Column("received_at", sa.String(40), nullable=False),
        sa.Column("happened_at", sa.String(40), nullable=False),
        sa.Column("source_id", sa.String(80)),
        sa.Column("mapping_sha256", sa.String(64)),
        sa.Column("fact", sa.String(40)),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("accepted_by", sa.String(40)),
        sa.Column("accepted_as", sa.String(200)),
        sa.Column("ratings", sa.BigInteger),
        sa.Column("amount", sa.String(20)),
        sa.Column("superseded_by", sa.String(64)),
        sa.Column("repeats", sa.Integer, nullable=False),
        sa.Column("contradictions", sa.Integer, nullable=False),
    )
    op.create_index("message_by_status", "message", ["facility", "status", "position"])
    op.create_index("message_by_day", "message", ["facility", "happened_at"])
    op.create_index("message_by_thing", "message", ["facility", "fact", "accepted_as"])
