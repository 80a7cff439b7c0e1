"""Sessions: who is in, shown by a token. They end 8 hours after they were used last, and 12 after they began.

Both are of real time, also in a simulated installation: a made-up clock keeps nobody out of a real browser. That an
account was disabled, or its password changed, ends its sessions by the position of that event alone: in the same
transaction, and for ever.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from services.access import tokens
from services.access.refusal import NotLetIn
from services.access.tables import sessions
from services.access.views import accounts
from shared.clock import Clock
from shared.database import Database

IDLE = timedelta(hours=8)
WHOLE = timedelta(hours=12)
SEEN = timedelta(minutes=1)
"""How exactly it is remembered when a session was used last."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session that lasts, and whose it is."""

    token_sha256: str
    session_id: str
    username: str
    actor: str
    display_name: str
    ends_at: datetime


class Sessions:
    """The sessions in the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def ends(self) -> datetime:
        """When a session ends at the latest that begins now; in whole seconds."""
        return self._clock.now().replace(microsecond=0) + WHOLE

    def begin(self, connection: Connection, session_id: str, username: str, position: int, ends_at: datetime) -> str:
        """Begin one by the sign-in at a position of the ledger; answers its token."""
        now, token = self._now(), tokens.new(tokens.SESSION)
        connection.execute(delete(sessions).where(sessions.c.ends_at < now))
        row = {"session_id": session_id, "username": username, "position": position}
        times = {"seen_at": now, "ends_at": int(ends_at.timestamp())}
        connection.execute(insert(sessions).values(token_sha256=tokens.sha256_of(token), **row, **times))
        return token

    def find(self, token: str) -> Session:
        """The session of a token; raises NotLetIn."""
        asked = tokens.sha256_of(token)
        rows = self._database.mappings(
            select(sessions, accounts.c.actor, accounts.c.display_name, accounts.c.status, accounts.c.sessions_after)
            .join_from(sessions, accounts, sessions.c.username == accounts.c.username)
            .where(sessions.c.token_sha256 == asked)
        )
        if not rows:
            raise NotLetIn("unknown", "the session has ended, or there never was one: sign in")
        (row,) = rows
        self._must_last(row)
        if row["seen_at"] + SEEN.total_seconds() <= (now := self._now()):
            with self._database.write() as connection:
                connection.execute(update(sessions).where(sessions.c.token_sha256 == asked).values(seen_at=now))
        named = {name: row[name] for name in ("token_sha256", "session_id", "username", "actor", "display_name")}
        return Session(**named, ends_at=datetime.fromtimestamp(row["ends_at"], UTC))

    def go_on(self, connection: Connection, session: Session, position: int) -> None:
        """Let a session outlast the event at a position that ended its others."""
        kept = update(sessions).where(sessions.c.token_sha256 == session.token_sha256)
        connection.execute(kept.values(position=position))

    def end(self, connection: Connection, session: Session) -> bool:
        """End one; False where somebody has meanwhile."""
        return connection.execute(delete(sessions).where(sessions.c.token_sha256 == session.token_sha256)).rowcount == 1

    def _must_last(self, row: dict[str, Any]) -> None:
        now, holder = self._now(), row["actor"]
        if row["status"] != "active":
            raise NotLetIn("disabled", "the account is disabled", holder)
        if row["position"] < row["sessions_after"]:
            raise NotLetIn(
                "revoked", "the session was ended, as the account or its password was changed: sign in", holder
            )
        if now >= row["ends_at"] or now >= row["seen_at"] + IDLE.total_seconds():
            raise NotLetIn("expired", "the session has expired: sign in", holder)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())
