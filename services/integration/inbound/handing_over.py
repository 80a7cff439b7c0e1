"""Hands messages over to the services that accept what they tell, in the order in which they came, each at most once.

A message that is pending names the mapping that it is read by, so what it asks of a service never changes; and it asks
under an idempotency key made of its own name. So it may be asked again whatever happened in between.
"""

from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Any

import structlog
from nameko.timer import timer
from sqlalchemy import ColumnElement, select
from uuid_utils import uuid7

from services.integration.inbound import accepting
from services.integration.inbound.aggregate import Message
from services.integration.inbound.tables import messages, sources
from services.integration.inbound.taking_turns import turn
from shared.contracts.integration import MessageAccepted, MessageReceived, MessageRetried, Reason
from shared.errors import Conflict
from shared.event import Recorded
from shared.unit import Unit

log = structlog.get_logger()

RETRY_SECONDS = 1.0
"""How often is looked for messages that wait."""
ROUND_SECONDS = 5.0
"""How long one such round takes at most."""
MANY = 500
"""How many messages are looked up at once."""
ATTEMPTS = 10
"""How often an outcome is recorded anew when something else is noted of the message meanwhile."""

OUTDATED = (messages.c.status == "refused") & (
    messages.c.mapping_sha256.is_(None) | (messages.c.mapping_sha256 != sources.c.mapping_sha256)
)
"""That a message was refused by another mapping than its source has now."""
OF_ITS_SOURCE = (messages.c.facility == sources.c.facility) & (messages.c.source == sources.c.source)


class HandingOver(accepting.Accepting):
    """The part of the service that passes on what it received."""

    @timer(interval=RETRY_SECONDS)
    def retry_waiting(self) -> None:
        """Try what waits: pending since a service was away or we were, or refused by a mapping that was replaced since."""
        for facility in self._facilities_that_wait():
            try:
                self.hand_over(facility, ROUND_SECONDS, patience=0.0)
            except Exception:  # one facility holds no other back, and all are looked at again
                log.exception("messages were not handed over", facility=facility)

    def hand_over(self, facility: str, seconds: float, patience: float) -> None:
        """Hand over all that waits in a facility, as far as that is done in some seconds.

        While somebody else does it, waits for some seconds of patience; if they do it still, nothing is done here.
        """
        ends, away = monotonic() + patience + seconds, set[str]()
        with turn(self.ledger.database, facility, patience) as mine:
            if mine:
                self._reopen(facility)
                for key in self._pending(facility):
                    if monotonic() > ends:
                        break
                    self._hand_over(facility, key, away)

    def retried(self, message: Message, source: Any) -> MessageRetried:
        """That a message is tried again by the mapping that its source has now; `source` is a row of the view."""
        told = message.told
        mapping = self.mapping(source.facility, source.source_id, source.mapping_sha256)
        return MessageRetried(
            message=message.id,
            source=told.source,
            source_id=source.source_id,
            mapping_sha256=source.mapping_sha256,
            fact=mapping.fact_of(told.message_type),
        )

    def _facilities_that_wait(self) -> list[str]:
        pending = select(messages.c.facility).where(messages.c.status == "pending")
        outdated = select(messages.c.facility).join(sources, OF_ITS_SOURCE).where(OUTDATED)
        return sorted({row.facility for row in self.ledger.database.rows(pending.union(outdated))})

    def _pending(self, facility: str) -> Iterator[str]:
        """The pending messages in the order in which they were received."""
        table, last = messages.c, 0
        wanted = select(table.message, table.position).filter_by(facility=facility, status="pending")
        while rows := self._after(wanted.order_by(table.position).limit(MANY), table.position > last):
            yield from (row.message for row in rows)
            last = rows[-1].position

    def _after(self, wanted: Any, where: ColumnElement[bool]) -> Sequence[Any]:
        return self.ledger.database.rows(wanted.where(where))

    def _reopen(self, facility: str) -> None:
        """Try those again that were refused by another mapping than their source has now."""
        now = sources.c
        wanted = select(messages.c.message, now.facility, now.source_id, now.mapping_sha256)
        wanted = wanted.join(sources, OF_ITS_SOURCE).where(messages.c.facility == facility, OUTDATED)
        do = self._unit(facility, str(uuid7()))
        for row in self.ledger.database.rows(wanted.order_by(messages.c.position).limit(MANY)):
            message = do.find(Message, row.message)
            if message.status == "refused":
                message.retry(self.retried(message, row), do.now)
        self._append(do)

    def _hand_over(self, facility: str, key: str, away: set[str]) -> None:
        past = self.ledger.stream(facility, Message(key).stream)
        message = Message.replay(key, (recorded.event for recorded in past))
        asked = [one for one in past if isinstance(one.event, MessageReceived | MessageRetried)][-1]
        if message.status == "pending":
            outcome = self.outcome(facility, message, asked.correlationid, away)
            if outcome is not None:
                self._settle(facility, key, outcome, asked)

    def _settle(self, facility: str, key: str, outcome: MessageAccepted | Sequence[Reason], cause: Recorded) -> None:
        """Record what became of a message, whatever else is noted of it meanwhile."""
        for _ in range(ATTEMPTS):
            do = self._unit(facility, cause.id, cause.correlationid)
            message = do.find(Message, key)
            if isinstance(outcome, MessageAccepted):
                message.accept(outcome, do.now)
            else:
                message.refuse(outcome, do.now)
            if self._append(do):
                return

    def _append(self, do: Unit) -> bool:
        """Commit what was decided; whether nobody was faster on one of the streams."""
        entry = do.entry()
        try:
            if entry.drafts:
                self.ledger.append(entry)
        except Conflict:
            return False
        return True

    def _unit(self, facility: str, cause: str, correlation_id: str | None = None) -> Unit:
        """A reaction of our own: to an event, or to a mapping that holds now."""
        actor = f"service:{self.name}"
        return Unit(self.ledger, facility, actor=actor, correlation_id=correlation_id or cause, causation_id=cause)
