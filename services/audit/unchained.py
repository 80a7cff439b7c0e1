"""What no chain covers: rows under a digest of their own, files under that of their content, and the schema itself."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection

from services.audit.chain import sha256_of, shown
from services.audit.folded import VIEWS, Told
from services.audit.snapshot import stream, tables_of
from services.scoring.rulebooks.rulebook import read_rulebook
from shared.checkpoints import checkpoints
from shared.database import newest_revisions
from shared.digest import COLUMN, digest
from shared.errors import Refused
from shared.installation import installation
from shared.ledger import commands, events, heads
from shared.views import view_version

_DIGESTED: Mapping[str, tuple[str, ...]] = {
    "command": ("command_id",),
    "installation": ("id",),
    "view_version": ("id",),
    "attachment": ("facility", "sha256"),
    "webhook_secret": ("facility", "webhook_id", "number"),
    "webhook_progress": ("facility", "webhook_id"),
    "delivery": ("facility", "webhook_id", "call"),
    "credential": ("kind", "name"),
}
"""Tables whose rows have a digest, and their keys."""
_UNDER_THEIR_HASH = {"rulebook": "text", "result": "body", "attachment": "content"}
"""Tables of content that is kept under its own SHA-256, `sha256`."""
_ONE_ROW = ("installation", "view_version")
_OF_ALL = {table.name for table in (heads, events, commands, checkpoints, installation, view_version)} | {
    "alembic_version"
}


def unchained(service: str, connection: Connection) -> Iterator[Told]:
    """Every difference in a service's database that its ledgers and views do not show."""
    there = tables_of(connection)
    expected = _OF_ALL | set(VIEWS[service].metadata.tables)
    yield from ((None, None, f"there is a table {shown(name)}, which is not of {service}") for name in there - expected)
    yield from ((None, None, f"there is no table {name}") for name in sorted(expected - there))
    if "alembic_version" in there:
        yield from _revisions(service, connection)
    for table in sorted({*_DIGESTED, *_UNDER_THEIR_HASH} & there & expected):
        yield from _rows(table, connection)
    if "view_version" in there:
        yield from _version(service, connection)
    for source, facility, parked in stream(connection, "SELECT source, facility, parked FROM checkpoint"):
        if parked is not None:
            yield _facility(facility), None, f"what {shown(source)} tells is parked: {shown(parked)}"


def _revisions(service: str, connection: Connection) -> Iterator[Told]:
    found = sorted((row[0] for row in stream(connection, "SELECT version_num FROM alembic_version")), key=repr)
    expected = sorted(newest_revisions(service))
    if found != expected:
        stands = " ".join(map(shown, found)) or "nowhere"
        yield None, None, f"table alembic_version: the schema stands at {stands}, expected {' '.join(expected)}"


def _rows(table: str, connection: Connection) -> Iterator[Told]:
    """Row by row: one may be a file of many megabytes."""
    count = 0
    for row in stream(connection, f"SELECT * FROM {table}", page=1 if table == "attachment" else None):  # noqa: S608
        count += 1
        values = row._asdict()
        facility = _facility(values["facility"]) if "facility" in values else None
        for what in _wrong(table, values):
            key = " ".join(shown(values[name]) for name in _DIGESTED.get(table, ("sha256",)))
            yield facility, None, f"table {table}, row {key}: {what}"
    if table in _ONE_ROW and count != 1:
        yield None, None, f"table {table} has {count} rows, expected one"


def _wrong(table: str, row: Mapping[str, Any]) -> Iterator[str]:
    if table in _DIGESTED and row[COLUMN] != _digest(row):
        yield "was changed: its digest is of another content"
    if table in _UNDER_THEIR_HASH:
        content = row[_UNDER_THEIR_HASH[table]]
        if (found := sha256_of(content)) != row["sha256"]:
            yield f"was changed: its content has sha256 {found}"
        elif table == "rulebook" and row["rulebook_id"] != (named := _rulebook_id(content)):
            yield f"rulebook_id is {shown(row['rulebook_id'])}, but the text says {shown(named)}"


def _digest(row: Mapping[str, Any]) -> str:
    try:
        return digest(row)
    except TypeError:  # no value that any service writes
        return ""


@cache
def _rulebook_id(content: bytes) -> str:
    try:
        return read_rulebook(content).id
    except Refused as fault:
        return f"nothing that can be read: {fault}"


def _version(service: str, connection: Connection) -> Iterator[Told]:
    for row in stream(connection, "SELECT version FROM view_version"):
        if row.version != VIEWS[service].version:
            yield (
                None,
                None,
                f"the views were folded by version {shown(row.version)} of their fold, now it is"
                f" {VIEWS[service].version}: xunjian rebuild",
            )


def _facility(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)
