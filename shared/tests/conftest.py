"""nameko's engine: sockets, locks and sleeps are eventlet's before any test module is imported.

And a database that is quicker to make than the one of the root: here nearly every test asks for one.
"""

import secrets
from collections.abc import Iterator

import eventlet
import pytest

eventlet.monkey_patch()


@pytest.fixture(scope="session")
def database_of_this_folder(test_servers: dict[str, str]) -> Iterator[str]:
    """One PostgreSQL database for all tests here."""
    server = test_servers["XUNJIAN_TEST_POSTGRES"]
    name = f"xunjian_test_{secrets.token_hex(6)}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    yield f"{server.rpartition('/')[0]}/{name}"
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(database_of_this_folder: str) -> Iterator[str]:
    """An empty schema, which its connections see alone; dropped afterwards, whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    _execute(database_of_this_folder, f"CREATE SCHEMA {name}")
    yield f"{database_of_this_folder}?options=-csearch_path%3D{name}"
    others = "datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
    _execute(
        database_of_this_folder,
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {others}",
        f"DROP SCHEMA {name} CASCADE",
    )


def _execute(url: str, *statements: str) -> None:
    # Late, so that shared can choose how psycopg waits before psycopg is imported.
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
