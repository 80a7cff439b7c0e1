"""Real or simulated, an installation stays what it was created as, and its clock never runs backwards."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import Clock, SimulatedClock, SystemClock
from shared.database import Database
from shared.errors import Invalid, Rejected
from shared.installation import SIMULATION_STARTS, clock_of, remember_now
from shared.ledger import Ledger
from shared.tests.given import history

NEW_YEAR = datetime(2021, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.migrate("work_orders")
    yield database
    database.close()


@pytest.fixture(scope="module")
def simulated(database_of_this_folder: str) -> Iterator[Sequence[Clock]]:
    """The clocks of two replicas."""
    replicas = [Database(database_of_this_folder), Database(database_of_this_folder)]
    replicas[0].migrate("work_orders")
    yield [clock_of(database, True) for database in replicas]
    for database in replicas:
        database.close()


@pytest.mark.parametrize(("first", "other"), [(True, False), (False, True), (None, True)])
def test_the_mark_of_an_installation_is_for_ever(database: Database, first: bool | None, other: bool) -> None:
    assert clock_of(database, first).simulated is bool(first)

    for _ in range(2):
        with pytest.raises(Rejected, match=r"this is a (real|simulated) installation and cannot be run as a"):
            clock_of(database, other)

    assert clock_of(database, first).simulated is bool(first)
    assert clock_of(database, None).simulated is bool(first)


def test_a_real_clock_is_the_machines_and_takes_no_time_from_anybody(database: Database) -> None:
    clock = clock_of(database, False)

    with pytest.raises(Rejected, match="real installation"):
        clock.advance(NEW_YEAR)

    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.now().utcoffset() == timedelta(0)


@given(moments=st.lists(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))])), max_size=8))
def test_a_simulated_clock_never_runs_backwards_and_counts_in_utc(moments: list[datetime]) -> None:
    moments = [moment.replace(year=2021, day=1) for moment in moments]
    clock, latest = SimulatedClock(NEW_YEAR), NEW_YEAR

    for moment in moments:
        clock.advance(moment)
        latest = max(latest, moment)

        assert clock.now() == latest
        assert clock.now().utcoffset() == timedelta(0)


def test_a_simulated_clock_takes_no_naive_time() -> None:
    clock = SimulatedClock(NEW_YEAR)

    with pytest.raises(Invalid, match="offset"):
        clock.advance(datetime(2021, 3, 9))  # noqa: DTZ001  that is the point

    assert clock.now() == NEW_YEAR


@given(moves=st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=8))
def test_two_replicas_of_a_simulated_installation_have_one_clock(simulated: Sequence[Clock], moves: list[Any]) -> None:
    latest = simulated[0].now()

    for first, days in moves:
        moment = NEW_YEAR + days * DAY
        simulated[0 if first else 1].advance(moment)
        latest = max(latest, moment)

        assert [clock.now() for clock in simulated] == [latest, latest]


def test_a_new_simulation_begins_long_ago(database: Database) -> None:
    assert clock_of(database, True).now() == SIMULATION_STARTS


@pytest.mark.parametrize("last", ["remembered", "recorded"])
def test_a_simulated_clock_goes_on_after_a_restart_where_it_stood(database: Database, last: str) -> None:
    clock = clock_of(database, True)
    later = {"remembered": 3, "recorded": 2} | {last: 9}
    clock.advance(NEW_YEAR + later["recorded"] * DAY)
    history(Ledger(database, "work_orders", clock), 3)
    remember_now(database, NEW_YEAR + later["remembered"] * DAY)

    restarted = clock_of(database, None)

    assert restarted.now() == NEW_YEAR + 9 * DAY
    restarted.advance(NEW_YEAR)
    assert restarted.now() == NEW_YEAR + 9 * DAY


@pytest.mark.parametrize("simulated", [True, False])
def test_every_event_says_whether_it_is_made_up(database: Database, simulated: bool) -> None:
    ledger = Ledger(database, "work_orders", clock_of(database, simulated))

    history(ledger, 3)

    for whole in ledger.raw("hall-1"):
        assert json.loads(whole).get("simulated", "absent") == (True if simulated else "absent")
    assert {recorded.simulated for recorded in ledger.stream("hall-1", "job/1")} == {simulated}


def test_a_simulated_installation_records_at_its_own_time(database: Database) -> None:
    clock = clock_of(database, True)
    clock.advance(NEW_YEAR)
    ledger = Ledger(database, "work_orders", clock)

    history(ledger, 1)

    assert ledger.stream("hall-1", "job/1")[0].recordedat == NEW_YEAR


def test_the_machines_clock_is_not_simulated() -> None:
    assert not SystemClock().simulated
