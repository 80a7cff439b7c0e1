"""An office on each kind of database."""

from collections.abc import Iterator

import pytest

from services.scheduling.service import Scheduling
from services.scheduling.tests.office import Office
from shared.tests.alone import Alone, alone, on_each_database
from shared.tests.given import assert_chain


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def service(
    request: pytest.FixtureRequest, test_servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Alone]:
    """The service on each kind of database."""
    folder = tmp_path_factory.mktemp("scheduling")
    with (
        on_each_database(request.param, test_servers["XUNJIAN_TEST_POSTGRES"], folder) as url,
        alone(Scheduling, url, folder) as service,
    ):
        yield service


@pytest.fixture
def office(service: Alone) -> Iterator[Office]:
    """An office in December 2020, with a hall of its own."""
    yield Office(service).open("2020-12-20")
    assert_chain(service.ledger, service.hall)
