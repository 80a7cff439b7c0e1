"""The tables of the work itself: what is known of assets, which points orders are about, what was found, and photos.

Moments that are compared or sorted by are UTC with microseconds (`sortable`); all others are as they were told.
"""

from datetime import UTC, datetime

from sqlalchemy import JSON, Boolean, Column, MetaData, String, Table, Text

from shared.attachments import attachment_table

NEVER = "9999-12-31T23:59:59.999999+00:00"
"""Where an order without a due time stands among those with one: behind them."""

metadata = MetaData()
halls = Table(
    "hall",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("name", Text, nullable=False),
    Column("timezone", String(80), nullable=False),
)
systems = Table(
    "system",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("system_id", String(80), primary_key=True),
    Column("name", Text, nullable=False),
    Column("decommissioned_on", String(10)),
)
points = Table(
    "point",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("point_id", String(80), primary_key=True),
    Column("system_id", String(80), nullable=False),
    Column("equipment", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("location", Text),
    Column("expected", JSON(none_as_null=True)),
    Column("retired", Boolean, nullable=False),
)
order_points = Table(
    "work_order_point",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("point_id", String(80), primary_key=True),
    Column("work_order_id", String(80), primary_key=True),
)
findings = Table(
    "finding",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("work_order_id", String(80), primary_key=True),
    Column("point_id", String(80), primary_key=True),
    Column("outcome", String(20), nullable=False),
    Column("reading", Text),
    Column("unit", Text),
    Column("note", Text),
    Column("fixed_on_site", Boolean),
    Column("photos", JSON, nullable=False),
    Column("at", String(40), nullable=False),
    Column("captured_at", String(40)),
    Column("recorded_at", String(40), nullable=False),
    Column("inspected_by", Text),
)
attachments = attachment_table(metadata)


def sortable(moment: datetime) -> str:
    """A moment as text that sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
