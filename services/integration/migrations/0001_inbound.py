"""What other systems told."""

revision = "integration_0001"
down_revision = None
branch_labels = ("integration",)
depends_on = "ledger_0001"


def upgrade() -> None:
    """Create nothing yet."""
