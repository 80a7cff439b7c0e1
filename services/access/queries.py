"""What is asked of access: lists of accounts, keys, and of what happened."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from services.access.views import accounts as account_rows
from services.access.views import identities, log, roles
from services.access.views import keys as key_rows
from shared.database import Database
from shared.errors import NotFound
from shared.pages import Page, page
from shared.rights import INSTALLATION

ACCOUNT_SORTS = {
    "username": (account_rows.c.username,),
    "created_at": (account_rows.c.created_at, account_rows.c.username),
}
KEY_SORTS = {"key_id": (key_rows.c.key_id,), "issued_at": (key_rows.c.issued_at, key_rows.c.key_id)}
LOG_SORTS = {"position": (log.c.position,)}
_HIDDEN = ("facility", "sessions_after")


def accounts(database: Database, sort: str | None, cursor: str | None, limit: int | None) -> Page:
    """A page of accounts."""
    wanted = select(account_rows).where(account_rows.c.facility == INSTALLATION)
    found = page(database, wanted, ACCOUNT_SORTS, sort, cursor, limit)
    return Page(items=_with_roles(database, found["items"]), next=found["next"])


def account(database: Database, username: str) -> dict[str, Any]:
    """One account; raises NotFound."""
    whose = (account_rows.c.facility == INSTALLATION, account_rows.c.username == username)
    found = database.mappings(select(account_rows).where(*whose))
    if not found:
        raise NotFound(f"no account {username}")
    (told,) = _with_roles(database, found)
    linked = select(identities.c.issuer, identities.c.subject).where(
        identities.c.facility == INSTALLATION, identities.c.username == username
    )
    return {**told, "identities": database.mappings(linked.order_by(identities.c.issuer, identities.c.subject))}


def keys(database: Database, today: date, sort: str | None, cursor: str | None, limit: int | None) -> Page:
    """A page of keys."""
    wanted = select(key_rows).where(key_rows.c.facility == INSTALLATION)
    found = page(database, wanted, KEY_SORTS, sort, cursor, limit)
    told = _with_roles(database, found["items"])
    for key in told:
        over = key["expires_on"] is not None and date.fromisoformat(key["expires_on"]) < today
        key["status"] = "expired" if over and key["status"] == "active" else key["status"]
    return Page(items=told, next=found["next"])


def access_log(
    database: Database, filters: Mapping[str, str | None], sort: str | None, cursor: str | None, limit: int | None
) -> Page:
    """A page of the log, newest first unless a `sort` says otherwise."""
    asked = [log.c[name] == value for name, value in filters.items() if value is not None]
    wanted = select(log).where(log.c.facility == INSTALLATION, *asked)
    found = page(database, wanted, LOG_SORTS, sort or "-position", cursor, limit)
    return Page(items=[_shown(row) for row in found["items"]], next=found["next"])


def _with_roles(database: Database, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of accounts or keys, each with the roles of its actor."""
    told = [{**_shown(row), "roles": []} for row in rows]
    by_actor = {row["actor"]: row["roles"] for row in told}
    held = select(roles).where(roles.c.facility == INSTALLATION, roles.c.holder.in_(by_actor))
    for row in database.mappings(held.order_by(roles.c.holder, roles.c.facility_id, roles.c.role)):
        role = {name: row[name] for name in ("facility_id", "role", "granted_by", "granted_at")}
        by_actor[row["holder"]].append(role)
    return told


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _HIDDEN}
