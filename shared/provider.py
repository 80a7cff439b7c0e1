"""Gives a nameko service its ledger: database opened and migrated, installation marked, clock chosen, views up to date."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import structlog
from nameko.extensions import DependencyProvider
from sqlalchemy.exc import DBAPIError

from shared.claims import Claims
from shared.config import database_url, setting
from shared.database import Database
from shared.errors import Conflict, Unavailable
from shared.installation import clock_of
from shared.ledger import Ledger
from shared.rebuild import Rebuild
from shared.relay import Relay
from shared.rpc import caller
from shared.upgrade import bring_up_at_start, must_not_be_newer
from shared.views import Views, version_of

log = structlog.get_logger()

RETRY_SECONDS = 1.0


def open_ledger(config: Mapping[str, Any], service: str, views: Views | None = None) -> Ledger:
    """A service's ledger, its database brought to the newest schema, where this role may, and marked if it is new.

    Raises Unavailable if the database cannot be opened, Rejected if it is of the other kind of installation, of a newer
    schema, or of an older one that this role may not bring up.
    """
    with _opened(config, service) as database:
        bring_up_at_start(database, service)
        clock = clock_of(database, setting(config, "SIMULATED"))
        if views is not None:
            version_of(database, views)
    return Ledger(database, service, clock, None if views is None else views.fold)


def must_be_known(config: Mapping[str, Any], service: str) -> None:
    """Raise Rejected where a service's database is of a newer schema; it is only read. Raises Unavailable as above."""
    with _opened(config, service) as database:
        must_not_be_newer(database, service)
    database.close()


@contextmanager
def _opened(config: Mapping[str, Any], service: str) -> Iterator[Database]:
    """A service's database, closed where it cannot be used."""
    database = Database(database_url(config, service))
    try:
        yield database
    except DBAPIError as fault:
        database.close()
        place = database.url.render_as_string(hide_password=True)
        raise Unavailable(f"{place}: expected a database for {service}: {fault.orig}") from fault
    except BaseException:
        database.close()
        raise


class LedgerProvider(DependencyProvider):
    """Injects the one Ledger of this process; the service class's `views` are folded with it."""

    ledger: Ledger
    claims: Claims
    relay = Relay()

    def setup(self) -> None:
        """Open the service's database; raises as `open_ledger` does."""
        service = self.container.service_cls
        self.ledger = open_ledger(self.container.config, self.container.service_name, service.views)
        self.claims = Claims(self.ledger.database)

    def start(self) -> None:
        """Begin to publish what is committed, and to rebuild the views if another version of their fold made them."""
        self._running = [self.container.spawn_managed_thread(self.claims.keep, identifier="claims")]
        self.relay.begin(self.ledger, self.claims)
        views = self.container.service_cls.views
        if views is not None and version_of(self.ledger.database, views) != views.version:
            rebuild = partial(self._rebuild, views)
            self._running.append(self.container.spawn_managed_thread(rebuild, identifier="rebuild"))

    def stop(self) -> None:
        """Stop publishing and close the database; views half built are built anew after the next start."""
        self.relay.stop()
        for thread in self._running:
            thread.kill()
        self.claims.close()
        self.ledger.database.close()

    def kill(self) -> None:
        """Leave what is claimed to others; the rest ends with the process."""
        self.claims.close()

    def get_dependency(self, worker_ctx: Any) -> Ledger:
        """The ledger."""
        return self.ledger

    def _rebuild(self, views: Views) -> None:
        """Rebuild the views while the service answers with what there is; until the sources are there, or for another replica."""
        database, service, pause = self.ledger.database, self.ledger.service, threading.Event()
        while version_of(database, views) != views.version:
            try:
                with caller(self.container.config) as call:
                    feeds = {source: partial(call, source, "read_ledger") for source in views.sources}
                    rebuilt = Rebuild(database, service, views, feeds).run()
                differing = {one.table: one.count for one in rebuilt.differing}
                log.info("views rebuilt", service=service, version=rebuilt.version, differing=differing)
            except (Unavailable, Conflict, DBAPIError) as fault:
                log.info("views are rebuilt later", service=service, fault=repr(fault))
                pause.wait(RETRY_SECONDS)
            except Exception:  # what the fold makes of the events is a fault of the code: the old views stay
                log.exception("the views could not be rebuilt", service=service)
                return


def ledger_of(container: Any) -> Ledger:
    """The ledger of a service that is being hosted."""
    return _provider(container).ledger


def claims_of(container: Any) -> Claims:
    """What this replica of a service that is being hosted claims."""
    return _provider(container).claims


def _provider(container: Any) -> LedgerProvider:
    (found,) = (provider for provider in container.dependencies if isinstance(provider, LedgerProvider))
    return found
