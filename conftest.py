"""Fixtures for every test: databases and virtual hosts on real servers, fresh for each test.

The servers are brought up when the first test asks for one. What cannot be had fails the test; nothing is skipped.
Sockets, locks and sleeps are eventlet's in every test, as they are in every service.
"""

# ruff: noqa: E402  eventlet first: what is imported before it keeps the blocking ones.
from __future__ import annotations

import eventlet

eventlet.monkey_patch()

import fcntl
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent


@pytest.fixture(scope="session")
def test_servers() -> dict[str, str]:
    """How to reach the servers: XUNJIAN_TEST_POSTGRES, XUNJIAN_TEST_RABBITMQ, XUNJIAN_TEST_RABBITMQ_API."""
    _test_servers("up")
    lines = (ROOT / ".cache" / "test-servers.env").read_text().splitlines()
    found = dict(line.split("=", 1) for line in lines)
    return found | {name: value for name, value in os.environ.items() if name.startswith("XUNJIAN_TEST_") and value}


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def postgres_url(test_servers: dict[str, str]) -> Iterator[str]:
    """An empty PostgreSQL database, dropped afterwards whoever is still connected."""
    server = test_servers["XUNJIAN_TEST_POSTGRES"]
    name = f"xunjian_test_{secrets.token_hex(6)}"
    # The encoding is said here, since a cluster made where no locale was set defaults to SQL_ASCII.
    _execute(server, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    yield f"{server.rpartition('/')[0]}/{name}"
    _execute(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database on SQLite, then one on PostgreSQL: the test runs on both."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
def amqp_url(request: pytest.FixtureRequest, test_servers: dict[str, str]) -> Iterator[str]:
    """A fresh virtual host of the real RabbitMQ, deleted afterwards with all that is in it.

    The broker is shared with the tests that run beside, but for a test that restarts it.
    """
    name = f"xunjian_test_{secrets.token_hex(6)}"
    alone = "restart_rabbitmq" in request.fixturenames
    with (ROOT / ".cache" / "rabbitmq.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        _test_servers("add-vhost", name)
        yield f"{test_servers['XUNJIAN_TEST_RABBITMQ'].rpartition('/')[0]}/{name}"
        _test_servers("delete-vhost", name)


@pytest.fixture
def restart_rabbitmq(amqp_url: str) -> Callable[[], None]:
    """Restart the broker (about seven seconds): every connection drops, whatever is not durable is lost."""
    return lambda: _test_servers("restart-rabbitmq")


def _test_servers(*arguments: str) -> None:
    command = [sys.executable, str(ROOT / "infra" / "test-servers"), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        pytest.fail(finished.stderr.strip() or finished.stdout.strip(), pytrace=False)


def _execute(server: str, statement: str) -> None:
    # Late, so that shared can choose how psycopg waits before psycopg is imported.
    import psycopg

    with psycopg.connect(server.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute(statement.encode())
