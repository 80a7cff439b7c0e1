"""The live facts: what the journal holds, folded once and kept, and read on from where they stand at each question."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from nameko.extensions import DependencyProvider
from sqlalchemy import select

from services.scoring import views
from services.scoring.evaluation import Result, evaluate
from services.scoring.facts import Facts
from services.scoring.rulebooks.rulebook import Rulebook
from shared.contracts.scoring import Head
from shared.database import Database
from shared.event import read
from shared.ledger import events
from shared.merkle import Tree
from shared.provider import ledger_of

SOURCES = ("asset_registry", "scheduling", "work_orders")


@dataclass
class _Standing:
    """What this process knows of a facility, and how far it has read each ledger."""

    facts: Facts
    reached: dict[str, tuple[int, str]] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=lambda: defaultdict(Tree))

    def take(self, source: str, position: int, body: bytes, hash_: str) -> None:
        """Take in the next event of a source."""
        self.facts.add(read(body, hash_))
        self.trees[source].append(body)
        self.reached[source] = position, hash_

    def heads(self) -> dict[str, Head]:
        """How far each ledger is read, with its tree hash."""
        return {
            source: Head(position=position, hash=hash_, root=self.trees[source].root)
            for source, (position, hash_) in self.reached.items()
        }


class LiveFacts:
    """The facts of each facility that was asked about, in this process.

    They are only a cache: the same fold over the same journal, wherever it runs, gives the same facts.
    """

    def __init__(self, database: Database, service: str) -> None:
        self.database = database
        self.service = service
        self._lock = threading.Lock()
        self._known: dict[str, _Standing] = {}

    @contextmanager
    def facts(self, facility: str) -> Iterator[tuple[Facts, Mapping[str, Head]]]:
        """The facts of a facility as they stand now, and the heads of the ledgers that they rest on; kept still meanwhile."""
        with self._lock:
            standing = self._up_to_date(facility)
            yield standing.facts, standing.heads()

    def score(
        self, facility: str, rulebook: Rulebook, as_of: date, known_at: datetime | None, given: str | None = None
    ) -> tuple[Result, Mapping[str, Head]]:
        """The result of a question, and the heads of the ledgers that it rests on; `given` is known_at as asked for."""
        with self.facts(facility) as (facts, heads):
            return evaluate(facts, rulebook, as_of, known_at, known_at_given=given), heads

    def today(self, facility: str, now: datetime) -> date:
        """The local date of a moment, in the facility's time zone."""
        with self.facts(facility) as (facts, _):
            return facts.known().day(now)

    def _up_to_date(self, facility: str) -> _Standing:
        standing = self._known.setdefault(facility, _Standing(Facts(facility)))
        journal = views.journal.c
        for source in (*SOURCES, self.service):
            after, _ = standing.reached.get(source, (0, ""))
            if source == self.service:
                news = select(events.c.position, events.c.body, events.c.hash).where(
                    events.c.facility == facility, events.c.position > after
                )
            else:
                news = select(journal.position, journal.body, journal.hash).where(
                    journal.source == source, journal.facility == facility, journal.position > after
                )
            for row in self.database.rows(news.order_by("position")):
                standing.take(source, row.position, bytes(row.body), row.hash)
        return standing


class LiveFactsProvider(DependencyProvider):
    """Injects the live facts of this process."""

    def start(self) -> None:
        """Take the service's database."""
        ledger = ledger_of(self.container)
        self.live = LiveFacts(ledger.database, ledger.service)

    def get_dependency(self, worker_ctx: Any) -> LiveFacts:
        """The live facts."""
        return self.live
