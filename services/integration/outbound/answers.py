"""What is answered about what other systems are told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.answers import Envelope
from shared.contracts.integration import Scheme
from shared.schema import Count, Id


@dataclass(frozen=True, kw_only=True)
class NumberedEvent:
    """An event, and its number in the sequence of its facility: 1, 2, 3 … without a gap over all services."""

    number: Count
    event: Envelope


@dataclass(frozen=True, kw_only=True)
class SubscribedWebhook:
    """A webhook that was subscribed; it begins behind the number `after`.

    `secret` is what its calls are signed with. It is told in the first answer and never again: null where the command is
    repeated, or the webhook is signed with SM2.
    """

    webhook_id: Id
    after: Count
    secret: str | None


@dataclass(frozen=True, kw_only=True)
class WebhookSecret:
    """A webhook's new secret, told once: null where the command is repeated."""

    webhook_id: Id
    secret: str | None


@dataclass(frozen=True, kw_only=True)
class ListedWebhook:
    """A webhook and how far it is: all up to the number `delivered` is acknowledged or left out by its `types`.

    `lag` is how many numbers it is behind. `failing_since`, `next_at` and `last_error` say what keeps it; `reason` why it
    is paused.
    """

    webhook_id: Id
    url: str
    types: tuple[str, ...] | None
    signature: Scheme
    status: Literal["active", "paused", "removed"]
    reason: str | None
    subscribed_at: datetime
    delivered: Count
    lag: Count
    failing_since: datetime | None
    next_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One call of a webhook: for which event, which attempt it was, and how it was answered.

    `error` is null where the receiver acknowledged it; `status` is null where there was no whole answer.
    """

    call: Count
    number: Count
    type: str
    attempt: Count
    at: datetime
    status: int | None
    milliseconds: Count
    error: str | None


@dataclass(frozen=True, kw_only=True)
class TriedWebhook:
    """How a receiver answered a call that told of no event."""

    status: int | None
    milliseconds: Count
    error: str | None
