"""The views of work_orders."""

import sqlalchemy as sa
from alembic import op

revision = "work_orders_0001"
down_revision = None
branch_labels = ("work_orders",)
depends_on = "ledger_0001"


def upgrade() -> None:
    """Create work_order, cost, incident."""
    op.create_table(
        "work_order",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("work_order_id", sa.String(80), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("system_id", sa.String(80), nullable=False),
        sa.Column("occurrence_id", sa.String(80), index=True),
        sa.Column("point_ids", sa.JSON, nullable=False),
        sa.Column("priority", sa.String(10), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("caused_by", sa.String(80)),
        sa.Column("due_at", sa.String(40)),
        sa.Column("status", sa.String(20), nullable=False, index=True),
        sa.Column("assignee", sa.Text),
        sa.Column("performed_at", sa.String(40)),
        sa.Column("results", sa.Integer, nullable=False),
    )
    op.create_table(
        "cost",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("cost_id", sa.String(80), primary_key=True),
        sa.Column("amount", sa.String(20), nullable=False),
        sa.Column("category", sa.String(20), nullable=False),
        sa.Column("incurred_on", sa.String(10), nullable=False),
        sa.Column("work_order_id", sa.String(80)),
        sa.Column("supplier", sa.Text),
        sa.Column("invoice", sa.Text),
        sa.Column("status", sa.String(10), nullable=False),
    )
    op.create_table(
        "incident",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("incident_id", sa.String(80), primary_key=True),
        sa.Column("occurred_at", sa.String(40), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
    )
