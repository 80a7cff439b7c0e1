"""Whether a service's views are what its events give: folded afresh, and compared row by row."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table

from services.access.views import VIEWS as ACCESS
from services.asset_registry.views import VIEWS as ASSET_REGISTRY
from services.audit.chain import shown
from services.audit.snapshot import snapshot, stream, tables_of
from services.integration.views import VIEWS as INTEGRATION
from services.scheduling.views import VIEWS as SCHEDULING
from services.scoring.views import VIEWS as SCORING
from services.work_orders.views import VIEWS as WORK_ORDERS
from shared.database import Database
from shared.event import read
from shared.refold import Scratch, compare, in_order
from shared.views import Views

VIEWS: Mapping[str, Views] = {
    "asset_registry": ASSET_REGISTRY,
    "scheduling": SCHEDULING,
    "work_orders": WORK_ORDERS,
    "scoring": SCORING,
    "integration": INTEGRATION,
    "access": ACCESS,
}
"""What each service folds."""

_OWN = "SELECT facility, position, type, body, hash FROM event ORDER BY facility, position"
_HEARD = (
    "SELECT facility, position, type, body, hash FROM event"
    " WHERE facility = :facility AND position <= :last ORDER BY position"
)
_CHECKPOINTS = "SELECT facility, position FROM checkpoint WHERE source = :source ORDER BY facility"

Told = tuple[Any, Any, str]
"""Facility and position, each None where it is of none, and what differs."""


class Folding:
    """One service's views, folded anew from its own ledger and those of the services that it hears.

    Facilities of which a ledger is `broken` (service, facility) are left out: nothing certain follows from it.
    """

    def __init__(self, service: str, databases: Mapping[str, Database], broken: set[tuple[str, Any]]) -> None:
        self._views = VIEWS[service]
        self._service = service
        self._databases = databases
        self._left_out = {facility for whose, facility in broken if whose in {service, *self._views.sources}}

    @property
    def possible(self) -> bool:
        """Whether all ledgers that the views rest on are at hand."""
        return {self._service, *self._views.sources} <= set(self._databases)

    def differences(self) -> Iterator[Told]:
        """Every row that is not as its events give it, and every event that the views cannot take in."""
        with snapshot(self._databases[self._service]) as connection, Scratch(self._views) as scratch:
            yield from self._fold(self._service, stream(connection, _OWN), scratch)
            for source in self._views.sources:
                for facility, last in list(stream(connection, _CHECKPOINTS, source=source)):
                    if _is_name(facility) and type(last) is int:
                        with snapshot(self._databases[source]) as theirs:
                            heard = stream(theirs, _HEARD, facility=facility, last=last)
                            yield from self._fold(source, heard, scratch)
            there = tables_of(connection)
            for table in self._views.tables:
                if table.name in there:
                    yield from self._compare(connection, table, scratch)

    def _fold(self, source: str, rows: Iterator[Any], scratch: Scratch) -> Iterator[Told]:
        """Take in events; of another service those that are folded here, up to where this one has read them."""
        names = self._views.heard_from(source)
        for facility, position, type_, body, hash_ in rows:
            if facility in self._left_out or (source != self._service and _name(type_) not in names):
                continue
            try:
                scratch.fold(read(body, hash_))
            except Exception as fault:  # noqa: BLE001  whatever a fold raises at an event that no service wrote
                self._left_out.add(facility)
                yield facility, position, f"the views cannot take in this event of {source}: {_line(fault)}"

    def _compare(self, connection: Connection, table: Table, scratch: Scratch) -> Iterator[Told]:
        postgresql = connection.dialect.name == "postgresql"
        live = stream(connection, in_order(table, postgresql=postgresql))
        for one in compare(table, live, scratch.rows(table), shown, postgresql=postgresql):
            if one.facility not in self._left_out:
                facility = one.facility if isinstance(one.facility, str) else repr(one.facility)
                yield facility, None, f"table {one.table}, row {' '.join(map(shown, one.key))}: {one.what}"


def _is_name(value: Any) -> bool:
    """Whether a database would take it back."""
    return isinstance(value, str) and value.isprintable()


def _name(type_: Any) -> str:
    return str(type_).split(".")[1] if str(type_).count(".") else ""


def _line(fault: Exception) -> str:
    return f"{type(fault).__name__}: {' '.join(str(fault).split())[:200]}"
