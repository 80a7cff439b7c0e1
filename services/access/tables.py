"""The tables of access that are no views: what lets somebody in, kept only as hashes, and what ends by itself.

They follow from no event, since no secret is in one. A credential's row has a digest. Sessions, one-time codes and
attempts have none: each is gone within days, and a row that somebody invents lets nobody in who has no account.
"""

from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text

metadata = MetaData()
credentials = Table(  # an argon2id hash of a person's password, or the SHA-256 of a key's secret
    "credential",
    metadata,
    Column("kind", String(10), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("digest", String(64), nullable=False),
)
sessions = Table(  # times are seconds since 1970, real ones
    "session",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("session_id", String(80), nullable=False),
    Column("username", String(80), nullable=False, index=True),
    Column("position", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
)
one_time = Table(
    "one_time",
    metadata,
    Column("code_id", String(80), primary_key=True),
    Column("code_sha256", String(64), nullable=False, unique=True),
    Column("purpose", String(20), nullable=False),
    Column("details", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)
attempts = Table(  # when something failed lately, by a hash of what it was tried on
    "attempt",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("failed_at", Text, nullable=False),
    Column("last_at", BigInteger, nullable=False, index=True),
)
