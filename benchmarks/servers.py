"""Fresh databases and a fresh virtual host on the servers of `infra/test-servers`, removed afterwards."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from benchmarks.contender import ROOT


@contextmanager
def fresh_database() -> Iterator[str]:
    """An empty PostgreSQL database's SQLAlchemy URL."""
    server = os.environ["XUNJIAN_TEST_POSTGRES"]
    name = f"xunjian_bench_{secrets.token_hex(6)}"
    with psycopg.connect(server.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'".encode())
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def fresh_vhost() -> Iterator[str]:
    """An empty virtual host's AMQP URL."""
    name = f"xunjian_bench_{secrets.token_hex(6)}"
    _test_servers("add-vhost", name)
    try:
        yield f"{os.environ['XUNJIAN_TEST_RABBITMQ'].rpartition('/')[0]}/{name}"
    finally:
        _test_servers("delete-vhost", name)


def _test_servers(*arguments: str) -> None:
    subprocess.run([sys.executable, str(ROOT / "infra" / "test-servers"), *arguments], check=True)
