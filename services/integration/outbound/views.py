"""The list of webhooks, as their events give it."""

from typing import Any

from sqlalchemy import Connection, insert, update

from services.integration.outbound.tables import webhooks
from shared.contracts.integration import (
    WebhookPaused,
    WebhookRemoved,
    WebhookReplayed,
    WebhookResumed,
    WebhookSubscribed,
)
from shared.event import Recorded, timestamp


def fold(connection: Connection, recorded: Recorded) -> None:
    """Bring the list on by one event."""
    version = recorded.streamversion
    match recorded.event:
        case WebhookSubscribed() as subscribed:
            connection.execute(insert(webhooks).values(_row(recorded, subscribed)))
        case WebhookPaused(webhook_id=id_, reason=reason):
            _change(connection, recorded, id_, status="paused", reason=reason, paused_by=recorded.actor)
        case WebhookResumed(webhook_id=id_):
            _change(connection, recorded, id_, status="active", reason=None, paused_by=None, started=version)
        case WebhookReplayed(webhook_id=id_, after=after):
            _change(connection, recorded, id_, after=after, begun=version, started=version)
        case WebhookRemoved(webhook_id=id_):
            _change(connection, recorded, id_, status="removed", reason=None, paused_by=None)


def _row(recorded: Recorded, subscribed: WebhookSubscribed) -> dict[str, Any]:
    return {
        "facility": recorded.facility,
        "webhook_id": subscribed.webhook_id,
        "url": subscribed.url,
        "types": list(subscribed.types or ()),
        "signature": subscribed.signature,
        "status": "active",
        "after": subscribed.after,
        "begun": recorded.streamversion,
        "started": recorded.streamversion,
        "subscribed_at": timestamp(recorded.recordedat),
    }


def _change(connection: Connection, recorded: Recorded, webhook_id: str, **values: Any) -> None:
    key = (webhooks.c.facility == recorded.facility) & (webhooks.c.webhook_id == webhook_id)
    connection.execute(update(webhooks).where(key).values(values))
