"""The views of scheduling."""

import sqlalchemy as sa
from alembic import op

revision = "scheduling_0001"
down_revision = None
branch_labels = ("scheduling",)
depends_on = "ledger_0001"


def upgrade() -> None:
    """Create hall, system, point, plan, occurrence."""
    op.create_table(
        "hall",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("timezone", sa.String(80), nullable=False),
    )
    op.create_table(
        "system",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("system_id", sa.String(80), primary_key=True),
        sa.Column("commissioned_on", sa.String(10), nullable=False),
        sa.Column("decommissioned_on", sa.String(10)),
    )
    op.create_table(
        "point",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("point_id", sa.String(80), primary_key=True),
        sa.Column("system_id", sa.String(80), nullable=False),
    )
    op.create_table(
        "plan",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("plan_id", sa.String(80), primary_key=True),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("items", sa.Integer, nullable=False),
    )
    op.create_table(
        "occurrence",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("occurrence_id", sa.String(80), primary_key=True),
        sa.Column("plan_item_id", sa.String(80), nullable=False),
        sa.Column("system_id", sa.String(80), nullable=False),
        sa.Column("activity", sa.String(20), nullable=False),
        sa.Column("period", sa.String(7), nullable=False),
        sa.Column("window_start", sa.String(10), nullable=False),
        sa.Column("window_end", sa.String(10), nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("excused", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text),
    )
