"""What integration answers about what other systems tell; words as in shared.contracts.integration."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from shared.contracts.integration import Acceptor, FactName, Reason
from shared.schema import Count, Id, Money, Sha256

Standing = Literal["pending", "accepted", "refused"]


@dataclass(frozen=True, kw_only=True)
class ReceivedEvent:
    """What became of one event that was sent.

    `message` is what it is known by, null where it is kept nowhere. Of a `duplicate`, and of what contradicts a message
    that came before, `first` says how that one stands.
    """

    source: str | None
    id: str | None
    facility: Id | None
    message: Sha256 | None
    status: Literal["pending", "accepted", "refused", "duplicate"]
    first: Standing | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What became of the events of a request, in the order in which they were sent."""

    items: tuple[ReceivedEvent, ...]


@dataclass(frozen=True, kw_only=True)
class ReceivedRow(ReceivedEvent):
    """What became of a row of a file; `line` is its number in the sheet, the headings being 1."""

    line: Count


@dataclass(frozen=True, kw_only=True)
class FileReceipt:
    """What became of the rows of a file, in their order."""

    items: tuple[ReceivedRow, ...]


@dataclass(frozen=True, kw_only=True)
class MappedSource:
    """A source and the mapping that it has now; `waiting` messages are tried by it that were refused before."""

    source_id: Id
    source: str
    mapping_sha256: Sha256
    waiting: Count


@dataclass(frozen=True, kw_only=True)
class ListedSource:
    """Another system that tells us things: how it calls itself (CloudEvents `source`), and the hash of its mapping."""

    facility: Id
    source_id: Id
    source: str
    mapping_sha256: Sha256
    mapped_by: str
    mapped_at: datetime


@dataclass(frozen=True, kw_only=True)
class SourceWithMapping(ListedSource):
    """A source with the YAML text of the mapping that it has now."""

    mapping: str


@dataclass(frozen=True, kw_only=True)
class ListedMessage:
    """A message of another system, and what became of it.

    `happened_at` is the time that it bears, else when it was received. `repeats` is how often it came again the same,
    `contradictions` how many others came under its source and id. `superseded_by` is a message that told the same thing
    later and was accepted first.
    """

    facility: Id
    message: Sha256
    position: Count
    source: str
    message_id: str
    message_type: str
    sha256: Sha256
    received_from: str
    received_at: datetime
    happened_at: datetime
    source_id: Id | None
    mapping_sha256: Sha256 | None
    fact: FactName | None
    status: Standing
    reasons: tuple[Reason, ...]
    accepted_by: Acceptor | None
    accepted_as: str | None
    ratings: Count | None
    amount: Money | None
    superseded_by: Sha256 | None
    repeats: Count
    contradictions: Count


@dataclass(frozen=True, kw_only=True)
class MessageWithEnvelope(ListedMessage):
    """A message with the CloudEvent as it was sent; null where that is not kept any more."""

    envelope: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class RetriedMessage:
    """A message that is tried again."""

    message: Sha256
    status: Standing


@dataclass(frozen=True, kw_only=True)
class StatedDay:
    """What the source itself said of a day: how many messages, and of these the ratings and the money, if it said so."""

    count: Count
    ratings: Count | None
    amount: Money | None


@dataclass(frozen=True, kw_only=True)
class ReconciledDay:
    """The messages of a source of one local day, without those that close a day, beside what the source says.

    `ratings` and `amount` (CNY) are sums over the accepted. `agrees` is null where the source said nothing of the day.
    """

    day: date
    source: str
    received: Count
    accepted: Count
    refused: Count
    pending: Count
    duplicates: Count
    contradictions: Count
    ratings: Count
    amount: Money
    stated: StatedDay | None
    agrees: bool | None
