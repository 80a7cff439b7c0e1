"""Keeps a courier under way for each webhook: in one process of all replicas, each in a greenlet of its own.

Couriers go by the clock on the wall also where the installation is simulated: receivers do not wait for a made-up one.
"""

import random
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

import eventlet
import structlog
from nameko.extensions import DependencyProvider
from sqlalchemy import select
from uuid_utils import uuid7

from services.integration.outbound.addresses import Outside
from services.integration.outbound.aggregate import Webhook
from services.integration.outbound.book import Book
from services.integration.outbound.calling import Calling
from services.integration.outbound.courier import Courier, Office, Time
from services.integration.outbound.feed import ReadLedger
from services.integration.outbound.signatures import sm2_headers, standard_headers
from services.integration.outbound.tables import webhooks
from shared.config import FED, setting
from shared.errors import Conflict, Refused, Rejected, Unavailable
from shared.key_files import key_of
from shared.ledger import Ledger
from shared.provider import claims_of, ledger_of
from shared.rpc import caller
from shared.signing import PrivateKey
from shared.unit import Unit

log = structlog.get_logger()

LOOK_AGAIN_SECONDS = 1.0
"""How long nobody is woken at most: another replica may have paused, resumed or added a webhook."""
LINGER_SECONDS = 0.02
RETRY_SECONDS = 1.0
TASK = "couriers"

Key = tuple[str, str]
"""Facility and id of a webhook."""


class Post:
    """What webhooks are called with: where they may lead, and how calls are made and signed."""

    def __init__(self, outside: Outside, key_file: Path | None, book: Book) -> None:
        self.outside = outside
        self.calling = Calling(outside)
        self._key_file = key_file
        self._key: PrivateKey | None = None
        self._book = book

    def key(self) -> PrivateKey | None:
        """The SM2 key, None where the installation has none; raises Unavailable where it cannot be read."""
        if self._key is None and self._key_file is not None:
            self._key = key_of(self._key_file, "SM2")
        return self._key

    def sign(self, webhook: Any, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """The headers that a webhook's message is signed with; raises Unavailable where there is nothing to sign with."""
        if webhook.signature == "sm2":
            key = self.key()
            if key is None:
                raise Unavailable("there is no SM2 key to sign with (WEBHOOK_SM2_KEY)")
            return sm2_headers(message_id, at, body, app_id=webhook.webhook_id, nonce=token_hex(16), key=key)
        secrets = self._book.signing_secrets(webhook, at)
        if not secrets:
            raise Unavailable(
                "the webhook has no secret yet: repeat the command that subscribed it, or rotate its secret"
            )
        return standard_headers(message_id, at, body, secrets)


class Couriers(DependencyProvider):
    """Injects what webhooks are called with, and lets couriers run while the service does."""

    ledger: Ledger

    def setup(self) -> None:
        """Take the operator's exceptions and the key file from the configuration."""
        config = self.container.config
        hosts, file = setting(config, "WEBHOOK_HOSTS"), setting(config, "WEBHOOK_SM2_KEY")
        self._outside = Outside(hosts.split(",") if isinstance(hosts, str) else hosts)
        self._key_file = Path(file) if file else None
        self._bells: dict[Key | None, threading.Event] = {None: threading.Event()}

    def start(self) -> None:
        """Let couriers run."""
        self.ledger, self._claims = ledger_of(self.container), claims_of(self.container)
        self.post = Post(self._outside, self._key_file, Book(self.ledger.database))
        self.ledger.on_commit.append(self._ring)
        self._running = self.container.spawn_managed_thread(self._forever, identifier="couriers")

    def stop(self) -> None:
        """Let them run no more; what is not acknowledged is carried after the next start."""
        self._running.kill()

    def get_dependency(self, worker_ctx: Any) -> Post:
        """What webhooks are called with."""
        return self.post

    def _ring(self) -> None:
        for bell in self._bells.values():
            bell.set()

    def _wait(self, key: Key | None, seconds: float) -> None:
        """Wait until something is committed here, or some seconds, if they are few; a moment more for what comes with it."""
        bell = self._bells[key]
        if bell.wait(min(seconds, LOOK_AGAIN_SECONDS)):
            eventlet.sleep(LINGER_SECONDS)
        bell.clear()

    def _forever(self) -> None:
        while True:
            try:
                if self._claims.take(TASK):
                    self._keep_running()
            except Exception as fault:  # noqa: BLE001  the database is away; the book stands
                log.warning("couriers interrupted", fault=repr(fault))
            self._claims.leave(TASK)
            eventlet.sleep(RETRY_SECONDS)

    def _keep_running(self) -> None:
        """Keep a courier for each active webhook, as long as that is our task; raises DBAPIError."""
        running: dict[Key, Any] = {}
        try:
            while self._claims.holds(TASK):
                for key in self._active():
                    if key not in running or running[key].dead:
                        self._bells.setdefault(key, threading.Event())
                        running[key] = eventlet.spawn(self._serve, key)
                self._wait(None, LOOK_AGAIN_SECONDS)
        finally:
            for courier in running.values():
                courier.kill()

    def _active(self) -> list[Key]:
        wanted = select(webhooks.c.facility, webhooks.c.webhook_id).where(webhooks.c.status == "active")
        return [(row.facility, row.webhook_id) for row in self.ledger.database.rows(wanted)]

    def _serve(self, key: Key) -> None:
        """Serve one webhook until it is active no more, whatever is away meanwhile."""
        time = Time(lambda: datetime.now(UTC), partial(self._wait, key), random.random)
        while True:
            try:
                with caller(self.container.config) as call:
                    ledgers: dict[str, ReadLedger] = {one: partial(call, one, "read_ledger") for one in FED}
                    ledgers[self.ledger.service] = self.ledger.raw
                    office = Office(self.ledger.database, ledgers, self.post.sign, self.post.calling.post, self._pause)
                    Courier(*key, office, time).run()
                    return
            except Refused as fault:
                log.warning("a courier waits", facility=key[0], webhook_id=key[1], reason=str(fault))
            except Exception:  # whatever it is, it is this webhook's alone
                log.exception("a courier stumbled", facility=key[0], webhook_id=key[1])
            eventlet.sleep(RETRY_SECONDS)

    def _pause(self, facility: str, webhook_id: str, reason: str) -> None:
        """Record that nothing more is sent, unless somebody was faster to decide something else."""
        cause = str(uuid7())
        actor = f"service:{self.ledger.service}"
        do = Unit(self.ledger, facility, actor=actor, correlation_id=cause, causation_id=cause)
        try:
            do.edit(Webhook, webhook_id).pause(reason, do.now)
            self.ledger.append(do.entry())
        except (Conflict, Rejected) as fault:
            log.info("not paused", facility=facility, webhook_id=webhook_id, reason=str(fault))
