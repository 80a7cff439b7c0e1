"""How a service stands at this moment: what it lacks to work, and what its database says of lag and parked facilities."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from time import time
from typing import Any
from uuid import UUID

import eventlet
from nameko.messaging import QueueConsumer
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.base import Executable

from shared.checkpoints import checkpoints
from shared.ledger import Ledger, events, heads
from shared.provider import LedgerProvider
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

    def missing(self) -> dict[str, str]:
        """What it lacks to do its work, each with a word of why; empty where it is ready."""
        found = {"database": self._database_fault(), "broker": self._broker_fault()}
        if found["database"] is None:
            found["views"] = self._views_fault()
        return {part: fault for part, fault in found.items() if fault is not None}

    def samples(self) -> list[Sample]:
        """The numbers of its database; none where that does not answer."""
        ledger = self._ledger
        if ledger is not None:
            with suppress(SQLAlchemyError, eventlet.Timeout), eventlet.Timeout(PATIENCE_SECONDS):
                return [*self._of_relay(ledger), *self._of_subscriptions(ledger), *self._own(ledger)]
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
                return None
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
        parked = select(checkpoints.c.source, func.count()).where(checkpoints.c.parked.is_not(None))
        counted: dict[str, int] = dict(ledger.database.rows(parked.group_by(checkpoints.c.source)))  # type: ignore[arg-type]  # rows of two
        for source in sorted({*self._container.service_cls.sources(), *counted}):
            told = "Facilities of a source whose events are not applied any further"
            yield self._sample("xunjian_parked_facilities", told, counted.get(source, 0), source=source)

    def _own(self, ledger: Ledger) -> Iterator[Sample]:
        gauges: Iterable[Gauge] = self._container.service_cls.gauges
        for gauge in gauges:
            yield self._sample(gauge.name, gauge.help, ledger.database.rows(gauge.query)[0][0] or 0)
