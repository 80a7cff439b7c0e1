"""The wiring of what other systems are told."""

import functools
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import orjson
from sqlalchemy import func, select
from uuid_utils import uuid7

from services.integration.outbound import answers as forms
from services.integration.outbound import commands, feed
from services.integration.outbound.aggregate import Webhook
from services.integration.outbound.book import Book, listed
from services.integration.outbound.courier import MEDIA_TYPE
from services.integration.outbound.dispatch import Couriers, Post
from services.integration.outbound.tables import deliveries, webhooks
from shared import service
from shared.config import FED
from shared.contracts.integration import WebhookSubscribed
from shared.errors import Forbidden, Invalid, NotFound, Rejected
from shared.event import Recorded, timestamp
from shared.pages import Page, page
from shared.rights import EVERYWHERE
from shared.rpc import Peer
from shared.service import answers, command, query
from shared.signing import public_pem
from shared.subscription import subscribe
from shared.unit import Unit

MOST_WEBHOOKS = 50
"""How many webhooks of a facility are not removed."""

Telling = Callable[[Any, str, dict[str, Any], dict[str, Any]], dict[str, Any]]


def told_once(method: Telling) -> Telling:
    """Put into a command's answer the secret that its event, number `secret_number` of its stream, asked for.

    It is made behind the commit, and told to whoever makes it: neither the ledger nor the remembered answer of the
    command has it. Who lost the answer, or was cut off between the two, repeats the command: if the secret was made, it is
    not told again.
    """

    @functools.wraps(method)
    def tell(self: "Outbound", facility: str, data: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
        outcome = dict(method(self, facility, data, context))
        number = outcome.pop("secret_number")
        if number is not None:
            made = self.book.make_secret(facility, outcome["webhook_id"], number, datetime.now(UTC))
        return {**outcome, "secret": None if number is None else made}

    return tell


class Outbound(service.LedgerService):
    """Tells other systems what happened."""

    asset_registry = Peer("asset_registry")
    scheduling = Peer("scheduling")
    work_orders = Peer("work_orders")
    scoring = Peer("scoring")
    couriers: Post = Couriers()

    @property
    def book(self) -> Book:
        """What the couriers write down."""
        return Book(self.ledger.database)

    # The numbered sequence

    @subscribe("asset_registry", before=True)
    def on_any_of_asset_registry(self, do: Unit, recorded: Recorded) -> None:
        """Number it."""
        feed.append(do, recorded)

    @subscribe("scheduling", before=True)
    def on_any_of_scheduling(self, do: Unit, recorded: Recorded) -> None:
        """Number it."""
        feed.append(do, recorded)

    @subscribe("work_orders", before=True)
    def on_any_of_work_orders(self, do: Unit, recorded: Recorded) -> None:
        """Number it."""
        feed.append(do, recorded)

    @subscribe("scoring", before=True)
    def on_any_of_scoring(self, do: Unit, recorded: Recorded) -> None:
        """Number it."""
        feed.append(do, recorded)

    @subscribe("integration", before=True)
    def on_any_of_our_own(self, do: Unit, recorded: Recorded) -> None:
        """Number it."""
        feed.append(do, recorded)

    @answers(list[forms.NumberedEvent])
    @query
    def feed(  # noqa: PLR0917  the words of a call
        self,
        facilities: Sequence[str],
        facility: str | None = None,
        after: int | None = None,
        limit: int | None = None,
        types: str | None = None,
        sources: str | None = None,
    ) -> dict[str, Any]:
        """Events of a facility behind a number, for a caller who may see `facilities` (`*`: all).

        {items: [{number, event: JSON text}], next: behind which number to go on, head: the last one}. `types` and
        `sources` are lists by commas. Raises Forbidden, NotFound, and what `outbound.feed.page` does.
        """
        if not facility:
            raise Invalid({"facility": ["missing"]})
        if facility not in facilities and EVERYWHERE not in facilities:
            raise Forbidden(f"expected a role in {facility} that sees its events")
        database = self.ledger.database
        if feed.head(database, facility) is None:
            self.asset_registry.call("facility", facility=facility)
        ledgers: dict[str, feed.ReadLedger] = {
            name: functools.partial(getattr(self, name).call, "read_ledger") for name in FED if name != self.name
        }
        ledgers[self.name] = self.ledger.raw
        wanted = (_listed(types), _listed(sources))
        return feed.page(database, ledgers, facility, after or 0, limit, *wanted)

    # Webhooks

    @answers(forms.SubscribedWebhook)
    @told_once
    @command(commands.SubscribeWebhook)
    def subscribe_webhook(self, do: Unit, asked: commands.SubscribeWebhook) -> dict[str, Any]:
        """Have a facility's events sent to an address; answers the secret, once."""
        self.couriers.outside.must_be_outside(asked.url)
        feed.must_be_types(asked.types)
        self._must_have_room(do.facility)
        if asked.signature == "sm2" and self.couriers.key() is None:
            raise Rejected("this installation has no SM2 key to sign with (WEBHOOK_SM2_KEY)")
        after = self._behind(do.facility, asked.after)
        webhook = do.find(Webhook, asked.webhook_id or str(uuid7()))
        subscription = WebhookSubscribed(
            webhook_id=webhook.id, url=asked.url, after=after, signature=asked.signature, types=asked.types or None
        )
        webhook.subscribe(subscription, do.now)
        number = webhook.next_version if asked.signature == "standard" else None
        return {"webhook_id": webhook.id, "after": after, "secret_number": number}

    @command(commands.PauseWebhook)
    def pause_webhook(self, do: Unit, asked: commands.PauseWebhook) -> None:
        """Send nothing for now."""
        do.edit(Webhook, asked.webhook_id).pause(asked.reason, do.now)

    @command(commands.ResumeWebhook)
    def resume_webhook(self, do: Unit, asked: commands.ResumeWebhook) -> None:
        """Go on where it was."""
        do.edit(Webhook, asked.webhook_id).resume(do.now)

    @command(commands.ReplayWebhook)
    def replay_webhook(self, do: Unit, asked: commands.ReplayWebhook) -> None:
        """Send everything behind a number again."""
        do.edit(Webhook, asked.webhook_id).tell_again(self._behind(do.facility, asked.after), do.now)

    @answers(forms.WebhookSecret)
    @told_once
    @command(commands.RotateWebhookSecret)
    def rotate_webhook_secret(self, do: Unit, asked: commands.RotateWebhookSecret) -> dict[str, Any]:
        """Get a new secret, once; the old one stays valid for a day."""
        webhook = do.edit(Webhook, asked.webhook_id)
        webhook.rotate_secret(do.now)
        return {"webhook_id": webhook.id, "secret_number": webhook.next_version}

    @command(commands.RemoveWebhook)
    def remove_webhook(self, do: Unit, asked: commands.RemoveWebhook) -> None:
        """Send nothing any more."""
        do.edit(Webhook, asked.webhook_id).remove(do.now)

    @answers(forms.TriedWebhook)
    @command(commands.TryWebhook)
    def test_webhook(self, do: Unit, asked: commands.TryWebhook) -> dict[str, Any]:
        """Make one call now; a repeated command answers what the first one found, and calls nobody."""
        webhook = self.book.webhook(do.facility, asked.webhook_id)
        if webhook is None:
            raise NotFound(f"no webhook {asked.webhook_id} in {do.facility}")
        id_, now = str(uuid7()), datetime.now(UTC)
        body = _nothing_happened(do.facility, webhook.webhook_id, id_, now)
        headers = {"Content-Type": MEDIA_TYPE, **self.couriers.sign(webhook, f"test_{id_}", now, body)}
        answer = self.couriers.calling.post(webhook.url, headers, body)
        return {"status": answer.status, "milliseconds": answer.milliseconds, "error": answer.error}

    @answers(list[forms.ListedWebhook])
    @query
    def webhooks(
        self, facility: str, sort: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Page:
        """The webhooks of a facility with how far each is, a page of them."""
        order = {
            "webhook_id": [webhooks.c.webhook_id],
            "subscribed_at": [webhooks.c.subscribed_at, webhooks.c.webhook_id],
        }
        found = page(
            self.ledger.database, select(webhooks).where(webhooks.c.facility == facility), order, sort, cursor, limit
        )
        head = feed.head(self.ledger.database, facility) or 0
        rows = [SimpleNamespace(**row) for row in found["items"]]
        return {**found, "items": [dict(listed(row, self.book.progress(row), head)) for row in rows]}

    @answers(list[forms.Delivery])
    @query
    def deliveries(
        self,
        facility: str,
        webhook_id: str,
        sort: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page:
        """The newest calls of a webhook, a page of them, the newest first; raises NotFound."""
        if self.book.webhook(facility, webhook_id) is None:
            raise NotFound(f"no webhook {webhook_id} in {facility}")
        kept = deliveries.c
        columns = (kept.call, kept.number, kept.type, kept.attempt, kept.at, kept.status, kept.milliseconds, kept.error)
        wanted = select(*columns).where(kept.facility == facility, kept.webhook_id == webhook_id)
        return page(self.ledger.database, wanted, {"call": [kept.call]}, sort or "-call", cursor, limit)

    @query
    def webhook_key(self) -> dict[str, str]:
        """The public half of the key that signs webhooks by SM2, as a file; raises NotFound."""
        key = self.couriers.key()
        if key is None:
            raise NotFound("no key to sign webhooks with is named")
        content = public_pem(key.public).encode()
        return {
            "media_type": "application/x-pem-file",
            "body": b64encode(content).decode(),
            "filename": "webhook.pub.pem",
        }

    @query
    def health(self) -> dict[str, Any]:
        """As of every service; with the webhooks that were given up: paused by the service itself."""
        told: dict[str, Any] = super().health()
        given_up = select(webhooks).where(webhooks.c.status == "paused", webhooks.c.paused_by == f"service:{self.name}")
        paused = [
            {"facility": row.facility, "webhook_id": row.webhook_id, "reason": row.reason}
            for row in self.ledger.database.rows(given_up)
        ]
        status = "degraded" if paused and told["status"] == "ok" else told["status"]
        return {**told, "status": status, "webhooks": paused}

    def _behind(self, facility: str, after: int | None) -> int:
        """The number behind which to begin; raises Invalid for one that was not given yet."""
        last = feed.head(self.ledger.database, facility) or 0
        if after is not None and after > last:
            raise Invalid({"after": [f"expected a number from 0 to {last}, the last one given in {facility}"]})
        return last if after is None else after

    def _must_have_room(self, facility: str) -> None:
        wanted = select(func.count()).where(webhooks.c.facility == facility, webhooks.c.status != "removed")
        if self.ledger.database.rows(wanted)[0][0] >= MOST_WEBHOOKS:
            raise Rejected(f"{facility} has {MOST_WEBHOOKS} webhooks; remove one that is not needed")


def _listed(words: str | None) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()] if words else []


def _nothing_happened(facility: str, webhook_id: str, id_: str, now: datetime) -> bytes:
    """A CloudEvent that is no event of any ledger."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": id_,
            "source": "/integration",
            "type": "integration.test",
            "subject": f"webhook/{webhook_id}",
            "time": timestamp(now),
            "datacontenttype": "application/json",
            "facility": facility,
            "data": {"webhook_id": webhook_id},
        }
    )
