"""What becomes of one message: read by its mapping, and taken by the service that keeps such facts, or refused."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import msgspec
import orjson
from sqlalchemy import and_, or_, select

from services.integration.inbound.aggregate import Message
from services.integration.inbound.facts import FACTS, Data, amount, ratings
from services.integration.inbound.mapping import Envelope, SourceMapping, fact_in
from services.integration.inbound.mapping_file import read_mapping
from services.integration.inbound.tables import attachments, mappings, messages
from shared import service
from shared.attachments import Attachments
from shared.contracts.integration import ClosedDay, FactName, MessageAccepted, Reason
from shared.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from shared.event import timestamp
from shared.rpc import Calls, Failed, Peer

Outcome = MessageAccepted | Sequence[Reason] | None
"""That it was accepted, why it was refused, or None: it stays pending."""


class Accepting(service.LedgerService):
    """The part of the service that has messages accepted."""

    scoring = Peer("scoring")
    work_orders = Peer("work_orders")

    def outcome(self, facility: str, message: Message, correlation_id: str, away: set[str]) -> Outcome:
        """What becomes of a message now; a service that turns out to be away is added to those that are."""
        try:
            mapping = self.mapping(facility, str(message.source_id), str(message.mapping_sha256))
            fact, data = fact_in(mapping, self.envelope(facility, message.told.sha256))
        except (Invalid, NotFound) as fault:
            return _reasons(fault)
        accepted = _accepted(message, fact, data)
        if FACTS[fact].retold and (later := self._told_later(facility, accepted)) is not None:
            return replace(accepted, superseded_by=later)
        if FACTS[fact].service == self.name:
            return accepted
        return (
            None
            if FACTS[fact].service in away
            else self._asked(facility, message, accepted, data, correlation_id, away)
        )

    def mapping(self, facility: str, source_id: str, sha256: str) -> SourceMapping:
        """A mapping that a source has or had; raises NotFound."""
        key = {"facility": facility, "source_id": source_id, "mapping_sha256": sha256}
        rows = self.ledger.database.rows(select(mappings.c.mapping).filter_by(**key))
        if not rows:
            raise NotFound(f"no mapping {sha256} of {source_id} in {facility}")
        return _read_once(rows[0].mapping)

    def envelope(self, facility: str, sha256: str) -> Envelope:
        """A message as it was sent; raises NotFound where it is not kept any more."""
        content = self.envelopes.content(facility, sha256)
        if content is None:
            raise NotFound(f"no message with content {sha256} is kept in {facility}")
        found: Envelope = orjson.loads(content)
        return found

    @property
    def envelopes(self) -> Attachments:
        """The messages as they were sent."""
        return Attachments(self.ledger.database, attachments)

    def _asked(  # noqa: PLR0917  the words of a call
        self,
        facility: str,
        message: Message,
        accepted: MessageAccepted,
        data: Data,
        correlation_id: str,
        away: set[str],
    ) -> Outcome:
        """The service's answer to being told; the key under which it is asked is the message's for ever."""
        peer: Calls = getattr(self, accepted.accepted_by)
        context = {
            "command_id": f"in:{facility}:{message.id}",
            "actor": f"system:{message.source_id}",
            "roles": ["integrator"],
            "correlation_id": correlation_id,
            "time": timestamp(self.ledger.clock.now()) if self.ledger.clock.simulated else None,
        }
        try:
            peer.call(FACTS[accepted.fact].command, facility=facility, data=dict(data), context=context)
        except Unavailable:
            away.add(accepted.accepted_by)
            return None
        except Conflict:  # somebody else is at the same thing at this very moment
            return None
        except Refused as fault:
            return _reasons(fault)
        except Failed as fault:
            return [Reason(field="", expected=f"expected it to be taken, but {fault}; the log there tells more")]
        return accepted

    def _told_later(self, facility: str, accepted: MessageAccepted) -> str | None:
        """A message that told the same thing later, by the times that they bear, and was accepted already."""
        table = messages.c
        moment = select(table.happened_at, table.position).filter_by(facility=facility, message=accepted.message)
        mine = self.ledger.database.rows(moment)[0]
        same = {"facility": facility, "fact": accepted.fact, "accepted_as": accepted.accepted_as, "status": "accepted"}
        at_once = and_(table.happened_at == mine.happened_at, table.position > mine.position)
        later = or_(table.happened_at > mine.happened_at, at_once)
        found = self.ledger.database.rows(select(table.message).filter_by(**same).where(later).limit(1))
        return str(found[0].message) if found else None


@lru_cache(maxsize=64)
def _read_once(text: str) -> SourceMapping:
    return read_mapping(text)


def _accepted(message: Message, fact: FactName, data: Data) -> MessageAccepted:
    """That a message is accepted as what it tells."""
    spent = amount(fact, data)
    return MessageAccepted(
        message=message.id,
        source=message.told.source,
        fact=fact,
        accepted_by=FACTS[fact].service,
        accepted_as=_thing(message, fact, data),
        ratings=ratings(fact, data),
        amount=spent,
        closed=msgspec.convert(data, ClosedDay) if fact == "day_closed" else None,
    )


def _thing(message: Message, fact: FactName, data: Data) -> str:
    """The thing that a fact is about; a day is closed by each source for itself."""
    thing = FACTS[fact].thing(data)
    return f"{message.source_id}:{thing}" if fact == "day_closed" else thing


def _reasons(fault: Refused) -> Sequence[Reason]:
    if isinstance(fault, Invalid):
        return [Reason(field=field, expected=why) for field, whys in fault.errors.items() for why in whys]
    return [Reason(field="", expected=str(fault))]
