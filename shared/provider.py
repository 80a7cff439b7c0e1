"""Gives a nameko service its ledger: database opened and migrated, installation marked, clock chosen."""

from typing import Any

from nameko.extensions import DependencyProvider
from sqlalchemy.exc import DBAPIError

from shared.config import database_url, setting
from shared.database import Database
from shared.errors import Unavailable
from shared.installation import clock_of
from shared.ledger import Ledger
from shared.relay import Relay


class LedgerProvider(DependencyProvider):
    """Injects the one Ledger of this process; the service class's `fold` keeps its views."""

    ledger: Ledger
    relay = Relay()

    def setup(self) -> None:
        """Open the database; raises Unavailable if that fails, Rejected if it is of the other kind of installation."""
        service = self.container.service_name
        database = Database(database_url(self.container.config, service))
        try:
            database.migrate(service)
            clock = clock_of(database, setting(self.container.config, "SIMULATED"))
        except DBAPIError as fault:
            place = database.url.render_as_string(hide_password=True)
            raise Unavailable(f"{place}: expected a database for {service}: {fault.orig}") from fault
        self.ledger = Ledger(database, service, clock, self.container.service_cls.fold)

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
