"""The views of scheduling."""

import sqlalchemy as sa
from alembic import op

revision = "scheduling_0001"
down_revision = None
branch_labels = ("scheduling",)
depends_on = "ledger_0001"


def upgrade() -> None:
    """Create hall, system, point, plan, plan_item, occurrence, leaving, job, doer."""
    op.create_table(
        "hall",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("timezone", sa.String(80), nullable=False),
    )
    op.create_table(
        "system",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("system_id", sa.String(80), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("commissioned_on", sa.String(10), nullable=False),
        sa.Column("decommissioned_on", sa.String(10)),
        sa.Column("told_on", sa.String(10), nullable=False),
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
        "plan_item",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("plan_item_id", sa.String(80), primary_key=True),
        sa.Column("plan_id", sa.String(80), nullable=False),
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
        sa.Column("because", sa.String(20)),
        sa.Column("assignee", sa.Text),
        sa.Column("changed_at", sa.String(40), nullable=False),
    )
    op.create_table(
        "leaving",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("occurrence_id", sa.String(80), primary_key=True),
        sa.Column("told_on", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "job",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("work_order_id", sa.String(80), primary_key=True),
        sa.Column("occurrence_id", sa.String(80), nullable=False),
    )
    op.create_table(
        "doer",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True),
        sa.Column("occurrence_id", sa.String(80), nullable=False),
        sa.Column("doer", sa.Text, nullable=False),
    )
