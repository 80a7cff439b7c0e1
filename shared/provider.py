"""Gives a nameko service its ledger: database opened and migrated, installation marked, clock chosen."""

from collections.abc import Mapping
from typing import Any

from nameko.extensions import DependencyProvider
from sqlalchemy.exc import DBAPIError

from shared.config import database_url, setting
from shared.database import Database
from shared.errors import Unavailable
from shared.installation import clock_of
from shared.ledger import Fold, Ledger
from shared.relay import Relay


def open_ledger(config: Mapping[str, Any], service: str, fold: Fold | None = None) -> Ledger:
    """A service's ledger, its database brought to the newest schema and marked if it is new.

    Raises Unavailable if the database cannot be opened, Rejected if it is of the other kind of installation.
    """
    database = Database(database_url(config, service))
    try:
        database.migrate(service)
        clock = clock_of(database, setting(config, "SIMULATED"))
    except DBAPIError as fault:
        place = database.url.render_as_string(hide_password=True)
        raise Unavailable(f"{place}: expected a database for {service}: {fault.orig}") from fault
    return Ledger(database, service, clock, fold)


class LedgerProvider(DependencyProvider):
    """Injects the one Ledger of this process; the service class's `fold` keeps its views."""

    ledger: Ledger
    relay = Relay()

    def setup(self) -> None:
        """Open the service's database; raises as `open_ledger` does."""
        service = self.container.service_cls
        self.ledger = open_ledger(self.container.config, self.container.service_name, service.fold)

    def start(self) -> None:
        """Begin to publish what is committed."""
        self.relay.begin(self.ledger)

    def stop(self) -> None:
        """Stop publishing and close the database."""
        self.relay.stop()
        self.ledger.database.close()

    def get_dependency(self, worker_ctx: Any) -> Ledger:
        """The ledger."""
        return self.ledger


def ledger_of(container: Any) -> Ledger:
    """The ledger of a service that is being hosted."""
    (provider,) = (provider for provider in container.dependencies if isinstance(provider, LedgerProvider))
    return provider.ledger
