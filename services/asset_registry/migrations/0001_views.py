"""The views of asset_registry."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "asset_registry_0001"
down_revision = None
branch_labels = ("asset_registry",)
depends_on = "ledger_0001"


def upgrade() -> None:
    """Create facility, system, point_id, point, equipment, attachment."""
    op.create_table(
        "facility",
        sa.Column("facility_id", sa.String(80), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("region_code", sa.String(12), nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("floor_area_m2", sa.BigInteger),
        sa.Column("timezone", sa.String(80), nullable=False),
    )
    op.create_table(
        "system",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("system_id", sa.String(80), primary_key=True),
        *valid(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("decommissioned_on", sa.String(10)),
    )
    op.create_table(
        "point_id",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("point_id", sa.String(80), primary_key=True),
        sa.Column("system_id", sa.String(80), nullable=False),
    )
    op.create_table(
        "point",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("point_id", sa.String(80), primary_key=True),
        *valid(),
        sa.Column("system_id", sa.String(80), nullable=False),
        sa.Column("equipment", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("location", sa.Text),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("expected", sa.JSON),
        sa.Column("described", sa.Boolean, nullable=False),
        sa.Column("replaced_on", sa.String(10)),
        *nameplate(),
    )
    op.create_table(
        "equipment",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("system_id", sa.String(80), primary_key=True),
        sa.Column("equipment", sa.Text, primary_key=True),
        *valid(),
        *nameplate(),
    )
    op.create_table(
        "attachment",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )


def valid() -> tuple[sa.Column[str], ...]:
    """The days for which a row holds."""
    return sa.Column("valid_from", sa.String(10), primary_key=True), sa.Column("valid_until", sa.String(10))


def nameplate() -> tuple[sa.Column[Any], ...]:
    """What is said of equipment."""
    return (
        *(sa.Column(name, sa.Text) for name in ("maker", "model", "serial", "supplier")),
        *(sa.Column(name, sa.String(10)) for name in ("installed_on", "warranty_until")),
        sa.Column("documents", sa.JSON),
    )
