"""Fixtures of the tests of access."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.access.tests.given import Hall, hall


@pytest.fixture
def access(sqlite_url: str, tmp_path: Path) -> Iterator[Hall]:
    """An installation that nobody has signed in to, on SQLite."""
    with hall(sqlite_url, tmp_path) as found:
        yield found


@pytest.fixture
def access_on_each(database_url: str, tmp_path: Path) -> Iterator[Hall]:
    """The same on SQLite, then on PostgreSQL."""
    with hall(database_url, tmp_path) as found:
        yield found
