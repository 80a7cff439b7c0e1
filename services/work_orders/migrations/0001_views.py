"""The views of work_orders."""

import sqlalchemy as sa
from alembic import op

revision = "work_orders_0001"
down_revision = None
branch_labels = ("work_orders",)
depends_on = "ledger_0001"


def upgrade() -> None:
    """Create the tables of work, of what stands beside it, and of the assets that it is about."""
    _create_work()
    _create_known_assets()
    _create_records()


def _create_work() -> None:
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
        sa.Column("caused_by", sa.String(80), index=True),
        sa.Column("due_at", sa.String(40)),
        sa.Column("due_basis", sa.String(20)),
        sa.Column("escalates_at", sa.String(40)),
        sa.Column("escalated", sa.Integer, nullable=False),
        sa.Column("due_sort", sa.String(40), nullable=False),
        sa.Column("window_start", sa.String(10)),
        sa.Column("window_end", sa.String(10)),
        sa.Column("opened_at", sa.String(40), nullable=False),
        sa.Column("status", sa.String(20), nullable=False, index=True),
        sa.Column("assignee", sa.Text),
        sa.Column("performed_at", sa.String(40)),
        sa.Column("performed_by", sa.Text),
        sa.Column("omitted_point_ids", sa.JSON, nullable=False),
        sa.Column("flags", sa.JSON, nullable=False),
        sa.Column("results", sa.Integer, nullable=False),
    )
    op.create_table(
        "work_order_point",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("point_id", sa.String(80), primary_key=True),
        sa.Column("work_order_id", sa.String(80), primary_key=True),
    )
    op.create_table(
        "finding",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("work_order_id", sa.String(80), primary_key=True),
        sa.Column("point_id", sa.String(80), primary_key=True),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("reading", sa.Text),
        sa.Column("unit", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("fixed_on_site", sa.Boolean),
        sa.Column("photos", sa.JSON, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("captured_at", sa.String(40)),
        sa.Column("recorded_at", sa.String(40), nullable=False),
        sa.Column("inspected_by", sa.Text),
    )
    op.create_table(
        "attachment",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )


def _create_known_assets() -> None:
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
        sa.Column("decommissioned_on", sa.String(10)),
    )
    op.create_table(
        "point",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("point_id", sa.String(80), primary_key=True),
        sa.Column("system_id", sa.String(80), nullable=False),
        sa.Column("equipment", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("location", sa.Text),
        sa.Column("expected", sa.JSON),
        sa.Column("retired", sa.Boolean, nullable=False),
    )


def _create_records() -> None:
    op.create_table(
        "work_request",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("request_id", sa.String(80), primary_key=True),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("requested_at", sa.String(40), nullable=False),
        sa.Column("system_id", sa.String(80)),
        sa.Column("point_id", sa.String(80)),
        sa.Column("work_order_id", sa.String(80)),
        sa.Column("rejected_because", sa.Text),
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
        sa.Column("reversed_because", sa.Text),
    )
    op.create_table(
        "replacement",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("replacement_id", sa.String(80), primary_key=True),
        sa.Column("work_order_id", sa.String(80), nullable=False),
        sa.Column("point_id", sa.String(80), nullable=False),
        sa.Column("requested_on", sa.String(10), nullable=False),
        sa.Column("replaced_on", sa.String(10), nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("nameplate", sa.JSON),
    )
    op.create_table(
        "incident",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("incident_id", sa.String(80), primary_key=True),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("occurred_at", sa.String(40), nullable=False),
        sa.Column("harms", sa.JSON, nullable=False),
        sa.Column("visitors_affected", sa.Boolean),
        sa.Column("report", sa.JSON, nullable=False),
        sa.Column("finding", sa.JSON),
        sa.Column("dismissed_because", sa.Text),
    )
    _create_what_others_say()


def _create_what_others_say() -> None:
    op.create_table(
        "workday_calendar",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("holidays", sa.JSON, nullable=False),
        sa.Column("make_up_workdays", sa.JSON, nullable=False),
    )
    op.create_table(
        "budget",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("initial", sa.String(20), nullable=False),
        sa.Column("annual", sa.String(20), nullable=False),
        sa.Column("as_of", sa.String(10), nullable=False),
        sa.Column("recorded_at", sa.String(40), nullable=False),
        sa.Column("event_id", sa.String(80), nullable=False),
    )
