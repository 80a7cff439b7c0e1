"""The tables of what other systems are told: the numbered sequence, the webhooks, and how far each of them is."""

from sqlalchemy import JSON, BigInteger, Column, Integer, String, Table, Text, UniqueConstraint

from services.integration.tables import metadata

feed = Table(  # what arrived here, in the order in which it did: bodies stay in the ledgers that they are from
    "feed",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("source", String(80), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("type", String(120), nullable=False),
    Column("hash", String(80), nullable=False),
    UniqueConstraint("facility", "source", "position"),
)
feed_heads = Table(  # the last number given in a facility; whoever gives the next one locks the row
    "feed_head",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("number", BigInteger, nullable=False),
)
webhooks = Table(  # a view
    "webhook",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("webhook_id", String(80), primary_key=True),
    Column("url", Text, nullable=False),
    Column("types", JSON, nullable=False),  # empty: all
    Column("signature", String(10), nullable=False),
    Column("status", String(10), nullable=False),  # active, paused or removed
    Column("reason", Text),  # why it is paused
    Column("paused_by", Text),
    Column("after", BigInteger, nullable=False),  # the number behind which it was begun
    Column("begun", Integer, nullable=False),  # by which event of its stream: another one begins anew
    Column("started", Integer, nullable=False),  # by which event it was last set going: its failures count since then
    Column("subscribed_at", String(40), nullable=False),
)
secrets = Table(  # what webhooks are signed with, by the event of its stream that asked for it
    "webhook_secret",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("webhook_id", String(80), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("made_at", String(40), nullable=False),
    Column("digest", String(64), nullable=False),
)
progress = Table(  # how far a webhook is; `calls` counts all calls that were made
    "webhook_progress",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("webhook_id", String(80), primary_key=True),
    Column("begun", Integer, nullable=False),
    Column("started", Integer, nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failing_since", String(40)),
    Column("next_at", String(40)),
    Column("last_error", Text),
    Column("digest", String(64), nullable=False),
)
deliveries = Table(  # the newest calls of each webhook
    "delivery",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("webhook_id", String(80), primary_key=True),
    Column("call", BigInteger, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("type", String(120), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", String(40), nullable=False),
    Column("status", Integer),
    Column("milliseconds", Integer, nullable=False),
    Column("error", Text),
    Column("digest", String(64), nullable=False),
)
