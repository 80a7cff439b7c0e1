"""What the databases of a platform hold, read from outside: ledgers, journal and checkpoints, and whether they agree."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson
from sqlalchemy import select

import shared.contracts  # noqa: F401  # makes every event type known
from services.scoring.evaluation import evaluate
from services.scoring.facts import Facts
from services.scoring.rulebooks.rulebook import read_rulebook
from services.scoring.views import journal
from shared.checkpoints import checkpoints
from shared.config import SERVICES
from shared.database import Database
from shared.event import read
from shared.ledger import GENESIS, chained, events
from tests.story import AS_OF, RULEBOOK

SOURCES = {
    "asset_registry": ("work_orders",),
    "scheduling": ("asset_registry", "work_orders"),
    "work_orders": ("asset_registry", "scheduling", "scoring"),
    "scoring": ("asset_registry", "scheduling", "work_orders"),
    "integration": ("asset_registry", "integration", "scheduling", "scoring", "work_orders"),
    "access": (),
}
"""Whom each service follows."""

Rows = list[tuple[int, bytes, str]]
"""Position, hashed bytes and hash of each event of a ledger."""


class Truth:
    """Everything that the services of a platform have recorded of one facility."""

    def __init__(self, databases: Mapping[str, str], facility: str = "hall") -> None:
        self.facility = facility
        self.ledgers: dict[str, Rows] = {}
        self.reached: dict[str, dict[str, int]] = {}
        self.parked: dict[str, dict[str, str]] = {}
        for service in SERVICES:
            database = Database(databases[service])
            self.ledgers[service] = self._rows(database, events, events.c.facility == facility)
            wanted = select(checkpoints).where(checkpoints.c.facility == facility)
            followed = database.rows(wanted)
            self.reached[service] = {row.source: row.position for row in followed}
            self.parked[service] = {row.source: row.parked for row in followed if row.parked}
            if service == "scoring":
                self.journal = {
                    source: self._rows(
                        database, journal, (journal.c.source == source) & (journal.c.facility == facility)
                    )
                    for source in SOURCES["scoring"]
                }
            database.close()

    @staticmethod
    def _rows(database: Database, table: Any, where: Any) -> Rows:
        query = select(table.c.position, table.c.body, table.c.hash).where(where).order_by(table.c.position)
        return [(row.position, bytes(row.body), row.hash) for row in database.rows(query)]

    def envelopes(self, service: str) -> list[dict[str, Any]]:
        """The events of a service."""
        return [orjson.loads(body) for _, body, _ in self.ledgers[service]]

    def told(self) -> dict[str, Counter[str]]:
        """What each service recorded, however often: type, subject, both times, actor and data, but no ids or hashes."""
        members = ("type", "subject", "time", "actor", "data")
        return {
            service: Counter(
                orjson.dumps([envelope[name] for name in members]).decode() for envelope in self.envelopes(service)
            )
            for service in SERVICES
        }

    def replayed(self) -> dict[str, Any]:
        """The score of the ledgers themselves, with its evidence."""
        facts = Facts(self.facility)
        for rows in self.ledgers.values():
            facts.extend(read(body, hash_) for _, body, hash_ in rows)
        return evaluate(facts, read_rulebook(RULEBOOK.read_bytes()), date.fromisoformat(AS_OF)).as_json()

    def assert_whole(self) -> None:
        """Assert that no ledger has a gap or a broken chain, and that all was applied everywhere, once."""
        for service, rows in self.ledgers.items():
            assert [position for position, _, _ in rows] == list(range(1, len(rows) + 1)), service
            hash_ = GENESIS
            for position, body, recorded in rows:
                assert chained(hash_, body) == recorded, f"{service} {position}"
                hash_ = recorded
        for service, sources in SOURCES.items():
            assert self.parked[service] == {}
            # Where nothing was recorded, nothing was reached.
            told = {source: len(self.ledgers[source]) for source in sources if self.ledgers[source]}
            assert self.reached[service] == told, service
        assert self.journal == {source: self.ledgers[source] for source in SOURCES["scoring"]}
        opened = Counter(
            envelope["data"]["occurrence_id"]
            for envelope in self.envelopes("work_orders")
            if envelope["type"] == "work_orders.work_order_opened.v1" and envelope["data"].get("occurrence_id")
        )
        scheduled = [
            envelope["data"]["occurrence_id"]
            for envelope in self.envelopes("scheduling")
            if envelope["type"] == "scheduling.occurrence_scheduled.v1"
        ]
        assert opened == dict.fromkeys(scheduled, 1)


def undated(score: dict[str, Any]) -> bytes:
    """The bytes of a score without `evidence`, whose ids differ between two runs."""
    bare = orjson.loads(orjson.dumps(score))
    for indicator in bare["indicators"]:
        for deduction in indicator["deductions"]:
            del deduction["evidence"]
    return orjson.dumps(bare, option=orjson.OPT_SORT_KEYS)
