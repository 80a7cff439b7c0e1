"""The live facts: what the journal holds, folded once and kept, and read on from where they stand at each question."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from nameko.extensions import DependencyProvider
from sqlalchemy import select

from services.scoring import views
from services.scoring.evaluation import Result, evaluate
from services.scoring.facts import Facts
from services.scoring.rulebook import Rulebook
from shared.contracts.scoring import Head
from shared.database import Database
from shared.event import read
from shared.ledger import events
from shared.provider import ledger_of

SOURCES = ("asset_registry", "scheduling", "work_orders")


class LiveFacts:
    """The facts of each facility that was asked about, in this process.

    They are only a cache: the same fold over the same journal, wherever it runs, gives the same facts.
    """

    def __init__(self, database: Database, service: str) -> None:
        self.database = database
        self.service = service
        self._lock = threading.Lock()
        self._facts: dict[str, tuple[Facts, dict[str, Head]]] = {}

    @contextmanager
    def facts(self, facility: str) -> Iterator[tuple[Facts, Mapping[str, Head]]]:
        """The facts of a facility as they stand now, and the heads of the ledgers that they rest on; kept still meanwhile."""
        with self._lock:
            yield self._up_to_date(facility)

    def score(
        self, facility: str, rulebook: Rulebook, as_of: date, known_at: datetime | None, given: str | None = None
    ) -> tuple[Result, dict[str, Head]]:
        """The result of a question, and the heads of the ledgers that it rests on; `given` is known_at as asked for."""
        with self.facts(facility) as (facts, heads):
            result = evaluate(facts, rulebook, as_of, known_at, known_at_given=given)
            return result, dict(heads)

    def today(self, facility: str, now: datetime) -> date:
        """The local date of a moment, in the facility's time zone."""
        with self.facts(facility) as (facts, _):
            return facts.known().day(now)

    def _up_to_date(self, facility: str) -> tuple[Facts, dict[str, Head]]:
        facts, heads = self._facts.setdefault(facility, (Facts(facility), {}))
        journal = views.journal.c
        for source in (*SOURCES, self.service):
            after = heads[source].position if source in heads else 0
            if source == self.service:
                news = select(events.c.position, events.c.body, events.c.hash).where(
                    events.c.facility == facility, events.c.position > after
                )
            else:
                news = select(journal.position, journal.body, journal.hash).where(
                    journal.source == source, journal.facility == facility, journal.position > after
                )
            for row in self.database.rows(news.order_by("position")):
                facts.add(read(row.body, row.hash))
                heads[source] = Head(position=row.position, hash=row.hash)
        return facts, heads


class LiveFactsProvider(DependencyProvider):
    """Injects the live facts of this process."""

    def start(self) -> None:
        """Take the service's database."""
        ledger = ledger_of(self.container)
        self.live = LiveFacts(ledger.database, ledger.service)

    def get_dependency(self, worker_ctx: Any) -> LiveFacts:
        """The live facts."""
        return self.live
