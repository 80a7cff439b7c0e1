"""The registry on each kind of database, and a hall of its own for every test."""

from collections.abc import Iterator

import pytest

from services.asset_registry.service import AssetRegistry
from services.asset_registry.tests.hall import open_hall
from shared.tests.alone import Alone, alone, on_each_database


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def service(
    request: pytest.FixtureRequest, test_servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Alone]:
    """The service on each kind of database."""
    folder = tmp_path_factory.mktemp("asset_registry")
    with (
        on_each_database(request.param, test_servers["XUNJIAN_TEST_POSTGRES"], folder) as url,
        alone(AssetRegistry, url, folder) as service,
    ):
        yield service


@pytest.fixture
def registry(service: Alone) -> Alone:
    """A registry that knows a hall with two systems, on 2021-03-01."""
    return open_hall(service)
