"""Work orders without a broker, on both databases; a hall each keeps the tests apart."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from services.work_orders.service import WorkOrders
from services.work_orders.tests.given import assets
from shared.tests.alone import Alone, alone, on_each_database
from shared.tests.given import assert_chain


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def service(
    request: pytest.FixtureRequest, test_servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Alone]:
    """The service on each kind of database."""
    folder = tmp_path_factory.mktemp("work_orders")
    with (
        on_each_database(request.param, test_servers["XUNJIAN_TEST_POSTGRES"], folder) as url,
        alone(WorkOrders, url, folder) as service,
    ):
        service.set_time(datetime(2021, 3, 9, 12, tzinfo=ZoneInfo("Asia/Shanghai")))
        yield service


@pytest.fixture
def desk(service: Alone) -> Iterator[Alone]:
    """A hall of its own with an air conditioner of two points, on a Tuesday at nine."""
    service.set_time(datetime(2021, 3, 9, 9, tzinfo=ZoneInfo("Asia/Shanghai")))
    service.new_hall()
    assets(service)
    yield service
    assert_chain(service.ledger, service.hall)
