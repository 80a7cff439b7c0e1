"""The views of scoring."""

import sqlalchemy as sa
from alembic import op

revision = "scoring_0001"
down_revision = None
branch_labels = ("scoring",)
depends_on = "ledger_0001"


def upgrade() -> None:
    """Create journal, rulebook, assessment."""
    op.create_table(
        "journal",
        sa.Column("source", sa.String(80), primary_key=True),
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.String(80), nullable=False),
    )
    op.create_table(
        "rulebook",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("rulebook_id", sa.String(80), nullable=False),
        sa.Column("text", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "assessment",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("assessment_id", sa.String(80), primary_key=True),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("official", sa.String(64), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("result_sha256", sa.String(64)),
        sa.Column("total", sa.Text),
    )
