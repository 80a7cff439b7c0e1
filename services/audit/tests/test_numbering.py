"""Whatever is changed in the numbered sequence is found, and named by its row."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select, text

from services.audit.tests.installation import urls_of
from services.audit.verify import Verification
from services.integration.outbound.tables import feed, feed_heads
from services.integration.tests.told import HALL, Told
from shared.checkpoints import checkpoints
from shared.database import Database


@pytest.fixture
def hall(database_url: str) -> Iterator[Told]:
    """Three events of work orders and one of integration, numbered 1 to 4."""
    here = Told({name: url for name, url in urls_of(database_url).items() if name in ("work_orders", "integration")})
    here.tell(3)
    here.follow()
    here.subscribe("http://127.0.0.1:9/")
    here.follow()
    yield here
    here.close()


def faults(hall: Told) -> list[str]:
    """What an audit finds in the sequence."""
    databases = {name: ledger.database for name, ledger in hall.ledgers.items()}
    return [str(one) for one in Verification(databases).faults() if "feed" in one.what]


@contextmanager
def forged(database: Database, statement: str) -> Iterator[None]:
    """Change a database behind the platform's back, and put everything back afterwards."""
    tables = [feed, feed_heads, checkpoints]
    kept = {table: database.mappings(select(table)) for table in tables}
    forced(database, statement)
    yield
    with database.write() as connection:
        for table, rows in kept.items():
            connection.execute(table.delete())
            connection.execute(table.insert(), rows)


def forced(database: Database, statement: str) -> None:
    """Change a database behind the platform's back."""
    with database.write() as connection:
        connection.execute(text(statement))


FORGED = {
    "UPDATE feed SET hash = 'sha256:0' WHERE number = 2": [
        "row hall-1 2: hash is sha256:0",
        "row hall-1 3: position is 3",
    ],
    "UPDATE feed SET type = 'x' WHERE number = 2": ["row hall-1 2: type is x"],
    "UPDATE feed SET position = 9 WHERE number = 2": [
        "row hall-1 2: there is no position 9",
        "row hall-1 3: position is 3",
    ],
    "UPDATE feed SET source = 'access' WHERE number = 4": ["row hall-1 4: source is access", "0 events of integration"],
    "UPDATE feed SET number = 9 WHERE number = 4": ["row hall-1 9: the number before it is missing, expected 4"],
    "DELETE FROM feed WHERE number = 2": [
        "row hall-1 3: the number before it is missing",
        "row hall-1 3: position is 3",
    ],
    "DELETE FROM feed WHERE number = 3": [
        "row hall-1 4: the number",
        "numbered are 2 events of work_orders, heard of 3",
    ],
    "DELETE FROM feed WHERE number = 4": ["feed_head, row hall-1: number is 4, expected 3", "0 events of integration"],
    "UPDATE feed_head SET number = 7": ["feed_head, row hall-1: number is 7, expected 4"],
    "DELETE FROM feed_head": ["feed_head, row hall-1: number is None, expected 4"],
    "UPDATE checkpoint SET position = 2 WHERE position = 3": ["numbered are 3 events of work_orders, heard of 2"],
}


def test_a_change_of_the_sequence_is_found_where_it_is(hall: Told, subtests: pytest.Subtests) -> None:
    for statement, whats in FORGED.items():
        with subtests.test(statement), forged(hall.database, statement):
            found = faults(hall)

            assert all(one.startswith(f"integration, facility {HALL}: table feed") for one in found)
            for what in whats:
                assert any(what in one for one in found), found

    assert faults(hall) == []


WRITTEN = {"webhook_secret": "secret = 'whsec_AAAA'", "webhook_progress": "delivered = 1"}


def test_a_change_of_what_the_couriers_wrote_is_found(hall: Told) -> None:
    book = hall.service.book
    progress = book.progress(book.webhook(HALL, "w-1"))
    book.write(progress, progress)

    for table, change in WRITTEN.items():
        forced(hall.database, f"UPDATE {table} SET {change}")

    found = [str(one) for one in Verification({"integration": hall.database}).faults()]
    for table in WRITTEN:
        assert [one for one in found if f"table {table}, row hall-1 w-1" in one and "was changed" in one]
