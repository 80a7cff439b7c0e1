"""How the webhooks are, as numbers for whoever watches over the installation."""

from sqlalchemy import case, func, select

from services.integration.outbound.tables import feed_heads, progress, webhooks
from shared.standing import Gauge

_its_progress = (
    (progress.c.facility == webhooks.c.facility)
    & (progress.c.webhook_id == webhooks.c.webhook_id)
    & (progress.c.begun == webhooks.c.begun)
)
_delivered = case((progress.c.delivered.is_not(None), progress.c.delivered), else_=webhooks.c.after)
_behind = (
    select(func.max(feed_heads.c.number - _delivered))
    .select_from(webhooks)
    .join(feed_heads, feed_heads.c.facility == webhooks.c.facility)
    .outerjoin(progress, _its_progress)
    .where(webhooks.c.status == "active")
)
_paused = select(func.count()).select_from(webhooks).where(webhooks.c.status == "paused")

GAUGES = (
    Gauge("xunjian_webhook_lag_events", "How many events the active webhook that is furthest behind lacks", _behind),
    Gauge("xunjian_paused_webhooks", "Webhooks that are paused, by whomever", _paused),
    Gauge(
        "xunjian_given_up_webhooks",
        "Webhooks that the service itself paused, since their receivers failed for too long",
        _paused.where(webhooks.c.paused_by == "service:integration"),
    ),
)
