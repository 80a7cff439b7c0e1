"""What integration publishes: what it received from other systems and what it was told to do with it, and its webhooks."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from shared.event import Event, Moment
from shared.schema import Count, Id, Money, Sha256, Text

FactName = Literal["satisfaction_reported", "cost_recorded", "budget_recorded", "incident_reported", "day_closed"]
"""What another system may tell: four facts that services keep, and that a day is over, with its totals."""
Acceptor = Literal["scoring", "work_orders", "integration"]


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why a message was not taken: what was expected of which field."""

    field: str
    expected: str


@dataclass(frozen=True, kw_only=True)
class ClosedDay:
    """What a source says of a day that is over: how many messages it sent of it, the ratings in them, and their money."""

    day: date
    count: Count
    ratings: Count | None = None
    amount: Money | None = None


class SourceMapped(Event):
    """What another system tells was given a meaning: `mapping` is a YAML file, under the SHA-256 of its bytes.

    `source` is how that system calls itself in CloudEvents. A newer mapping of the same `source_id` replaces the older.
    """

    source_id: Id
    source: str
    mapping_sha256: Sha256
    mapping: str
    mapped_by: str


class MessageReceived(Event):
    """A message of another system arrived, and is kept under the SHA-256 of its JSON before anybody accepts it.

    `message` is the SHA-256 of its `source`, a NUL, and its `message_id`. It is read by the mapping that held then;
    without one, it is refused. `happened_at` is the time that it bears.
    """

    message: Sha256
    source: str
    message_id: str
    message_type: str
    sha256: Sha256
    received_from: str
    happened_at: Moment | None = None
    source_id: Id | None = None
    mapping_sha256: Sha256 | None = None
    fact: FactName | None = None


class MessageAccepted(Event):
    """A service took what a message tells, as the thing `accepted_as`; with the ratings or the money that it told.

    `superseded_by` is a message that told the same thing later and was accepted before: then nothing was handed over.
    """

    message: Sha256
    source: str
    fact: FactName
    accepted_by: Acceptor
    accepted_as: str
    ratings: Count | None = None
    amount: Money | None = None
    closed: ClosedDay | None = None
    superseded_by: Sha256 | None = None


class MessageRefused(Event):
    """A message was not taken; it is kept, and tried again when it is asked for or its source is mapped anew."""

    message: Sha256
    source: str
    reasons: tuple[Reason, ...]


class MessageRetried(Event):
    """A message that was refused is tried again, by a mapping that holds now."""

    message: Sha256
    source: str
    source_id: Id
    mapping_sha256: Sha256
    fact: FactName | None = None


class MessageRepeated(Event):
    """A message arrived once more, the same in every byte of its JSON; it counts once."""

    message: Sha256
    source: str
    received_from: str


class MessageContradicted(Event):
    """Something else arrived under the source and id of a message; the first one stands, the other is kept beside it."""

    message: Sha256
    source: str
    sha256: Sha256
    other_sha256: Sha256
    received_from: str


Scheme = Literal["standard", "sm2"]
"""How a webhook's calls are signed: by Standard Webhooks with a shared secret (HMAC), or by the installation's SM2 key."""


class WebhookSubscribed(Event):
    """A receiver is told of every event behind the number `after` of its facility's sequence; of `types` only, if any.

    A type without a version stands for all of its versions. The secret that calls are signed with is in no event.
    """

    webhook_id: Id
    url: Text
    after: Count
    signature: Scheme
    types: tuple[str, ...] | None = None


class WebhookPaused(Event):
    """A receiver is told nothing until it is resumed; by somebody, or by the service that could not reach it for days."""

    webhook_id: Id
    reason: Text


class WebhookResumed(Event):
    """A receiver is told again, from where it was."""

    webhook_id: Id


class WebhookReplayed(Event):
    """A receiver is told again of every event behind the number `after`."""

    webhook_id: Id
    after: Count


class WebhookSecretRotated(Event):
    """A webhook got a new secret; for a day its calls are signed with the old one, too."""

    webhook_id: Id


class WebhookRemoved(Event):
    """A receiver is told nothing any more."""

    webhook_id: Id
