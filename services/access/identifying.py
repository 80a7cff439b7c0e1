"""The part of the service that says who calls: by a session, an API key, a signed token, or the operator's key."""

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from services.access import recording, tokens
from services.access.aggregate import actor_of
from services.access.refusal import NotLetIn
from services.access.views import accounts, identities, keys, roles
from services.access.words import line
from shared.contracts.access import AccessRefused, Shown
from shared.event import timestamp
from shared.rights import EVERYWHERE, INSTALLATION
from shared.service import query

OPERATOR = "service:operator"
CHINA = ZoneInfo("Asia/Shanghai")
"""In which the day ends on which a key expires: keys belong to no facility."""
_ID = re.compile("[A-Za-z0-9._:-]{1,80}", re.ASCII)


class Identifying(recording.Recording):
    """Says whom a credential belongs to."""

    @query
    def identify(self, credential: str, address: str) -> dict[str, Any]:
        """Whom a credential belongs to: what followed `Bearer`, or a session's cookie.

        {actor, kind: account | key | machine | operator, name, roles: facility or `*` → roles, session, expires_at}.
        Raises Unauthenticated saying why, which is recorded; Unavailable where an issuer's keys cannot be had.
        """
        shown = shown_by(credential)
        try:
            if self._is_operator(credential):
                return _principal(OPERATOR, "operator", "operator", {EVERYWHERE: ["admin"]})
            match shown:
                case "session":
                    return self._by_session(credential)
                case "key":
                    return self._by_key(credential)
                case "bearer":
                    return self._by_token(credential)
            raise NotLetIn("unknown", "the credential is no session, no API key and no JWT that is known here")
        except NotLetIn as refusal:
            raise self.refused(shown, refusal, address) from refusal

    @query
    def record_refusal(self, actor: str, facility: str | None, what: str, why: str, address: str) -> None:
        """Record that somebody who was let in asked for what they may not; who goes on so is logged only."""
        if self.lockout.may_record(f"{actor} {what}"):
            where = facility if facility is not None and _ID.fullmatch(facility) else None
            told = {"what": line(what), "why": line(why), "address": line(address)}
            self.note(actor, AccessRefused(**told, facility_id=where))
        else:
            recording.log.info("refused", actor=actor, what=what, why=why, address=address)

    def _is_operator(self, credential: str) -> bool:
        key = self.doors.settings.operator_key
        return key is not None and hmac.compare_digest(credential.encode(errors="replace"), key.encode())

    def _by_session(self, token: str) -> dict[str, Any]:
        session = self.sessions.find(token)
        held = self._roles_of(session.actor)
        principal = _principal(session.actor, "account", session.display_name, held, expires_at=session.ends_at)
        return {**principal, "session": True}

    def _by_key(self, shown: str) -> dict[str, Any]:
        key_id = tokens.key_id_of(shown) or ""
        found = self.ledger.database.mappings(
            select(keys).where(keys.c.facility == INSTALLATION, keys.c.key_id == key_id)
        )
        kept = self.kept("key", key_id) or ""
        if not hmac.compare_digest(tokens.sha256_of(shown), kept) or not found:
            raise NotLetIn("unknown", "the API key is unknown", found[0]["actor"] if found else None)
        (key,) = found
        if key["status"] != "active":
            raise NotLetIn("revoked", "the API key was revoked", key["actor"])
        expires_at = None if key["expires_on"] is None else end_of(date.fromisoformat(key["expires_on"]))
        if expires_at is not None and self.doors.clock.now() >= expires_at:
            raise NotLetIn("expired", f"the API key expired at the end of {key['expires_on']}", key["actor"])
        return _principal(key["actor"], "key", key_id, self._roles_of(key["actor"]), expires_at=expires_at)

    def _by_token(self, token: str) -> dict[str, Any]:
        bearer = self.doors.bearers.read(token)
        linked = self.ledger.database.mappings(
            select(accounts)
            .join_from(identities, accounts, identities.c.username == accounts.c.username)
            .where(identities.c.issuer == bearer.issuer, identities.c.subject == bearer.subject)
        )
        if not linked:
            whom = f"issuer {bearer.issuer}, subject {bearer.subject[:255]}"
            raise NotLetIn("not_linked", f"the token is in order, but an admin has linked nobody to it: {whom}")
        (account,) = linked
        actor = actor_of(account["username"], account["kind"])
        if account["kind"] != "machine":
            raise NotLetIn("person", "bearer tokens are for machines; people sign in", actor)
        if account["status"] != "active":
            raise NotLetIn("disabled", "the account is disabled", actor)
        expires_at = datetime.fromtimestamp(bearer.expires_at, UTC)
        return _principal(actor, "machine", account["display_name"], self._roles_of(actor), expires_at=expires_at)

    def _roles_of(self, actor: str) -> dict[str, list[str]]:
        held: dict[str, list[str]] = {}
        wanted = select(roles).where(roles.c.facility == INSTALLATION, roles.c.holder == actor)
        for row in self.ledger.database.rows(wanted.order_by(roles.c.facility_id, roles.c.role)):
            held.setdefault(row.facility_id, []).append(row.role)
        return held


def shown_by(credential: str) -> Shown:
    """What a credential looks like."""
    if credential.startswith(tokens.SESSION):
        return "session"
    if credential.startswith(tokens.KEY):
        return "key"
    return "bearer" if credential.count(".") == 2 else "unknown"


def end_of(day: date) -> datetime:
    """The end of a day in China."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=CHINA)


def _principal(
    actor: str, kind: str, name: str, held: Mapping[str, list[str]], expires_at: datetime | None = None
) -> dict[str, Any]:
    return {
        "actor": actor,
        "kind": kind,
        "name": name,
        "roles": dict(held),
        "session": False,
        "expires_at": None if expires_at is None else timestamp(expires_at),
    }
