"""Receives events: finds their facility, keeps each before anybody accepts it, and says what became of it."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from uuid_utils import uuid7

from services.integration.inbound import answers as forms
from services.integration.inbound import handing_over
from services.integration.inbound.aggregate import Delivery, Message, message_key
from services.integration.inbound.envelopes import STRUCTURED, Item, read_request, time_of
from services.integration.inbound.tables import halls, messages, sources
from shared.attachments import content_of
from shared.contracts.integration import MessageReceived, MessageRepeated
from shared.errors import Conflict, Forbidden, Invalid
from shared.ledger import Done
from shared.rights import EVERYWHERE
from shared.rpc import Peer
from shared.service import answers, query
from shared.unit import Unit

ATTEMPTS = 10
"""How often a receipt is decided anew when the same messages are received by others meanwhile."""
PATIENCE_SECONDS = 20.0
"""How long a caller waits for its messages to be accepted, while others are; they stay pending after that."""
MANY = 500
"""How many messages are looked up at once."""
MINE = "expected a facility in which you may do this"
"""What is said of a foreign facility, and of one that there is not: no more than that."""

Context = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """An event and where it belongs, or why that cannot be said; of a mapped source, how it is read."""

    item: Item
    facility: str | None = None
    source_id: str | None = None
    mapping_sha256: str | None = None
    fault: str | None = None
    arrival: str = "new"
    """Whether it is new, repeated, or contradicts what came before."""

    @property
    def key(self) -> str:
        """What it is known by."""
        return message_key(self.item.envelope["source"], self.item.envelope["id"])

    @property
    def sha256(self) -> str:
        """The hash under which it is kept."""
        return hashlib.sha256(self.item.content).hexdigest()


class Receiving(handing_over.HandingOver):
    """The part of the service that other systems talk to."""

    asset_registry = Peer("asset_registry")

    @answers(forms.Receipt)
    @query
    def receive_events(
        self, headers: dict[str, str], body: str, facilities: list[str], context: dict[str, Any]
    ) -> dict[str, Any]:
        """Receive CloudEvents, in HTTP's `headers` and `body` (base64), for the facilities in which the caller may do so.

        Answers what became of each, in the order in which they were sent. A single one that is refused raises Invalid
        instead; it is kept all the same, if it belongs anywhere.
        """
        if not facilities:
            raise Forbidden("expected a role in a facility that lets other systems tell something")
        is_batch, items = read_request(headers, content_of(body))
        told = self.receive([self._placed(item, facilities) for item in items], context)
        if not is_batch:
            _must_not_be_refused(told[0])
        return {"items": told}

    def receive(self, placed: Sequence[Placed], context: Context) -> list[dict[str, Any]]:
        """Keep events, have them accepted, and say what became of each."""
        if context.get("time"):
            self.ledger.clock.advance(datetime.fromisoformat(context["time"]))
        arrived = list(placed)
        for facility in dict.fromkeys(one.facility for one in placed if one.facility is not None):
            mine = [number for number, one in enumerate(placed) if one.facility == facility]
            kept = self._keep(facility, [placed[number] for number in mine], context)
            for number, one in zip(mine, kept, strict=True):
                arrived[number] = one
            if any(row["status"] == "pending" for row in self._rows(facility, kept).values()):
                self.hand_over(facility, PATIENCE_SECONDS, PATIENCE_SECONDS)
        return list(self._told(arrived))

    def place(self, facility: str, item: Item) -> Placed:
        """An event that belongs to a facility; it is read by the mapping that its source has there."""
        mapped = select(sources).filter_by(facility=facility, source=item.envelope["source"])
        found = self.ledger.database.rows(mapped)
        if not found:
            return Placed(item=item, facility=facility)
        one = found[0]
        return Placed(item=item, facility=facility, source_id=one.source_id, mapping_sha256=one.mapping_sha256)

    def is_registered(self, facility: str) -> bool:
        """Whether the registry knows a facility; asked before a ledger is opened for it."""
        known = select(halls.c.facility).filter_by(facility=facility)
        if not self.ledger.database.rows(known):
            self.must_have_heard(self.asset_registry, facility)
        return bool(self.ledger.database.rows(known))

    def _placed(self, item: Item, facilities: Collection[str]) -> Placed:
        """Where an event belongs: where it says, else where its source is mapped, else to the caller's only facility."""
        if item.faults:
            return Placed(item=item)
        may = set(facilities)
        named = item.envelope.get("facility")
        if named is not None:
            mine = isinstance(named, str) and (EVERYWHERE in may or named in may) and self.is_registered(named)
            return self.place(named, item) if mine else Placed(item=item, fault=MINE)
        found = [row for row in self._mapped(item.envelope["source"]) if EVERYWHERE in may or row.facility in may]
        if len(found) > 1:
            found = [row for row in found if self._names_it(row)] or found
        if len(found) == 1:
            return self.place(found[0].facility, item)
        (only,) = may if len(may) == 1 else ("",)
        if not found and only not in ("", EVERYWHERE) and self.is_registered(only):
            return self.place(only, item)
        which = "several of your facilities map this source" if found else "none of your facilities maps this source"
        return Placed(item=item, fault=f"expected this attribute, with the id of a facility, since {which}")

    def _mapped(self, source: str) -> Sequence[Any]:
        return self.ledger.database.rows(select(sources).filter_by(source=source))

    def _names_it(self, row: Any) -> bool:
        """Whether a facility's mapping says that it is the one."""
        return self.mapping(row.facility, row.source_id, row.mapping_sha256).facility is not None

    def _keep(self, facility: str, placed: Sequence[Placed], context: Context) -> Sequence[Placed]:
        """Record what arrived in one entry, their contents kept before; says of each whether it was new."""
        self.envelopes.keep_all(facility, [one.item.content for one in placed], STRUCTURED)
        delivery = str(uuid7())
        for attempt in range(1, ATTEMPTS + 1):
            do = Unit(
                self.ledger,
                facility,
                actor=context["actor"],
                correlation_id=context["correlation_id"],
                causation_id=delivery,
            )
            arrived = [replace(one, arrival=self._arrive(do, one)) for one in placed]
            try:
                self.ledger.append(do.entry(Done(command_id=delivery, fingerprint="", outcome=b"null")))
            except (Conflict, IntegrityError):  # the same message, received by somebody else at the same moment
                if attempt == ATTEMPTS:
                    raise
            else:
                return arrived
        raise AssertionError("unreachable")

    def _arrive(self, do: Unit, one: Placed) -> str:
        """Decide about one event: it is new, the same as before, or something else under a name that is taken."""
        envelope, sha256 = one.item.envelope, one.sha256
        message = do.find(Message, one.key)
        if not message.exists:
            message.receive(self._received(one, do.actor), do.now)
            return "new"
        if message.told.sha256 == sha256:
            repeated = MessageRepeated(message=message.id, source=envelope["source"], received_from=do.actor)
            do.find(Delivery, str(uuid7())).note(repeated, do.now)
            return "repeated"
        message.contradict(sha256, do.actor, do.now)
        return "contradicting"

    def _received(self, one: Placed, actor: str) -> MessageReceived:
        envelope = one.item.envelope
        fact = None
        if one.facility is not None and one.source_id is not None and one.mapping_sha256 is not None:
            fact = self.mapping(one.facility, one.source_id, one.mapping_sha256).fact_of(envelope["type"])
        return MessageReceived(
            message=one.key,
            source=envelope["source"],
            message_id=envelope["id"],
            message_type=envelope["type"],
            sha256=one.sha256,
            received_from=actor,
            happened_at=time_of(envelope),
            source_id=one.source_id,
            mapping_sha256=one.mapping_sha256,
            fact=fact,
        )

    def _rows(self, facility: str, placed: Sequence[Placed]) -> dict[str, dict[str, Any]]:
        """How the messages stand, by their keys."""
        keys = list({one.key for one in placed})
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(keys), MANY):
            some = select(messages).where(messages.c.facility == facility, messages.c.message.in_(keys[start:][:MANY]))
            found |= {row["message"]: row for row in self.ledger.database.mappings(some)}
        return found

    def _told(self, arrived: Sequence[Placed]) -> Iterator[dict[str, Any]]:
        rows = {
            facility: self._rows(facility, [one for one in arrived if one.facility == facility])
            for facility in {one.facility for one in arrived if one.facility is not None}
        }
        for one in arrived:
            yield _refused(one) if one.facility is None else _told(one, rows[one.facility][one.key])


