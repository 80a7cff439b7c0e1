"""Carries the events of a facility to one receiver: each in its turn, until it is acknowledged, and then never again.

What was acknowledged is written down before the next event is sent. Killed at any point, a courier goes on where the
book says; an event that was acknowledged a moment before, and is not in the book yet, is sent once more under the same
webhook-id. Time and chance come from outside.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import DBAPIError

from services.integration.outbound.backoff import GIVE_UP_AFTER, asked_seconds, seconds_before
from services.integration.outbound.book import Book, Called, Overtaken, Progress
from services.integration.outbound.calling import GONE, Answer
from services.integration.outbound.feed import Numbered, ReadLedger, entries, envelopes, head
from shared.database import Database
from shared.errors import Unavailable
from shared.event import timestamp

log = structlog.get_logger()

AHEAD = 50
"""How many events are read at once."""
IDLE_SECONDS = 1.0
"""How long a courier with nothing to carry waits at most; new events wake it."""
WRITE_AGAIN_SECONDS = 1.0
MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"


class Post(Protocol):
    """Makes one call; see `calling.Calling.post`."""

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a body, and say how that was answered."""


Sign = Callable[[Any, str, datetime, bytes], Mapping[str, str]]
"""The headers that sign a message: (webhook, message id, now, body)."""


@dataclass(frozen=True)
class Time:
    """What a courier knows of time and chance: `now` is aware, `wait` waits up to some seconds, `fraction` is 0 ≤ f < 1."""

    now: Callable[[], datetime]
    wait: Callable[[float], None]
    fraction: Callable[[], float]


@dataclass(frozen=True)
class Office:
    """What couriers share: the book, the sequence with its ledgers, how calls are signed and made, how one is paused."""

    database: Database
    ledgers: Mapping[str, ReadLedger]
    sign: Sign
    post: Post
    pause: Callable[[str, str, str], None]
    """(facility, webhook_id, reason): have nothing more sent to it."""


class Courier:
    """Serves one webhook."""

    def __init__(self, facility: str, webhook_id: str, office: Office, time: Time) -> None:
        self._facility = facility
        self._webhook_id = webhook_id
        self._office = office
        self._time = time
        self._book = Book(office.database)
        self._bag: deque[Numbered] = deque()
        self._filled_for: tuple[int, int] = (0, 0)

    def run(self) -> None:
        """Carry on until the webhook is active no more; raises Unavailable where a ledger cannot be read."""
        while (seconds := self.step()) is not None:
            if seconds > 0:
                self._time.wait(seconds)

    def step(self) -> float | None:
        """Do the next thing; returns how many seconds to wait before the one after, None where there is no more to do."""
        webhook = self._book.webhook(self._facility, self._webhook_id)
        if webhook is None or webhook.status != "active":
            return None
        progress = self._book.progress(webhook)
        now = self._time.now()
        if progress.next_at is not None and (left := datetime.fromisoformat(progress.next_at) - now) > timedelta():
            return left.total_seconds()
        try:
            return self._carry(webhook, progress)
        except Unavailable as fault:  # it is for us to mend: it does not count against the receiver
            if progress.last_error != str(fault):
                self._write(progress, replace(progress, last_error=str(fault)))
            raise
        except Overtaken:
            log.warning("another courier is at work", facility=self._facility, webhook_id=self._webhook_id)
            return None

    def _carry(self, webhook: Any, progress: Progress) -> float:
        letter = self._next(webhook, progress)
        if letter is None:
            return IDLE_SECONDS
        body, sent_at = letter.envelope.encode(), self._time.now()
        named = message_id(self._facility, self._webhook_id, letter.number)
        headers = {
            "Content-Type": MEDIA_TYPE,
            "User-Agent": "Xunjian-Webhooks/1",
            "xunjian-number": str(letter.number),
            **self._office.sign(webhook, named, sent_at, body),
        }
        answer = self._office.post(webhook.url, headers, body)
        self._note(progress, letter, answer, sent_at)
        return 0.0

    def _next(self, webhook: Any, progress: Progress) -> Numbered | None:
        """The next event to carry; where the filter leaves the rest out, the book moves over it."""
        if self._filled_for != (progress.begun, progress.delivered):
            self._bag.clear()
        if not self._bag:
            last = head(self._office.database, self._facility) or 0
            rows = entries(
                self._office.database, self._facility, progress.delivered, last, types=webhook.types, limit=AHEAD
            )
            if not rows and last > progress.delivered:
                self._write(progress, replace(progress, delivered=last))
            self._bag.extend(envelopes(self._facility, rows, self._office.ledgers))
        self._filled_for = progress.begun, progress.delivered
        return self._bag[0] if self._bag else None

    def _note(self, progress: Progress, letter: Numbered, answer: Answer, sent_at: datetime) -> None:
        """Write down what became of a call; pause a webhook that is gone, or was failing for days."""
        attempt = progress.attempts + 1
        called = Called(
            number=letter.number,
            type=letter.type,
            attempt=attempt,
            at=timestamp(sent_at),
            status=answer.status,
            milliseconds=answer.milliseconds,
            error=answer.error,
        )
        if answer.acknowledged:
            self._write(progress, _moved(progress, letter.number), called)
            self._bag.popleft()
            self._filled_for = progress.begun, letter.number
            return
        now = self._time.now()
        since = progress.failing_since or timestamp(now)
        seconds = seconds_before(attempt, self._time.fraction(), asked_seconds(answer.retry_after, now))
        failed = replace(
            progress,
            calls=progress.calls + 1,
            attempts=attempt,
            failing_since=since,
            next_at=timestamp(now + timedelta(seconds=seconds)),
            last_error=answer.error,
        )
        self._write(progress, failed, called)
        if answer.status == GONE:
            self._office.pause(self._facility, self._webhook_id, "the receiver answered 410 Gone")
        elif now - datetime.fromisoformat(since) >= GIVE_UP_AFTER:
            reason = f"failing since {since}, {attempt} calls of number {letter.number}: {answer.error}"
            self._office.pause(self._facility, self._webhook_id, reason)

    def _write(self, before: Progress, after: Progress, called: Called | None = None) -> None:
        """Write it down, however long the database is away: what was acknowledged is not to be sent again."""
        while True:
            try:
                self._book.write(before, after, called)
                return
            except DBAPIError as fault:
                log.warning("a delivery is written down later", webhook_id=self._webhook_id, fault=repr(fault))
                self._time.wait(WRITE_AGAIN_SECONDS)


def _moved(progress: Progress, number: int) -> Progress:
    return replace(
        progress,
        delivered=number,
        calls=progress.calls + 1,
        attempts=0,
        failing_since=None,
        next_at=None,
        last_error=None,
    )


def message_id(facility: str, webhook_id: str, number: int) -> str:
    """The webhook-id of an event for one webhook: always the same, and without a full stop, as the scheme asks."""
    return "msg_" + hashlib.sha256(f"{facility}/{webhook_id}/{number}".encode()).hexdigest()[:32]
