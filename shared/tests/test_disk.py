"""A database without room refuses what is to be recorded, keeps nothing of it, and goes on once there is room again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import eventlet
import pytest
from sqlalchemy import text

from shared import embedded, monitor
from shared.checkpoints import checkpoints
from shared.errors import Unavailable
from shared.ledger import Ledger
from shared.tests.given import assert_chain, history, ledger_at
from shared.tests.hosted import Followed, Follower, configuration, hosting

FREE = "127.0.0.1:0"
DEADLINE_SECONDS = 10
_PARKED = checkpoints.select().where(checkpoints.c.parked.is_not(None))
_FULL = """
    CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
    END $$;
    CREATE TRIGGER no_room BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION no_room()
"""


@contextmanager
def no_room(ledger: Ledger) -> Iterator[None]:
    """Let the database grow no more: SQLite by its limit of pages, PostgreSQL by the error that it gives."""
    if ledger.database.sqlite:
        _limit_pages(ledger, 1)  # which SQLite takes as the pages that there are
        yield
        _limit_pages(ledger, 2**30)
    else:
        _execute(ledger, _FULL)
        yield
        _execute(ledger, "DROP TRIGGER no_room ON event; DROP FUNCTION no_room()")


def _limit_pages(ledger: Ledger, pages: int) -> None:
    """On the one connection that writes: the limit is a connection's own."""
    with ledger.database.write() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def _execute(ledger: Ledger, statements: str) -> None:
    with ledger.database.write() as connection:
        connection.exec_driver_sql(statements)


def fill(ledger: Ledger, count: int) -> None:
    """More than fits into the pages that a small database has left over."""
    for number in range(count):
        history(ledger, 100, f"hall-{number}")


def applied(reader: Ledger) -> int:
    """How many events had their effect."""
    found: int = reader.database.rows(text("SELECT count(*) FROM effect"))[0][0]
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for a condition."""
    give_up = monotonic() + DEADLINE_SECONDS
    while not holds():
        assert monotonic() < give_up
        eventlet.sleep(0.02)


def test_what_finds_no_room_is_refused_whole_and_can_be_done_again(database_url: str) -> None:
    with ledger_at(database_url) as ledger:
        fill(ledger, 1)
        with no_room(ledger):
            with pytest.raises(Unavailable, match="nothing was recorded, since the database is disk full: free some"):
                history(ledger, 100, "hall-2")
            fault = ledger.database.disk.fault

        history(ledger, 100, "hall-2")

        assert fault is not None
        assert ledger.database.disk.fault is None
        assert len(assert_chain(ledger, "hall-2")) == 100


def test_a_service_is_not_ready_as_long_as_its_disk_is_full(database_url: str) -> None:
    config = {**configuration(embedded.fresh(), database_url), "MONITOR_ADDRESS": FREE}
    with hosting(config, Followed) as (ledger,):
        (standing,) = monitor.listener_at(FREE).standings
        fill(ledger, 1)
        before = standing.missing()
        with no_room(ledger), pytest.raises(Unavailable):
            history(ledger, 100, "hall-2")
        full = standing.missing()

        history(ledger, 100, "hall-2")

        assert (before, standing.missing()) == ({}, {})
        assert full == {"database": "disk full: free some, or give it more"}


def test_a_service_that_nobody_writes_to_tries_now_and_then_whether_there_is_room(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {**configuration(embedded.fresh(), database_url), "MONITOR_ADDRESS": FREE}
    with hosting(config, Followed) as (ledger,):
        (standing,) = monitor.listener_at(FREE).standings
        fill(ledger, 1)
        with no_room(ledger), pytest.raises(Unavailable):
            history(ledger, 100, "hall-2")
        full = standing.missing()

        monkeypatch.setattr("shared.disk.AGAIN_SECONDS", 0.0)

        assert list(full) == ["database"]
        assert standing.missing() == {}


def test_a_reader_without_room_parks_nothing_and_goes_on_once_there_is_some(database_url: str, tmp_path: Path) -> None:
    config = configuration(embedded.fresh(), f"sqlite:///{tmp_path}/source.db", database_url)
    with hosting(config, Followed, Follower) as (source, reader):
        _execute(reader, "CREATE TABLE effect (facility TEXT, position INTEGER)")
        with no_room(reader):
            history(source, 200)
            wait_until(lambda: reader.database.disk.fault is not None)
            first = reader.database.disk._found_at
            wait_until(lambda: reader.database.disk._found_at > first + 0.1)
            at_once, parked = applied(reader), reader.database.rows(_PARKED)

        wait_until(lambda: applied(reader) == 200)

        assert (at_once, parked) == (0, [])
        assert reader.database.disk.fault is None
