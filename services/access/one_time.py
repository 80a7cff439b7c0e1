"""One-time codes: each lets somebody do one thing, once, within a while. Of a code only its SHA-256 is kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, delete, insert, select, text, update
from uuid_utils import uuid7

from services.access import tokens
from services.access.tables import one_time
from shared.clock import Clock
from shared.database import Database

Purpose = Literal["first_account", "set_password", "oidc"]
LASTS = timedelta(hours=72)
"""For how long a code is good that a person carries to another."""

_INSERT = (
    "INSERT INTO one_time (code_id, code_sha256, purpose, details, expires_at)"
    " VALUES (:code_id, :code_sha256, :purpose, :details, :expires_at) ON CONFLICT (code_id) DO "
)
_IF_NEW = text(f"{_INSERT} NOTHING")
_INSTEAD = text(
    f"{_INSERT} UPDATE SET code_sha256 = excluded.code_sha256, expires_at = excluded.expires_at, used_at = NULL"
)


@dataclass(frozen=True, kw_only=True)
class Code:
    """A code that was not used yet, and what it is for."""

    code_id: str
    details: dict[str, Any]


class OneTimeCodes:
    """The codes in the database; times are real ones."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def expiry(self, lasts: timedelta = LASTS) -> datetime:
        """When a code expires that is made now; in whole seconds."""
        return self._clock.now().replace(microsecond=0) + lasts

    def make(self, purpose: Purpose, details: dict[str, Any], expires_at: datetime) -> str:
        """A fresh code."""
        code = tokens.new(tokens.CODE)
        with self._database.write() as connection:
            self._forget(connection)
            connection.execute(insert(one_time).values(_row(str(uuid7()), code, purpose, details, expires_at)))
        return code

    def make_only(self, purpose: Purpose, expires_at: datetime) -> str:
        """A fresh code, the only one of its purpose: those before are good no more."""
        code = tokens.new(tokens.CODE)
        with self._database.write() as connection:
            connection.execute(_INSTEAD, _row(purpose, code, purpose, {}, expires_at))
        return code

    def make_once(self, code_id: str, username: str, expires_at: datetime) -> str | None:
        """The code under an id by which a person sets a password, which voids those before; None where it was made before."""
        if expires_at <= self._clock.now():
            return None
        code, details = tokens.new(tokens.CODE), {"username": username}
        with self._database.write() as connection:
            self._forget(connection)
            row = _row(code_id, code, "set_password", details, expires_at)
            if connection.execute(_IF_NEW, row).rowcount != 1:
                return None
            same = (one_time.c.purpose == "set_password", one_time.c.details == row["details"])
            others = (*same, one_time.c.code_id != code_id, one_time.c.used_at.is_(None))
            connection.execute(update(one_time).where(*others).values(used_at=self._now()))
        return code

    def find(self, code: str, purpose: Purpose) -> Code | None:
        """What a code is for; None where it is unknown, used, void or expired."""
        rows = self._database.rows(select(one_time.c.code_id, one_time.c.details).where(*self._good(code, purpose)))
        return Code(code_id=rows[0].code_id, details=orjson.loads(rows[0].details)) if rows else None

    def use(self, connection: Connection, code: str, purpose: Purpose) -> bool:
        """Use a code up; False where somebody was faster, or it is none."""
        used = update(one_time).where(*self._good(code, purpose)).values(used_at=self._now())
        return connection.execute(used).rowcount == 1

    def _good(self, code: str, purpose: Purpose) -> tuple[Any, ...]:
        kept = one_time.c
        asked = (kept.code_sha256 == tokens.sha256_of(code), kept.purpose == purpose)
        return (*asked, kept.used_at.is_(None), kept.expires_at > self._now())

    def _forget(self, connection: Connection) -> None:
        connection.execute(delete(one_time).where(one_time.c.expires_at < self._now()))

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _row(code_id: str, code: str, purpose: Purpose, details: dict[str, Any], expires_at: datetime) -> dict[str, Any]:
    return {
        "code_id": code_id,
        "code_sha256": tokens.sha256_of(code),
        "purpose": purpose,
        "details": orjson.dumps(details, option=orjson.OPT_SORT_KEYS).decode(),
        "expires_at": int(expires_at.timestamp()),
    }
