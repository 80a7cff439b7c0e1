"""The rules of what other systems tell: a source gets a meaning, a message is received once and has one outcome."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from shared.aggregate import Aggregate
from shared.contracts.integration import (
    MessageAccepted,
    MessageContradicted,
    MessageReceived,
    MessageRefused,
    MessageRepeated,
    MessageRetried,
    Reason,
    SourceMapped,
)
from shared.errors import Rejected
from shared.event import Event

Status = Literal["pending", "accepted", "refused"]
AHEAD = timedelta(minutes=5)
"""How far the clock of a source may go before ours."""


def message_key(source: str, id_: str) -> str:
    """What a message is known by: CloudEvents says that source and id together name one event."""
    return hashlib.sha256(f"{source}\0{id_}".encode()).hexdigest()


class Source(Aggregate):
    """Another system that tells us things, and what they mean."""

    category = "source"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.mapping_sha256 = ""

    def map(self, mapped: SourceMapped, at: datetime) -> None:
        """Give its messages a meaning, in place of the one before."""
        if mapped.mapping_sha256 == self.mapping_sha256:
            raise Rejected(f"source {self.id} has this very mapping already")
        self.record(mapped, at)

    def apply(self, event: Event) -> None:
        """Fold one event."""
        if isinstance(event, SourceMapped):
            self.mapping_sha256 = event.mapping_sha256


class Message(Aggregate):
    """What another system told under one source and id: received once, then accepted for good, or refused until retried."""

    category = "message"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.received: MessageReceived | None = None
        self.status: Status = "pending"
        self.mapping_sha256: str | None = None
        self.source_id: str | None = None
        self.reasons: Sequence[Reason] = ()
        self.others: set[str] = set()

    @property
    def told(self) -> MessageReceived:
        """As it was received first."""
        assert self.received is not None
        return self.received

    def receive(self, received: MessageReceived, at: datetime) -> None:
        """Receive it for the first time; without a mapping, or with a time that has not come, it is refused at once."""
        self.record(received, at)
        if received.mapping_sha256 is None:
            expected = f"expected a source that is mapped in this facility, found {received.source}"
            self.refuse([Reason(field="source", expected=expected)], at)
        elif received.happened_at is not None and received.happened_at > at + AHEAD:
            moment = received.happened_at.isoformat()
            self.refuse([Reason(field="time", expected=f"expected a moment that has come, found {moment}")], at)

    def contradict(self, sha256: str, received_from: str, at: datetime) -> None:
        """Note that something else came under its name; once, however often that comes."""
        if sha256 not in self.others:
            told = self.told
            self.record(
                MessageContradicted(
                    message=self.id,
                    source=told.source,
                    sha256=told.sha256,
                    other_sha256=sha256,
                    received_from=received_from,
                ),
                at,
            )

    def accept(self, accepted: MessageAccepted, at: datetime) -> None:
        """Have it accepted, once."""
        if self.status == "pending":
            self.record(accepted, at)

    def refuse(self, reasons: Sequence[Reason], at: datetime) -> None:
        """Have it refused."""
        if self.status == "pending":
            self.record(MessageRefused(message=self.id, source=self.told.source, reasons=tuple(reasons)), at)

    def retry(self, retried: MessageRetried, at: datetime) -> None:
        """Try it again after it was refused."""
        if self.status != "refused":
            raise Rejected(f"message {self.id} is {self.status}; only one that was refused is tried again")
        self.record(retried, at)

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event:
            case MessageReceived():
                self.received, self.mapping_sha256, self.source_id = event, event.mapping_sha256, event.source_id
            case MessageAccepted():
                self.status = "accepted"
            case MessageRefused():
                self.status, self.reasons = "refused", event.reasons
            case MessageRetried():
                self.status, self.reasons = "pending", ()
                self.mapping_sha256, self.source_id = event.mapping_sha256, event.source_id
            case MessageContradicted():
                self.others.add(event.other_sha256)


class Delivery(Aggregate):
    """One more arrival of a message that is here already; a stream each, since many may come at once."""

    category = "delivery"

    def note(self, repeated: MessageRepeated, at: datetime) -> None:
        """Note it."""
        self.record(repeated, at)

    def apply(self, event: Event) -> None:
        """Fold; no decision depends on it."""
