"""What the couriers write down: how far each webhook is, its newest calls, and the secrets that calls are signed with.

None of it follows from events, and none of it is an event: a call that was recorded as an event would be told to every
webhook, which would be a call. Each row has a digest, which an audit recomputes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from services.integration.outbound.signatures import new_secret
from services.integration.outbound.tables import deliveries, progress, secrets, webhooks
from shared.database import Database
from shared.digest import digested
from shared.event import timestamp

KEPT_CALLS = 1000
"""How many calls of each webhook stay in its log."""
BOTH_VALID = timedelta(days=1)
"""How long calls are signed with a replaced secret, too."""


class Overtaken(Exception):
    """Somebody else wrote of the same webhook meanwhile: another courier is at work."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a webhook is: all up to the number `delivered` is acknowledged, or was left out by its filter.

    `calls` counts every call ever made; `attempts` those of the next event, `failing_since` when the first of them failed.
    `begun` and `started` are the events of its stream that this counts from.
    """

    facility: str
    webhook_id: str
    begun: int
    started: int
    delivered: int
    calls: int = 0
    attempts: int = 0
    failing_since: str | None = None
    next_at: str | None = None
    last_error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Called:
    """One call, as the log keeps it."""

    number: int
    type: str
    attempt: int
    at: str
    status: int | None
    milliseconds: int
    error: str | None


class Book:
    """The couriers' notes in one service's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def webhook(self, facility: str, webhook_id: str) -> Any | None:
        """The row of a webhook."""
        wanted = select(webhooks).where(webhooks.c.facility == facility, webhooks.c.webhook_id == webhook_id)
        rows = self._database.rows(wanted)
        return rows[0] if rows else None

    def progress(self, webhook: Any) -> Progress:
        """How far a webhook is; from where it begins, where it was begun anew since."""
        wanted = select(progress).where(_of(progress, webhook))
        found = self._database.mappings(wanted)
        names = {"facility": webhook.facility, "webhook_id": webhook.webhook_id}
        fresh = Progress(**names, begun=webhook.begun, started=webhook.started, delivered=webhook.after)
        if not found:
            return fresh
        kept = Progress(**{name: value for name, value in found[0].items() if name != "digest"})
        if kept.begun != webhook.begun:
            return replace(fresh, calls=kept.calls)
        if kept.started != webhook.started:
            return replace(fresh, calls=kept.calls, delivered=kept.delivered)
        return kept

    def write(self, before: Progress, after: Progress, called: Called | None = None) -> None:
        """Move a webhook on, and log the call that did it; raises Overtaken where it is not where it was."""
        with self._database.write() as connection:
            self._move(connection, before, after)
            if called is not None:
                key = {"facility": after.facility, "webhook_id": after.webhook_id}
                row = digested({**key, "call": after.calls, **asdict(called)})
                connection.execute(insert(deliveries).values(row))
                old = deliveries.c.call <= after.calls - KEPT_CALLS
                connection.execute(delete(deliveries).where(_of(deliveries, after), old))

    def _move(self, connection: Connection, before: Progress, after: Progress) -> None:
        row = digested(asdict(after))
        here = _of(progress, after)
        moved = connection.execute(update(progress).where(here, progress.c.calls == before.calls).values(row))
        if moved.rowcount == 1:
            return
        if before.calls or connection.execute(select(progress.c.calls).where(here)).first() is not None:
            raise Overtaken
        connection.execute(insert(progress).values(row))

    # Secrets

    def make_secret(self, facility: str, webhook_id: str, number: int, at: datetime) -> str | None:
        """Make the secret that the event of this number asked for; None where it was made, and told, before."""
        row = {"facility": facility, "webhook_id": webhook_id, "number": number, "secret": new_secret()}
        whole = digested({**row, "made_at": timestamp(at)})
        names = ", ".join(f":{name}" for name in (column.name for column in secrets.columns))
        statement = text(f"INSERT INTO webhook_secret VALUES ({names}) ON CONFLICT DO NOTHING")  # noqa: S608  names of ours
        with self._database.write() as connection:
            made = connection.execute(statement, whole).rowcount
        return row["secret"] if made == 1 else None  # type: ignore[return-value]  # a row's values are of several types

    def signing_secrets(self, webhook: Any, now: datetime) -> list[str]:
        """The newest secret of a webhook, and the one before while both are valid."""
        wanted = select(secrets).where(_of(secrets, webhook)).order_by(secrets.c.number.desc()).limit(2)
        rows = self._database.rows(wanted)
        if len(rows) == 2 and now - datetime.fromisoformat(rows[0].made_at) >= BOTH_VALID:
            rows = rows[:1]
        return [row.secret for row in rows]


def _of(table: Any, row: Any) -> Any:
    return (table.c.facility == row.facility) & (table.c.webhook_id == row.webhook_id)


def listed(webhook: Any, progressed: Progress, head: int) -> Mapping[str, Any]:
    """A webhook as it is shown: with the number up to which all is delivered, and how many it is behind."""
    return {
        "webhook_id": webhook.webhook_id,
        "url": webhook.url,
        "types": webhook.types or None,
        "signature": webhook.signature,
        "status": webhook.status,
        "reason": webhook.reason,
        "subscribed_at": webhook.subscribed_at,
        "delivered": progressed.delivered,
        "lag": max(0, head - progressed.delivered),
        "failing_since": progressed.failing_since,
        "next_at": progressed.next_at,
        "last_error": progressed.last_error,
    }
