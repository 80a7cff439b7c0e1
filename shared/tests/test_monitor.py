"""A process says of itself that it turns, whether it can work, and what it counted: over HTTP, to whoever asks."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import eventlet
import orjson
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from shared import embedded, monitor
from shared.ledger import Ledger
from shared.ledger import metadata as spine
from shared.relay import Relay
from shared.tests.between import between
from shared.tests.given import history
from shared.tests.hosted import Followed, Follower, configuration, hosting
from shared.views import Views

FREE = "127.0.0.1:0"
FOLLOWING = {"service": "scoring", "source": "work_orders"}
WAITS = "xunjian_relay_lag_seconds"
APPLIED = "xunjian_subscription_events_applied_total"


@dataclass(frozen=True)
class Asked:
    """What a monitor answered."""

    status: int
    body: bytes

    @property
    def missing(self) -> Any:
        """What `/readyz` says is missing."""
        return orjson.loads(self.body)["missing"]

    def value(self, name: str, **labels: str) -> float:
        """One number of `/metrics`; 0 where it is not there."""
        samples = [one for family in text_string_to_metric_families(self.body.decode()) for one in family.samples]
        return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


def ask(path: str) -> Asked:
    """GET a path from the one monitor of this process."""
    connection = http.client.HTTPConnection("127.0.0.1", monitor.listener_at(FREE).port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    answer = Asked(response.status, response.read())
    connection.close()
    return answer


def ask_until(holds: Callable[[Asked], bool], path: str) -> Asked:
    """GET a path until its answer is as it should be, at most ten seconds."""
    give_up = monotonic() + 10
    while not holds(answer := ask(path)):
        assert monotonic() < give_up, answer
        eventlet.sleep(0.05)
    return answer


@contextmanager
def watched(broker: str, databases: list[str], *services: type) -> Iterator[list[Ledger]]:
    """Host services with a monitor on a free port."""
    with hosting({**configuration(broker, *databases), "MONITOR_ADDRESS": FREE}, *services) as ledgers:
        yield ledgers


@contextmanager
def refused(url: str) -> Iterator[None]:
    """Have PostgreSQL end every connection to a database, and take no other."""
    server, _, name = url.replace("+psycopg", "", 1).partition("?")[0].rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        try:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            yield
        finally:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def test_a_service_is_ready_only_while_its_database_answers_and_alive_all_along(postgres_url: str) -> None:
    with watched(embedded.fresh(), [postgres_url], Followed):
        assert ask("/readyz").status == 200

        with refused(postgres_url):
            without = ask("/readyz")
            turns = ask("/healthz")
            told = ask("/metrics")
        again = ask_until(lambda answer: answer.status == 200, "/readyz")

    assert (without.status, list(without.missing["work_orders"])) == (503, ["database"])
    assert turns.status == 200
    assert (told.status, told.value("xunjian_ready", service="work_orders")) == (200, 0)
    assert told.value("xunjian_missing", service="work_orders") == 1
    assert told.value("xunjian_missing", part="database") == 1
    assert again.missing == {}


def test_connections_that_a_restart_of_the_server_killed_do_not_make_it_unready(postgres_url: str) -> None:
    with watched(embedded.fresh(), [postgres_url], Followed):
        assert ask("/readyz").status == 200

        with refused(postgres_url):
            pass

        assert ask("/readyz").status == 200


def test_a_service_is_ready_only_while_its_consumer_is_on_an_open_connection(amqp_url: str, sqlite_url: str) -> None:
    with between(amqp_url) as broker, watched(broker.address, [sqlite_url], Followed):
        ready = ask("/readyz")

        broker.cut()
        lost = ask_until(lambda answer: answer.status != 200, "/readyz")
        broker.mend()
        again = ask_until(lambda answer: answer.status == 200, "/readyz")

    assert ready.status == 200
    assert (lost.status, lost.missing) == (503, {"work_orders": {"broker": "not connected"}})
    assert again.missing == {}


def test_views_of_which_no_version_is_known_are_waited_for_and_older_ones_are_not(sqlite_url: str) -> None:
    class Anew(Followed):
        views = Views(metadata=spine, fold=lambda connection, recorded: None, version=2)

    with watched(embedded.fresh(), [sqlite_url], Followed) as (ledger,):
        history(ledger, 1)
        (standing,) = monitor.listener_at(FREE).standings
        standing._container.service_cls = Anew

        unknown = ask("/readyz")
        with ledger.database.write() as connection:
            connection.execute(text("INSERT INTO view_version VALUES (1, 1, '')"))
        older = ask("/readyz")

    assert (unknown.status, unknown.missing) == (503, {"work_orders": {"views": "being built for the first time"}})
    assert older.status == 200


def test_an_append_and_its_way_to_a_reader_are_counted(tmp_path: Any) -> None:
    databases = [f"sqlite:///{tmp_path}/{name}.db" for name in ("work_orders", "scoring")]
    broker = embedded.fresh()
    with watched(broker, databases, Followed, Follower) as (followed, follower):
        with follower.database.write() as connection:
            connection.execute(text("CREATE TABLE effect (facility TEXT, position INTEGER)"))
        before = ask("/metrics")

        history(followed, 3)
        applied = before.value(APPLIED, **FOLLOWING) + 3
        ask_until(lambda told: told.value(APPLIED, **FOLLOWING) == applied, "/metrics")
        after = ask_until(lambda told: told.value("xunjian_relay_lag_events", service="work_orders") == 0, "/metrics")

        gained = {
            name: after.value(name, **labels) - before.value(name, **labels)
            for name, labels in {
                "xunjian_events_appended_total": {"service": "work_orders"},
                "xunjian_append_seconds_count": {"service": "work_orders"},
                "xunjian_ledger_events": {"service": "work_orders"},
                "xunjian_subscription_reached_events": FOLLOWING,
            }.items()
        }
    assert gained == {
        "xunjian_events_appended_total": 3,
        "xunjian_append_seconds_count": 1,
        "xunjian_ledger_events": 3,
        "xunjian_subscription_reached_events": 3,
    }


def test_what_waits_to_be_published_and_who_is_parked_is_told(sqlite_url: str) -> None:
    with watched(embedded.fresh(), ["", sqlite_url], Follower) as (ledger,):
        (standing,) = monitor.listener_at(FREE).standings
        relay = next(one for one in standing._container.extensions if isinstance(one, Relay))
        relay.stop()
        history(ledger, 2)
        with ledger.database.write() as connection:
            connection.execute(text("INSERT INTO checkpoint VALUES ('work_orders', 'hall-1', 0, '', 'why')"))

        first = ask("/metrics")
        later = ask_until(
            lambda told: told.value(WAITS, service="scoring") > first.value(WAITS, service="scoring"), "/metrics"
        )

    assert first.value("xunjian_relay_lag_events", service="scoring") == 2
    assert 0 <= first.value(WAITS, service="scoring") < later.value(WAITS, service="scoring") < 60
    assert first.value("xunjian_parked_facilities", **FOLLOWING) == 1


def test_the_services_of_one_process_share_a_listener_that_closes_with_the_last(tmp_path: Any) -> None:
    databases = [f"sqlite:///{tmp_path}/{name}.db" for name in ("work_orders", "scoring")]
    with watched(embedded.fresh(), databases, Followed, Follower):
        told = ask("/metrics")
        unknown = ask("/secrets")
        port = monitor.listener_at(FREE).port

    assert {name: told.value("xunjian_ready", service=name) for name in ("work_orders", "scoring")} == {
        "work_orders": 1,
        "scoring": 1,
    }
    assert unknown.status == 404
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", port, timeout=10).connect()
