"""Replicas of a service: one does a task, partitions are dealt to all, and what one of them loses another takes over."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar

import eventlet
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared import clockwork, embedded
from shared.claims import Claims, part_of
from shared.contracts.work_orders import WorkOrderAssigned
from shared.event import Recorded
from shared.ledger import Ledger
from shared.subscription import subscribe
from shared.tests.given import Job, assigned, draft, entry, ledger_at
from shared.tests.hosted import Followed, Follower, configuration, hosting
from shared.unit import Unit

PARTITIONS = 4
EACH = 40


@contextmanager
def replica(url: str) -> Iterator[Claims]:
    """The claims of one process."""
    with ledger_at(url) as ledger:
        claims = Claims(ledger.database)
        yield claims
        claims.close()


def end_all_sessions(url: str) -> None:
    """The server ends every session with a claim, as it does with those that are silent."""
    with ledger_at(url) as ledger, pytest.raises(DBAPIError):
        ledger.database.rows(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = current_user"
            )
        )


def test_a_task_is_one_replicas_until_that_leaves_it_or_ends(postgres_url: str) -> None:
    with replica(postgres_url) as first, replica(postgres_url) as second:
        assert (first.take("relay"), second.take("relay"), second.take("clock")) == (True, False, True)
        assert (first.take("relay"), first.take("clock")) == (True, False)

        first.leave("relay")
        assert second.take("relay")

        second.close()
        assert (first.take("relay"), first.take("clock"), second.holds("relay")) == (True, True, False)


def test_who_loses_the_session_loses_its_claims_and_may_have_them_again(postgres_url: str) -> None:
    with replica(postgres_url) as first, replica(postgres_url) as second:
        assert first.take("relay")
        end_all_sessions(postgres_url)
        assert second.take("relay")

        with pytest.raises(DBAPIError):
            first.take("clock")

        assert (first.holds("relay"), first.take("relay"), first.take("clock")) == (False, False, True)


def test_an_embedded_database_has_no_other_replica(sqlite_url: str) -> None:
    with replica(sqlite_url) as only:
        assert only.take("relay")
        assert only.share("partition of work_orders", PARTITIONS) == {0, 1, 2, 3}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(comings=st.lists(st.integers(0, 4), min_size=1, max_size=8), parts=st.integers(1, 6))
def test_each_part_is_one_replicas_and_all_have_as_many_within_one(
    postgres_url: str, comings: list[int], parts: int
) -> None:
    there: dict[int, Claims] = {}
    with ExitStack() as processes:
        ledgers = [processes.enter_context(ledger_at(postgres_url)) for _ in range(5)]
        for number in comings:
            if number in there:
                there.pop(number).close()
            else:
                there[number] = processes.enter_context(_closing(Claims(ledgers[number].database)))
            dealt: dict[int, frozenset[int]] = {}
            for _ in range(2):
                for one, claims in there.items():
                    dealt[one] = _deal(claims, parts)

            held = Counter(part for one in there for part in dealt[one])
            assert held == Counter(range(parts) if there else ())
            sizes = [len(dealt[one]) for one in there]
            assert max(sizes, default=0) - min(sizes, default=0) <= 1


@contextmanager
def _closing(claims: Claims) -> Iterator[Claims]:
    yield claims
    claims.close()


def _deal(claims: Claims, parts: int) -> frozenset[int]:
    kept = claims.share("partition of work_orders", parts)
    for number in {*range(parts)} - kept:
        claims.leave(part_of("partition of work_orders", number))
    return kept


# --- readers -------------------------------------------------------------------------------------------------------


class Watched(Follower):
    """A follower that sees whether two of its kind are at one facility at once; `busy` is shared by all replicas here."""

    name = "scoring"
    busy: ClassVar[set[str]] = set()
    met: ClassVar[list[str]] = []
    by_replica: ClassVar[dict[int, Counter[str]]] = {}

    @subscribe("work_orders", WorkOrderAssigned)
    def on_work_order_assigned(self, do: Unit, recorded: Recorded) -> None:
        """React, and take some time over it."""
        if do.facility in self.busy:
            self.met.append(do.facility)
        self.busy.add(do.facility)
        try:
            eventlet.sleep(0.001)
            do.find(Job, "theirs").assign(f"{recorded.event.data()['assignee']}-{recorded.position}")
            row = {"facility": recorded.facility, "position": recorded.position}
            do.execute(text("INSERT INTO effect VALUES (:facility, :position)").bindparams(**row))
        finally:
            self.busy.discard(do.facility)
        self.by_replica.setdefault(id(self.ledger), Counter())[do.facility] += 1


def test_replicas_come_and_go_under_load_and_each_event_is_applied_once_by_one_of_them(
    postgres_url: str, sqlite_url: str, amqp_url: str
) -> None:
    config = configuration(amqp_url, sqlite_url, postgres_url) | {"PARTITIONS": PARTITIONS}
    halls = [f"hall-{number}" for number in range(12)]
    with ledger_at(postgres_url, "scoring") as follower:
        with follower.database.write() as connection:
            connection.execute(
                text("CREATE TABLE effect (facility VARCHAR(80), position BIGINT, UNIQUE (facility, position))")
            )
        with hosting(config, Followed) as (source,):
            writer = eventlet.spawn(_write, source, halls, EACH)
            with hosting(config, Watched) as (one,):
                _until(lambda: _count(follower) > 12)
                with hosting(config, Watched), hosting(config, Watched):
                    _until(lambda: len(Watched.by_replica) == 3)
                    _until(lambda: _count(follower) > 12 * EACH / 2)
                _until(lambda: _count(follower) == 12 * EACH)
                writer.wait()
                shared_out = dict(Watched.by_replica)
                positions = [_positions(follower, hall) for hall in halls]

    assert positions == [list(range(1, EACH + 1))] * 12
    assert Watched.met == []
    assert len(shared_out) == 3
    assert id(one) in shared_out


def _write(source: Ledger, halls: Iterable[str], many: int) -> None:
    for number in range(1, many + 1):
        for hall in halls:
            source.append(entry(draft(f"job/{number}", 1, assigned(f"wo-{number}", "li")), facility=hall))
            eventlet.sleep(0)


def _positions(follower: Ledger, hall: str) -> list[int]:
    """Which events were reacted to, in the order of the reactions."""
    names = (orjson.loads(whole)["data"]["assignee"] for whole in follower.raw(hall))
    return [int(name.rpartition("-")[2]) for name in names]


def _count(follower: Ledger) -> int:
    return int(follower.database.rows(text("SELECT count(*) FROM effect"))[0][0])


def _until(true: Any, seconds: float = 60) -> None:
    with eventlet.Timeout(seconds):
        while not true():
            eventlet.sleep(0.02)


# --- the clock -----------------------------------------------------------------------------------------------------


class Clocked(clockwork.Clockwork):
    """Notes which replica's clock was looked at."""

    name = "work_orders"
    looked: ClassVar[list[int]] = []

    def on_clock(self) -> None:
        """Note it."""
        self.looked.append(id(self.ledger))


def test_one_clock_goes_and_another_takes_over_when_it_ends(postgres_url: str) -> None:
    config = configuration(embedded.fresh(), postgres_url)
    with ledger_at(postgres_url) as ledger, ExitStack() as ends:
        (one,) = ends.enter_context(hosting(config, Clocked))
        _until(lambda: Clocked.looked == [id(one)])
        with hosting(config, Clocked) as (other,):
            _until(lambda: _asked_for_the_clock(ledger) >= 2)
            assert Clocked.looked == [id(one)]

            ends.close()
            _until(lambda: Clocked.looked == [id(one), id(other)], seconds=10)


def _asked_for_the_clock(ledger: Ledger) -> int:
    """How many processes there are whose sessions hold claims or asked for some."""
    asked = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%advisory%'")
    return int(ledger.database.rows(asked)[0][0]) - 1
