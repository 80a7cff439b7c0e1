"""How a service stands at this moment: what it lacks to work, and what its database says of lag and parked facilities."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from time import time
from typing import Any
from uuid import UUID

import eventlet
from nameko.messaging import QueueConsumer
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.base import Executable

from shared.checkpoints import checkpoints
from shared.database import Database
from shared.errors import Unavailable
from shared.installation import installation
from shared.ledger import Ledger, events, heads
from shared.provider import LedgerProvider, claims_of
from shared.views import version_of, view_version

PATIENCE_SECONDS = 2.0
"""How long the database may take to answer whoever asks how a service stands."""


@dataclass(frozen=True)
class Gauge:
    """A number that a service's database knows; `query` answers one row with it."""

    name: str
    help: str
    query: Executable


@dataclass(frozen=True)
class Sample:
    """One number, of a service and perhaps of one of its sources."""

    name: str
    help: str
    labels: dict[str, str]
    value: float


class Standing:
    """One hosted service, as it is asked whether it can work and how far it is."""

    def __init__(self, container: Any) -> None:
        self.service: str = container.service_name
        self._container = container
        self.ending = False

    def missing(self) -> dict[str, str]:
        """What it lacks to do its work, each with a word of why; empty where it is ready."""
        if self.ending:
            return {"process": "is stopping"}
        found = {"database": self._database_fault(), "broker": self._broker_fault()}
        if found["database"] is None:
            found["views"] = self._views_fault()
        return {part: fault for part, fault in found.items() if fault is not None}

    def samples(self) -> list[Sample]:
        """The numbers of its database; none where that does not answer."""
        ledger = self._ledger
        if ledger is not None:
            with suppress(SQLAlchemyError, eventlet.Timeout), eventlet.Timeout(PATIENCE_SECONDS):
                return [*self._of_relay(ledger), *self._of_subscriptions(ledger), *self._own(ledger), *self._claims()]
        return []

    @property
    def _ledger(self) -> Ledger | None:
        """Its ledger; the gateway keeps none."""
        return next((one.ledger for one in self._container.dependencies if isinstance(one, LedgerProvider)), None)

    def _database_fault(self) -> str | None:
        """Asked twice: after a restart of the server, the pool's first connection is a dead one."""
        ledger, fault = self._ledger, None
        if ledger is None:
            return None
        for _ in range(2):
            try:
                with eventlet.Timeout(PATIENCE_SECONDS):
                    ledger.database.rows(text("SELECT 1"))
                    return _fault_of_disk(ledger.database)
            except eventlet.Timeout:
                return f"does not answer within {PATIENCE_SECONDS:g} s"
            except SQLAlchemyError as raised:
                fault = f"does not answer ({type(getattr(raised, 'orig', None) or raised).__name__})"
        return fault

    def _broker_fault(self) -> str | None:
        """Whether nameko's consumer, which hears the calls and the replies, is on an open connection."""
        for consumer in (one for one in self._container.extensions if isinstance(one, QueueConsumer)):
            channels = [one.channel for one in consumer._consumers.values()]  # noqa: SLF001  nameko tells it nowhere else
            if not channels or any(channel is None or channel.connection is None for channel in channels):
                return "not connected"
        return None

    def _views_fault(self) -> str | None:
        """Views of another version serve while they are rebuilt; those that no version is known of do not."""
        views, ledger = getattr(self._container.service_cls, "views", None), self._ledger
        with suppress(SQLAlchemyError, eventlet.Timeout), eventlet.Timeout(PATIENCE_SECONDS):
            if views is None or ledger is None or ledger.database.rows(select(view_version.c.version)):
                return None
            return None if version_of(ledger.database, views) == views.version else "being built for the first time"
        return "not known"

    def _sample(self, name: str, help_: str, value: float, **labels: str) -> Sample:
        return Sample(name, help_, {"service": self.service, **labels}, value)

    def _of_relay(self, ledger: Ledger) -> Iterator[Sample]:
        at, behind = heads.c, heads.c.position - heads.c.published
        sums = select(func.sum(at.position).label("held"), func.sum(behind).label("lag"))
        (summed,) = ledger.database.rows(sums)
        next_one = (events.c.facility == at.facility) & (events.c.position == at.published + 1)
        oldest = select(func.min(events.c.event_id)).join_from(heads, events, next_one).where(behind > 0)
        first = ledger.database.rows(oldest)[0][0]
        # Its id says when it was really recorded, also where the clock is simulated (RFC 9562, version 7).
        waited = 0.0 if first is None else max(0.0, time() - (UUID(first).int >> 80) / 1000)
        yield self._sample("xunjian_ledger_events", "Events that the ledgers hold", summed.held or 0)
        yield self._sample("xunjian_relay_lag_events", "Events that are not known to be published", summed.lag or 0)
        yield self._sample("xunjian_relay_lag_seconds", "For how long the oldest of them waits", waited)

    def _of_subscriptions(self, ledger: Ledger) -> Iterator[Sample]:
        at = checkpoints.c
        sums = select(at.source, func.count(at.parked).label("parked"), func.sum(at.position).label("reached"))
        followed = {row.source: row for row in ledger.database.rows(sums.group_by(at.source))}
        for source in sorted({*self._container.service_cls.sources(), *followed}):
            row = followed.get(source)
            parked, reached = (0, 0) if row is None else (row.parked, row.reached)
            told = "Facilities of a source whose events are not applied any further"
            yield self._sample("xunjian_parked_facilities", told, parked, source=source)
            told = "Events of a source that a service has taken in; it lags by what the source's ledgers hold beyond"
            yield self._sample("xunjian_subscription_reached_events", told, reached, source=source)

    def _claims(self) -> Iterator[Sample]:
        told = "1 for each task and partition that this process, of all replicas, has"
        for task in sorted(claims_of(self._container).held()):
            yield self._sample("xunjian_claimed", told, 1.0, task=task)

    def _own(self, ledger: Ledger) -> Iterator[Sample]:
        gauges: Iterable[Gauge] = self._container.service_cls.gauges
        for gauge in gauges:
            yield self._sample(gauge.name, gauge.help, ledger.database.rows(gauge.query)[0][0] or 0)


def _fault_of_disk(database: Database) -> str | None:
    """Whether there is no room to write; where nobody tries, the mark of the installation is written as it is."""
    if database.disk.worth_a_try:
        with suppress(Unavailable):
            with database.write() as connection:
                connection.execute(update(installation).values(now=installation.c.now))
            database.disk.found_room()
    return database.disk.fault
