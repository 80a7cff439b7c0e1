"""The rules of a webhook: subscribed once, paused and resumed, replayed, and gone for good once it is removed."""

from datetime import datetime

from shared.aggregate import Aggregate
from shared.contracts.integration import (
    WebhookPaused,
    WebhookRemoved,
    WebhookReplayed,
    WebhookResumed,
    WebhookSecretRotated,
    WebhookSubscribed,
)
from shared.errors import Rejected
from shared.event import Event


class Webhook(Aggregate):
    """One receiver of a facility's events; its id is never used again."""

    category = "webhook"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.subscription: WebhookSubscribed | None = None
        self.status = ""

    @property
    def next_version(self) -> int:
        """Which number in its stream the event recorded last will have."""
        return self.version + len(self.new_events)

    def subscribe(self, subscription: WebhookSubscribed, at: datetime) -> None:
        """Subscribe it once."""
        if self.exists:
            raise Rejected(f"webhook {self.id} is {self.status} already, and its id is taken for good")
        self.record(subscription, at)

    def pause(self, reason: str, at: datetime) -> None:
        """Tell it nothing for now."""
        if self.status != "active":
            raise Rejected(f"webhook {self.id} is {self.status}, and cannot be paused")
        self.record(WebhookPaused(webhook_id=self.id, reason=reason), at)

    def resume(self, at: datetime) -> None:
        """Tell it again, from where it was."""
        if self.status != "paused":
            raise Rejected(f"webhook {self.id} is {self.status}, and cannot be resumed")
        self.record(WebhookResumed(webhook_id=self.id), at)

    def tell_again(self, after: int, at: datetime) -> None:
        """Tell it all behind a number again; one that is paused begins once it is resumed."""
        self._must_be_there()
        self.record(WebhookReplayed(webhook_id=self.id, after=after), at)

    def rotate_secret(self, at: datetime) -> None:
        """Give it a new secret."""
        self._must_be_there()
        if self.subscription is not None and self.subscription.signature == "sm2":
            raise Rejected(f"webhook {self.id} has no secret: it is signed with the installation's SM2 key")
        self.record(WebhookSecretRotated(webhook_id=self.id), at)

    def remove(self, at: datetime) -> None:
        """Tell it nothing any more."""
        self._must_be_there()
        self.record(WebhookRemoved(webhook_id=self.id), at)

    def apply(self, event: Event) -> None:
        """Fold one event into the state."""
        match event:
            case WebhookSubscribed():
                self.subscription, self.status = event, "active"
            case WebhookPaused():
                self.status = "paused"
            case WebhookResumed():
                self.status = "active"
            case WebhookRemoved():
                self.status = "removed"

    def _must_be_there(self) -> None:
        if self.status == "removed":
            raise Rejected(f"webhook {self.id} is removed")
