"""An office on each kind of database."""

from collections.abc import Iterator

import pytest

from services.integration.tests.office import HAOCHAPING, Office, office_on
from shared.tests.alone import on_each_database
from shared.tests.given import assert_chain


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def whole(
    request: pytest.FixtureRequest, test_servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """Integration on each kind of database, and the services that it hands facts to."""
    folder = tmp_path_factory.mktemp("integration")
    with (
        on_each_database(request.param, test_servers["XUNJIAN_TEST_POSTGRES"], folder) as url,
        office_on(url, folder) as office,
    ):
        yield office


@pytest.fixture
def office(whole: Office) -> Iterator[Office]:
    """A hall of its own in March 2021, to which the rating platform is mapped."""
    whole.open()
    whole.map("haochaping", HAOCHAPING)
    yield whole
    for one in whole.services:
        assert_chain(one.ledger, whole.hall)
