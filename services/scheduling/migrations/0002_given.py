"""Who was given the work of a visit stands apart from who did it; views then are folded from events alone."""

import sqlalchemy as sa
from alembic import op

revision = "scheduling_0002"
down_revision = "scheduling_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add doer.given, which the next rebuild of the views fills, and find doers by their occurrence."""
    op.add_column("doer", sa.Column("given", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("ix_doer_occurrence_id", "doer", ["occurrence_id"])
