"""Two services, hosted: what one records has its effect in the other exactly once, whatever becomes of the broker."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import eventlet
import pytest
from kombu import Connection
from sqlalchemy import text

from shared import embedded
from shared.broker import declare_queues, events_of
from shared.database import Database
from shared.ledger import Ledger
from shared.relay import Publisher
from shared.tests.given import assert_chain, assigned, draft, entry, ledger_at
from shared.tests.hosted import Followed, Follower, configuration, hosting

pytestmark = pytest.mark.usefixtures("effects_table")


@pytest.fixture(params=["embedded", "real"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """SQLite and the embedded broker, then PostgreSQL (for the follower) and RabbitMQ."""
    source = f"sqlite:///{tmp_path / 'source.db'}"
    if request.param == "embedded":
        return configuration(embedded.fresh(), source, f"sqlite:///{tmp_path / 'follower.db'}")
    return configuration(request.getfixturevalue("amqp_url"), source, request.getfixturevalue("postgres_url"))


@pytest.fixture
def effects_table(config: dict[str, Any]) -> None:
    database = Database(config["DATABASES"]["scoring"])
    with database.write() as connection:
        connection.execute(text("CREATE TABLE effect (facility VARCHAR(80), position BIGINT)"))
    database.close()


@contextmanager
def both(config: dict[str, Any]) -> Iterator[tuple[Ledger, Ledger]]:
    with hosting(config, Followed, Follower) as (source, follower):
        yield source, follower


def happen(source: Ledger, *facilities: str) -> None:
    """One more event in each of the facilities."""
    for facility in facilities:
        position = source.tips().get(facility, {"position": 0})["position"] + 1
        source.append(entry(draft(f"job/{position}", 1, assigned("wo", "li")), facility=facility))


def followed(source: Ledger, follower: Ledger) -> bool:
    """Whether all that happened had its effect."""
    rows = follower.database.rows(text("SELECT facility, position FROM checkpoint"))
    return {row.facility: row.position for row in rows} == {
        facility: tip["position"] for facility, tip in source.tips().items()
    }


def settled(source: Ledger, follower: Ledger, seconds: float = 20) -> None:
    """Wait until all that happened had its effect; it had it once."""
    until = time.monotonic() + seconds
    while not followed(source, follower):
        assert time.monotonic() < until, follower.database.rows(text("SELECT * FROM checkpoint"))
        eventlet.sleep(0.02)
    for facility, tip in source.tips().items():
        rows = follower.database.rows(text("SELECT position FROM effect WHERE facility = :f"), {"f": facility})
        assert sorted(row.position for row in rows) == list(range(1, tip["position"] + 1))
        reactions = [one["data"]["assignee"] for one in assert_chain(follower, facility)]
        assert reactions == [f"li-{position}" for position in range(1, tip["position"] + 1)]


def test_what_happens_has_its_effect_before_anybody_looks_for_it(config: dict[str, Any]) -> None:
    with both(config | {"CATCH_UP_SECONDS": 60}) as (source, follower):
        happen(source, "hall-0")
        settled(source, follower)
        begun = time.monotonic()

        happen(source, *["hall-1", "hall-2", "hall-1", "hall-3"] * 5)

        settled(source, follower, seconds=5)
        assert time.monotonic() - begun < 5


def test_what_happened_while_the_follower_was_away_is_caught_up_with(config: dict[str, Any]) -> None:
    with hosting(config, Followed) as (source,):
        happen(source, *["hall-1"] * 3)
        eventlet.sleep(0.3)
    with both(config) as (source, follower):
        settled(source, follower)
        happen(source, "hall-1", "hall-2")
        settled(source, follower)
    with hosting(config, Follower) as (follower,):
        eventlet.sleep(0.2)
        with both_again(config) as source:
            happen(source, "hall-2")
            settled(source, follower)


@contextmanager
def both_again(config: dict[str, Any]) -> Iterator[Ledger]:
    with hosting(config, Followed) as (source,):
        yield source


def test_rubbish_and_repetition_in_the_queues_change_nothing(config: dict[str, Any]) -> None:
    with both(config) as (source, follower), Connection(config["AMQP_URI"]) as broker:
        happen(source, *["hall-1", "hall-2"] * 3)
        settled(source, follower)
        exchange = events_of("work_orders")
        with broker.Producer() as producer:
            for position, body in ((1, source.raw("hall-1")[0]), (2, "{}"), (None, "x"), ("x", ""), (9, "[]")):
                headers = {"facility": "hall-1", "partition": 0, "position": position}
                for _ in range(3):
                    producer.publish(body, exchange=exchange, routing_key="work_order_assigned", headers=headers)
        happen(source, *["hall-2", "hall-1"] * 3)

        settled(source, follower)


def test_queues_emptied_and_deleted_lose_nothing(config: dict[str, Any]) -> None:
    with both(config) as (source, follower), Connection(config["AMQP_URI"]) as broker:
        happen(source, "hall-1")
        settled(source, follower)
        for drop in ("purge", "delete"):
            channel = broker.channel()
            for queue in declare_queues(broker, "work_orders", "scoring", 2):
                happen(source, *["hall-1", "hall-2"] * 2)
                getattr(queue(channel), drop)()
            settled(source, follower)


def test_a_gap_whose_source_is_away_holds_no_other_facility_back(config: dict[str, Any]) -> None:
    query = text("SELECT position FROM checkpoint WHERE facility = 'hall-2'")
    with hosting(config | {"CATCH_UP_SECONDS": 60, "RPC_DEADLINE_SECONDS": 0.5}, Follower) as (follower,):
        with ledger_at(config["DATABASES"]["work_orders"]) as source, Connection(config["AMQP_URI"]) as broker:
            happen(source, *["hall-1", "hall-2"] * 2)
            with source.database.write() as connection:
                connection.execute(text("UPDATE ledger SET published = 1 WHERE facility = 'hall-1'"))
            declare_queues(broker, "work_orders", "scoring", 2)
            Publisher(source, broker, 2).publish_pending()

        until = time.monotonic() + 10
        while [row.position for row in follower.database.rows(query)] != [2]:
            assert time.monotonic() < until
            eventlet.sleep(0.02)
        with hosting(config, Followed) as (hosted,):
            settled(hosted, follower)


@pytest.mark.slow
@pytest.mark.parametrize("config", ["real"], indirect=True)
def test_a_broker_that_restarts_loses_nothing(config: dict[str, Any], restart_rabbitmq: Callable[[], None]) -> None:
    with both(config) as (source, follower):
        happen(source, "hall-1", "hall-2")
        settled(source, follower)
        restarting = eventlet.spawn(restart_rabbitmq)
        while not restarting.dead:
            happen(source, "hall-1", "hall-3")
            eventlet.sleep(0.2)
        restarting.wait()
        happen(source, "hall-2")

        settled(source, follower, seconds=40)
        until = time.monotonic() + 20
        while source.database.rows(text("SELECT 1 FROM ledger WHERE published < position")):
            assert time.monotonic() < until
            eventlet.sleep(0.05)
