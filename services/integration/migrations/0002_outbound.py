"""What other systems are told."""

import sqlalchemy as sa
from alembic import op

revision = "integration_0002"
down_revision = "integration_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create feed, feed_head, webhook, webhook_secret, webhook_progress, delivery."""
    op.create_table(
        "feed",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("type", sa.String(120), nullable=False),
        sa.Column("hash", sa.String(80), nullable=False),
        sa.UniqueConstraint("facility", "source", "position"),
    )
    op.create_table(
        "feed_head",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "webhook",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("webhook_id", sa.String(80), primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("types", sa.JSON, nullable=False),
        sa.Column("signature", sa.String(10), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("paused_by", sa.Text),
        sa.Column("after", sa.BigInteger, nullable=False),
        sa.Column("begun", sa.Integer, nullable=False),
        sa.Column("started", sa.Integer, nullable=False),
        sa.Column("subscribed_at", sa.String(40), nullable=False),
    )
    op.create_table(
        "webhook_secret",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("webhook_id", sa.String(80), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("made_at", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_table(
        "webhook_progress",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("webhook_id", sa.String(80), primary_key=True),
        sa.Column("begun", sa.Integer, nullable=False),
        sa.Column("started", sa.Integer, nullable=False),
        sa.Column("delivered", sa.BigInteger, nullable=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failing_since", sa.String(40)),
        sa.Column("next_at", sa.String(40)),
        sa.Column("last_error", sa.Text),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_table(
        "delivery",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("webhook_id", sa.String(80), primary_key=True),
        sa.Column("call", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("type", sa.String(120), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("milliseconds", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("digest", sa.String(64), nullable=False),
    )
