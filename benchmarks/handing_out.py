"""The feed of a facility as other systems read it, beside a bare scan of the same rows with one hash each."""

import hashlib
from collections.abc import Callable
from time import perf_counter

from sqlalchemy import insert, text

from benchmarks.ours import filled
from services.integration.outbound import feed as sequence
from services.integration.outbound.tables import feed, feed_heads
from shared.database import Database

Round = tuple[int, Callable[[], float]]
HALL = "hall-0"


def read(url: str, numbers_url: str, events: int) -> Round:
    """Every page of 1,000: numbers from one database, envelopes from the ledger's, each hash computed and compared."""
    ledger = filled(url, 1, events)
    numbered = Database(numbers_url)
    numbered.migrate("integration")
    rows = ledger.database.rows(text("SELECT position, type, hash FROM event ORDER BY position"))
    with numbered.write() as connection:
        connection.execute(insert(feed_heads).values(facility=HALL, number=len(rows)))
        for first in range(0, len(rows), 1000):
            page = [
                {"facility": HALL, "number": row.position, "source": ledger.service, **row._asdict()}
                for row in rows[first : first + 1000]
            ]
            connection.execute(insert(feed), page)

    def round_() -> float:
        start, after = perf_counter(), 0
        while (page := sequence.page(numbered, {ledger.service: ledger.raw}, HALL, after, 1000))["items"]:
            after = page["next"]
        return perf_counter() - start

    return events, round_


def scan(url: str, events: int) -> Round:
    """The same rows in one query, and a SHA-256 of each; nothing is decoded, compared or put together."""
    ledger = filled(url, 1, events)

    def round_() -> float:
        start = perf_counter()
        for row in ledger.database.rows(text("SELECT body, hash FROM event ORDER BY position")):
            hashlib.sha256(row.body).digest()
        return perf_counter() - start

    return events, round_
