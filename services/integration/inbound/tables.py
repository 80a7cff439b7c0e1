"""What is kept of what other systems tell: halls, sources with their mappings, messages, the days that were closed.

Moments are UTC with microseconds, as text that sorts as time does.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    insert,
    update,
)

from services.integration.tables import metadata
from shared.attachments import attachment_table
from shared.contracts.asset_registry import FacilityRegistered
from shared.contracts.integration import (
    MessageAccepted,
    MessageContradicted,
    MessageReceived,
    MessageRefused,
    MessageRepeated,
    MessageRetried,
    SourceMapped,
)
from shared.event import Recorded

HEARS = (FacilityRegistered,)
"""What is folded of other services' events."""

halls = Table(
    "hall",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("timezone", String(80), nullable=False),
)
sources = Table(  # the mapping that holds of each
    "source",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("source_id", String(80), primary_key=True),
    Column("source", String(200), nullable=False),
    Column("mapping_sha256", String(64), nullable=False),
    Column("mapped_by", Text, nullable=False),
    Column("mapped_at", String(40), nullable=False),
    Index("source_by_name", "facility", "source", unique=True),
)
mappings = Table(  # every one that ever held: what is pending is read by its own
    "mapping",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("source_id", String(80), primary_key=True),
    Column("mapping_sha256", String(64), primary_key=True),
    Column("mapping", Text, nullable=False),
)
messages = Table(
    "message",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("message", String(64), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("source", String(200), nullable=False),
    Column("message_id", String(200), nullable=False),
    Column("message_type", String(200), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("received_from", Text, nullable=False),
    Column("received_at", String(40), nullable=False),
    Column("happened_at", String(40), nullable=False),
    Column("source_id", String(80)),
    Column("mapping_sha256", String(64)),
    Column("fact", String(40)),
    Column("status", String(10), nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("accepted_by", String(40)),
    Column("accepted_as", String(200)),
    Column("ratings", BigInteger),
    Column("amount", String(20)),
    Column("superseded_by", String(64)),
    Column("repeats", Integer, nullable=False),
    Column("contradictions", Integer, nullable=False),
    Index("message_by_status", "facility", "status", "position"),
    Index("message_by_day", "facility", "happened_at"),
    Index("message_by_thing", "facility", "fact", "accepted_as"),
)
closed_days = Table(  # what a source said last of a day
    "closed_day",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("source", String(200), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("message", String(64), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("ratings", BigInteger),
    Column("amount", String(20)),
)
attachments = attachment_table(metadata)
"""The envelopes as they were sent, each under its SHA-256."""


def sortable(moment: datetime) -> str:
    """A moment as text that sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def fold(connection: Connection, recorded: Recorded) -> None:
    """Bring the tables on by one event; any that is of something else changes nothing."""
    facility, event = recorded.facility, recorded.event
    match event:
        case FacilityRegistered():
            connection.execute(insert(halls).values(facility=facility, timezone=event.timezone))
        case SourceMapped():
            _map(connection, recorded, event)
        case MessageReceived():
            connection.execute(insert(messages).values(_received(recorded, event)))
        case MessageAccepted():
            _accept(connection, facility, event)
        case MessageRefused():
            reasons = event.data()["reasons"]
            _change(connection, facility, event.message, status="refused", reasons=reasons)
        case MessageRetried():
            read_by = {"source_id": event.source_id, "mapping_sha256": event.mapping_sha256, "fact": event.fact}
            _change(connection, facility, event.message, status="pending", reasons=[], **read_by)
        case MessageRepeated():
            _change(connection, facility, event.message, repeats=messages.c.repeats + 1)
        case MessageContradicted():
            _change(connection, facility, event.message, contradictions=messages.c.contradictions + 1)


def _map(connection: Connection, recorded: Recorded, event: SourceMapped) -> None:
    key = {"facility": recorded.facility, "source_id": event.source_id}
    row = {
        "source": event.source,
        "mapping_sha256": event.mapping_sha256,
        "mapped_by": event.mapped_by,
        "mapped_at": sortable(recorded.time),
    }
    connection.execute(delete(sources).filter_by(**key))
    connection.execute(insert(sources).values(**key, **row))
    known = {**key, "mapping_sha256": event.mapping_sha256}
    connection.execute(delete(mappings).filter_by(**known))
    connection.execute(insert(mappings).values(**known, mapping=event.mapping))


def _received(recorded: Recorded, event: MessageReceived) -> dict[str, Any]:
    return {
        "facility": recorded.facility,
        "message": event.message,
        "position": recorded.position,
        "source": event.source,
        "message_id": event.message_id,
        "message_type": event.message_type,
        "sha256": event.sha256,
        "received_from": event.received_from,
        "received_at": sortable(recorded.time),
        "happened_at": sortable(event.happened_at or recorded.time),
        "source_id": event.source_id,
        "mapping_sha256": event.mapping_sha256,
        "fact": event.fact,
        "status": "pending",
        "reasons": [],
        "repeats": 0,
        "contradictions": 0,
    }


def _accept(connection: Connection, facility: str, event: MessageAccepted) -> None:
    taken = {
        "fact": event.fact,
        "accepted_by": event.accepted_by,
        "accepted_as": event.accepted_as,
        "ratings": event.ratings,
        "amount": None if event.amount is None else str(event.amount),
        "superseded_by": event.superseded_by,
    }
    _change(connection, facility, event.message, status="accepted", **taken)
    if event.closed is not None and event.superseded_by is None:
        key = {"facility": facility, "source": event.source, "day": event.closed.day.isoformat()}
        amount = None if event.closed.amount is None else str(event.closed.amount)
        stated = {"count": event.closed.count, "ratings": event.closed.ratings, "amount": amount}
        connection.execute(delete(closed_days).filter_by(**key))
        connection.execute(insert(closed_days).values(**key, message=event.message, **stated))


def _change(connection: Connection, facility: str, message: str, **values: Any) -> None:
    connection.execute(update(messages).filter_by(facility=facility, message=message).values(**values))
