"""Who failed too often: a username after 5 failures within 15 minutes, an address after 20, each for 15 minutes.

An attempt counts as failed from its beginning, until it is forgiven: so many guesses at once get no more tries than
one after the other. Names are kept only as hashes: what was typed there may be a password.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Self

import orjson
import structlog
from sqlalchemy import Connection, delete, select, text, update

from services.access.tables import attempts
from shared.clock import Clock
from shared.database import Database
from shared.errors import TooMany

log = structlog.get_logger()

WITHIN = int(timedelta(minutes=15).total_seconds())
"""Seconds in which failures add up, and for which they lock out."""
MOST = {"username": 5, "address": 20, "refusal": 20}
"""How many failures are too many; of refusals: how many are recorded before they are only logged."""

_HOLD = text(  # the row, new or old, and nobody else changes it until this transaction ends
    "INSERT INTO attempt (key, failed_at, last_at) VALUES (:key, '[]', :now)"
    " ON CONFLICT (key) DO UPDATE SET last_at = :now RETURNING failed_at"
)


def locked_for(failed_at: Sequence[int], now: int, most: int) -> int:
    """For how many seconds more nobody is let in, by when the last failures were (oldest first); 0 where somebody is."""
    if len(failed_at) < most or failed_at[-1] - failed_at[-most] > WITHIN:
        return 0
    return max(0, failed_at[-1] + WITHIN - now)


class Lockout:
    """Remembers failures in the database, for all replicas."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def attempt(self, username: str, address: str) -> "Attempt":
        """Begin an attempt to sign in; raises TooMany, which is logged, where there were too many before."""
        now = self._now()
        whose = (("address", address), ("username", username))  # in one order, or two would wait for each other
        self._forget_before(now - WITHIN)
        with self._database.write() as connection:
            told = [(kind, _key(kind, name), self._failures(connection, kind, name, now)) for kind, name in whose]
            wait = max(locked_for(failed_at, now, MOST[kind]) for kind, _, failed_at in told)
            if not wait:
                for kind, key, failed_at in told:
                    _keep(connection, key, [*failed_at, now][-MOST[kind] :])
        if wait:
            log.warning("locked out", address=address, seconds=wait)
            raise TooMany(f"too many attempts to sign in failed: wait for {wait} s", retry_after=wait)
        return Attempt(self, username, address, now)

    def may_record(self, whose: str) -> bool:
        """Count one more refusal of somebody; False where there were so many lately that they are only logged."""
        now = self._now()
        with self._database.write() as connection:
            failed_at = self._failures(connection, "refusal", whose, now)
            lately = [at for at in failed_at if at > now - WITHIN]
            if len(lately) >= MOST["refusal"]:
                return False
            _keep(connection, _key("refusal", whose), [*lately, now])
        return True

    def forgive(self, attempt: "Attempt") -> None:
        """Let an attempt not count as failed, and those before it of the same username."""
        with self._database.write() as connection:
            failed_at = self._failures(connection, "address", attempt.address, attempt.at)
            if attempt.at in failed_at:
                failed_at.remove(attempt.at)
            _keep(connection, _key("address", attempt.address), failed_at)
            _keep(connection, _key("username", attempt.username), [])

    def _failures(self, connection: Connection, kind: str, name: str, now: int) -> list[int]:
        """When somebody failed last."""
        return list(orjson.loads(connection.execute(_HOLD, {"key": _key(kind, name), "now": now}).scalar_one()))

    def _forget_before(self, then: int) -> None:
        """Drop the rows that count no more, but those that somebody holds."""
        old = select(attempts.c.key).where(attempts.c.last_at < then).with_for_update(skip_locked=True)
        with self._database.write() as connection:
            connection.execute(delete(attempts).where(attempts.c.key.in_(old)))

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


class Attempt:
    """One attempt to sign in, which failed unless it is forgiven."""

    def __init__(self, lockout: Lockout, username: str, address: str, at: int) -> None:
        self._lockout = lockout
        self.username = username
        self.address = address
        self.at = at

    def succeeded(self) -> Self:
        """Let it not count."""
        self._lockout.forgive(self)
        return self


def _key(kind: str, name: str) -> str:
    return hashlib.sha256(f"{kind} {name}".encode(errors="surrogatepass")).hexdigest()


def _keep(connection: Connection, key: str, failed_at: list[int]) -> None:
    row = {"failed_at": orjson.dumps(failed_at).decode()}
    connection.execute(update(attempts).where(attempts.c.key == key).values(row))
