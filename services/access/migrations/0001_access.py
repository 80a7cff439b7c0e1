"""Accounts, keys, sessions and roles."""

revision = "access_0001"
down_revision = None
branch_labels = ("access",)
depends_on = "ledger_0001"


def upgrade() -> None:
    """Create nothing yet."""
