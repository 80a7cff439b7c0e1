"""What is told of the webhooks to whoever watches over the installation."""

from typing import Any

from sqlalchemy import insert

from services.integration.outbound.gauges import GAUGES
from services.integration.outbound.tables import feed_heads, progress, webhooks
from shared.database import Database

NOON = "2026-03-09T12:00:00+08:00"


def webhook(webhook_id: str, status: str = "active", paused_by: str | None = None, after: int = 0) -> dict[str, Any]:
    """A row of the view; begun by the first event of its stream."""
    where = {"url": "https://receiver.example", "types": [], "signature": "standard", "subscribed_at": NOON}
    at = {"after": after, "begun": 1, "started": 1}
    return {"facility": "hall", "webhook_id": webhook_id, "status": status, "paused_by": paused_by, **where, **at}


def reached(webhook_id: str, delivered: int, begun: int = 1) -> dict[str, Any]:
    """How far its courier is."""
    at = {"begun": begun, "started": 1, "delivered": delivered, "calls": 0, "attempts": 0, "digest": ""}
    return {"facility": "hall", "webhook_id": webhook_id, **at}


def told(url: str, hooks: list[dict[str, Any]], moved: list[dict[str, Any]]) -> dict[str, float]:
    """The numbers where a facility has 20 events, these webhooks, and this progress of them."""
    database = Database(url)
    database.migrate("integration")
    with database.write() as connection:
        connection.execute(insert(feed_heads).values(facility="hall", number=20))
        for table, rows in ((webhooks, hooks), (progress, moved)):
            if rows:
                connection.execute(insert(table), rows)
    numbers = {one.name: database.rows(one.query)[0][0] or 0 for one in GAUGES}
    database.close()
    return numbers


def test_the_lag_is_that_of_the_active_webhook_that_is_furthest_behind(database_url: str) -> None:
    hooks = [webhook("near"), webhook("far"), webhook("untouched", after=17), webhook("off", status="removed")]

    numbers = told(database_url, hooks, [reached("near", 19), reached("far", 12)])

    assert numbers["xunjian_webhook_lag_events"] == 20 - 12


def test_a_webhook_that_was_begun_anew_lags_from_there(database_url: str) -> None:
    numbers = told(database_url, [webhook("again", after=5)], [reached("again", 20, begun=0)])

    assert numbers["xunjian_webhook_lag_events"] == 20 - 5


def test_webhooks_that_were_given_up_are_told_from_those_that_somebody_paused(database_url: str) -> None:
    hooks = [webhook("given-up", "paused", "service:integration"), webhook("paused", "paused", "user:wang")]

    numbers = told(database_url, hooks, [])

    assert numbers == {
        "xunjian_webhook_lag_events": 0,
        "xunjian_paused_webhooks": 2,
        "xunjian_given_up_webhooks": 1,
    }
