"""The views of asset_registry."""

import sqlalchemy as sa
from alembic import op

revision = "asset_registry_0001"
down_revision = None
branch_labels = ("asset_registry",)
depends_on = "ledger_0001"


def upgrade() -> None:
    """Create facility, system, point."""
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
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("commissioned_on", sa.String(10), nullable=False),
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
        sa.Column("retired", sa.Boolean, nullable=False),
    )
