"""What access keeps of its events: accounts, identities, keys, the roles of each, and a log that an auditor reads."""

from typing import Any

from sqlalchemy import BigInteger, Column, Connection, String, Table, Text, delete, insert, update
from sqlalchemy.sql.elements import ColumnElement

from services.access.aggregate import actor_of, actor_of_key
from services.access.tables import metadata
from shared.contracts.access import (
    AccessRefused,
    AccountCreated,
    AccountDisabled,
    AccountEnabled,
    IdentityLinked,
    KeyIssued,
    KeyRevoked,
    PasswordChanged,
    RoleGranted,
    RoleRevoked,
    SignedIn,
    SignInRefused,
)
from shared.event import Recorded, timestamp
from shared.views import Views

accounts = Table(
    "account",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("username", String(80), primary_key=True),
    Column("actor", String(100), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("display_name", Text, nullable=False),
    Column("origin", String(20), nullable=False),
    Column("status", String(10), nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("last_signed_in_at", String(40)),
    Column("password_changed_at", String(40)),
    Column("sessions_after", BigInteger, nullable=False),  # of the last event that ended all sessions: its position
)
identities = Table(
    "identity",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("username", String(80), nullable=False, index=True),
)
keys = Table(
    "api_key",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("key_id", String(80), primary_key=True),
    Column("actor", String(100), nullable=False),
    Column("description", Text, nullable=False),
    Column("status", String(10), nullable=False),
    Column("issued_at", String(40), nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("expires_on", String(10)),
    Column("revoked_because", Text),
)
roles = Table(
    "role_binding",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("holder", String(100), primary_key=True),
    Column("facility_id", String(80), primary_key=True),
    Column("role", String(20), primary_key=True),
    Column("granted_by", Text, nullable=False),
    Column("granted_at", String(40), nullable=False),
)
log = Table(
    "access_log",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("event_id", String(80), nullable=False),
    Column("at", String(40), nullable=False),
    Column("event", String(40), nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("about", Text),
    Column("facility_id", String(80)),
    Column("what", Text),
    Column("why", Text),
    Column("address", Text),
)


def fold(connection: Connection, recorded: Recorded) -> None:
    """Bring every view on by one event."""
    at = timestamp(recorded.recordedat)
    _fold_account(connection, recorded, at)
    _fold_rights(connection, recorded, at)
    connection.execute(insert(log).values(_line(recorded, at)))


def _fold_account(connection: Connection, recorded: Recorded, at: str) -> None:
    facility, event = recorded.facility, recorded.event
    match event:
        case AccountCreated():
            told = {"username": event.username, "kind": event.kind, "display_name": event.display_name}
            since = {"created_at": at, "created_by": recorded.actor, "status": "active", "sessions_after": 0}
            actor = actor_of(event.username, event.kind)
            row = {"facility": facility, "actor": actor, "origin": event.origin, **told, **since}
            connection.execute(insert(accounts).values(row))
        case AccountDisabled() | AccountEnabled():
            status = "disabled" if isinstance(event, AccountDisabled) else "active"
            changed = {"status": status, "sessions_after": recorded.position}
            _change_account(connection, facility, event.username, changed)
        case PasswordChanged():
            changed = {"password_changed_at": at, "sessions_after": recorded.position}
            _change_account(connection, facility, event.username, changed)
        case SignedIn():
            _change_account(connection, facility, event.username, {"last_signed_in_at": at})
        case IdentityLinked():
            connection.execute(insert(identities).values(facility=facility, **event.data()))


def _fold_rights(connection: Connection, recorded: Recorded, at: str) -> None:
    facility, event = recorded.facility, recorded.event
    match event:
        case RoleGranted():
            by = {"granted_by": recorded.actor, "granted_at": at}
            connection.execute(insert(roles).values(facility=facility, **event.data(), **by))
        case RoleRevoked():
            connection.execute(delete(roles).where(*_binding(facility, event)))
        case KeyIssued():
            issued = {"status": "active", "issued_at": at, "issued_by": recorded.actor}
            actor = actor_of_key(event.key_id)
            connection.execute(insert(keys).values(facility=facility, actor=actor, **event.data(), **issued))
        case KeyRevoked():
            revoked = update(keys).where(keys.c.facility == facility, keys.c.key_id == event.key_id)
            connection.execute(revoked.values(status="revoked", revoked_because=event.reason))


def _change_account(connection: Connection, facility: str, username: str, values: dict[str, Any]) -> None:
    whose = (accounts.c.facility == facility, accounts.c.username == username)
    connection.execute(update(accounts).where(*whose).values(values))


def _binding(facility: str, event: RoleRevoked) -> tuple[ColumnElement[bool], ...]:
    columns = roles.c
    return (
        columns.facility == facility,
        columns.holder == event.holder,
        columns.facility_id == event.facility_id,
        columns.role == event.role,
    )


def _line(recorded: Recorded, at: str) -> dict[str, Any]:
    """The event in the log, whatever it is."""
    event = recorded.event
    told = event.data()
    about = told.get("holder") or told.get("username") or told.get("key_id")
    what: str | None = told.get("role")
    match event:
        case SignInRefused():
            what = event.shown
        case AccessRefused():
            what = event.what
        case SignedIn():
            what = event.way
        case IdentityLinked():
            what = f"{event.issuer} {event.subject}"
        case PasswordChanged():
            what = event.by_means_of
    return {
        "facility": recorded.facility,
        "position": recorded.position,
        "event_id": recorded.id,
        "at": at,
        "event": event.event_name,
        "actor": recorded.actor,
        "about": about,
        "facility_id": told.get("facility_id"),
        "what": what,
        "why": told.get("why") or told.get("reason"),
        "address": told.get("address"),
    }


VIEWS = Views(metadata=metadata, fold=fold)