def _refused(one: Placed) -> dict[str, Any]:
    """Of an event that is kept nowhere."""
    sent = {name: value if isinstance(value := one.item.sent.get(name), str) else None for name in ("source", "id")}
    faults = one.item.faults or {"facility": [str(one.fault)]}
    reasons = [{"field": field, "expected": why} for field, whys in faults.items() for why in whys]
    return {**sent, "facility": None, "message": None, "status": "refused", "first": None, "reasons": reasons}


def _told(one: Placed, row: Mapping[str, Any]) -> dict[str, Any]:
    """Of an event that is kept, or contradicts one that is."""
    named = {"source": row["source"], "id": row["message_id"], "facility": row["facility"], "message": row["message"]}
    if one.arrival == "contradicting":
        expected = f"expected what was received first under this source and id, with content {row['sha256']}, found {one.sha256}"
        return {
            **named,
            "status": "refused",
            "first": row["status"],
            "reasons": [{"field": "id", "expected": expected}],
        }
    if one.arrival == "repeated":
        return {**named, "status": "duplicate", "first": row["status"], "reasons": row["reasons"]}
    return {**named, "status": row["status"], "first": None, "reasons": row["reasons"]}


def _must_not_be_refused(told: Mapping[str, Any]) -> None:
    """Raise Invalid where the one event of a request was refused, now or when it came first."""
    if "refused" not in (told["status"], told["first"]):
        return
    faults: dict[str, list[str]] = {}
    for reason in told["reasons"]:
        faults.setdefault(reason["field"], []).append(reason["expected"])
    if told["message"] is not None and "id" not in faults:
        kept = f"it is kept as message {told['message']} of {told['facility']}, and tried again once its source is mapped anew"
        faults.setdefault("", []).append(kept)
    raise Invalid(faults)
