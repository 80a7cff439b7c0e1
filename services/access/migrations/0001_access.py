"""Accounts, keys, sessions and roles."""

import sqlalchemy as sa
from alembic import op

revision = "access_0001"
down_revision = None
branch_labels = ("access",)
depends_on = "ledger_0001"


def upgrade() -> None:
    """Create the views, and beside them what lets somebody in."""
    _create_accounts()
    _create_roles_and_log()
    _create_what_lets_in()


def _create_accounts() -> None:
    op.create_table(
        "account",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("username", sa.String(80), primary_key=True),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("origin", sa.String(20), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("created_at", sa.String(40), nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("last_signed_in_at", sa.String(40)),
        sa.Column("password_changed_at", sa.String(40)),
        sa.Column("sessions_after", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "identity",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("username", sa.String(80), nullable=False, index=True),
    )
    op.create_table(
        "api_key",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("key_id", sa.String(80), primary_key=True),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("issued_at", sa.String(40), nullable=False),
        sa.Column("issued_by", sa.Text, nullable=False),
        sa.Column("expires_on", sa.String(10)),
        sa.Column("revoked_because", sa.Text),
    )


def _create_roles_and_log() -> None:
    op.create_table(
        "role_binding",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("holder", sa.String(100), primary_key=True),
        sa.Column("facility_id", sa.String(80), primary_key=True),
        sa.Column("role", sa.String(20), primary_key=True),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("granted_at", sa.String(40), nullable=False),
    )
    op.create_table(
        "access_log",
        sa.Column("facility", sa.String(80), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True),
        sa.Column("event_id", sa.String(80), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("event", sa.String(40), nullable=False, index=True),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("about", sa.Text),
        sa.Column("facility_id", sa.String(80)),
        sa.Column("what", sa.Text),
        sa.Column("why", sa.Text),
        sa.Column("address", sa.Text),
    )


def _create_what_lets_in() -> None:
    op.create_table(
        "credential",
        sa.Column("kind", sa.String(10), primary_key=True),
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_table(
        "session",
        sa.Column("token_sha256", sa.String(64), primary_key=True),
        sa.Column("session_id", sa.String(80), nullable=False),
        sa.Column("username", sa.String(80), nullable=False, index=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "one_time",
        sa.Column("code_id", sa.String(80), primary_key=True),
        sa.Column("code_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_table(
        "attempt",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("failed_at", sa.Text, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False, index=True),
    )
