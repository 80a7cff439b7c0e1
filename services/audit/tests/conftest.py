"""Copies of installations that were lived in once."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from services.audit.tests.originals import Originals


@pytest.fixture(scope="session")
def originals(test_servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Originals]:
    """What tests copy."""
    with closing(Originals(test_servers["XUNJIAN_TEST_POSTGRES"], tmp_path_factory.mktemp("originals"))) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """The test runs on a copy on SQLite, then on one on PostgreSQL."""
    found: str = request.param
    return found
