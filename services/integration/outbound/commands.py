"""What callers may ask of what other systems are told."""

from dataclasses import dataclass

from shared.contracts.integration import Scheme
from shared.schema import Count, Id, Text


@dataclass(frozen=True, kw_only=True)
class SubscribeWebhook:
    """Have every event of a facility sent to an address by POST, in the order of its sequence.

    `types` are event types, with their version or without (all versions); none means all. `after` is the number of the
    sequence behind which it begins; without it, what happens from now on. `signature` is standard (Standard Webhooks,
    with a secret that is answered once) or sm2.
    """

    url: Text
    webhook_id: Id | None = None
    types: tuple[Text, ...] | None = None
    after: Count | None = None
    signature: Scheme = "standard"


@dataclass(frozen=True, kw_only=True)
class PauseWebhook:
    """Send nothing until it is resumed; nothing is lost meanwhile."""

    webhook_id: Id
    reason: Text = "paused by hand"


@dataclass(frozen=True, kw_only=True)
class ResumeWebhook:
    """Go on where it was."""

    webhook_id: Id


@dataclass(frozen=True, kw_only=True)
class ReplayWebhook:
    """Send everything behind a number again; each message under the same webhook-id as before."""

    webhook_id: Id
    after: Count


@dataclass(frozen=True, kw_only=True)
class RotateWebhookSecret:
    """Get a new secret, which is answered once; the old one stays valid for a day beside it."""

    webhook_id: Id


@dataclass(frozen=True, kw_only=True)
class RemoveWebhook:
    """Send nothing any more; its id is not used again."""

    webhook_id: Id


@dataclass(frozen=True, kw_only=True)
class TryWebhook:
    """Make one call now that tells of no event, and answer how it was answered."""

    webhook_id: Id
