"""What other systems are told."""

revision = "integration_0002"
down_revision = "integration_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create nothing yet."""
