"""A gateway before stand-ins: real RPC and real HTTP, and behind them services that say what they were asked."""

from collections.abc import Iterator

import pytest
from nameko.runners import ServiceRunner
from nameko.testing.utils import get_extension

from services.gateway.edge import Edge
from services.gateway.service import Gateway
from services.gateway.tests.client import Client
from services.gateway.tests.stand_ins import Installation, all_stand_ins, installation
from shared import embedded


def hosted(services: list[type], requests: int = 100_000) -> Iterator[Client]:
    """A client of a gateway that runs with these services."""
    limits = {"REQUESTS_PER_MINUTE": requests, "ANONYMOUS_REQUESTS_PER_MINUTE": requests}
    runner = ServiceRunner({"AMQP_URI": embedded.fresh(), "WEB_SERVER_ADDRESS": "127.0.0.1:0", **limits})
    for service in [*services, Gateway]:
        runner.add_service(service)
    runner.start()
    client = Client(get_extension(runner.service_map["gateway"], Edge).port)
    yield client
    client.connection.close()
    runner.kill()


@pytest.fixture(scope="package")
def gateway() -> Iterator[Client]:
    """A gateway with all services behind it."""
    yield from hosted(all_stand_ins())


@pytest.fixture(scope="module")
def bereft_gateway() -> Iterator[Client]:
    """A gateway whose `scoring` is not there."""
    yield from hosted([service for service in all_stand_ins() if service.__name__ != "scoring"])


@pytest.fixture(name="installation")
def _installation() -> Iterator[Installation]:
    """What the stand-ins tell of themselves, as it is in a fresh simulated installation."""
    installation.__init__()  # type: ignore[misc]  # begins anew
    yield installation
    installation.__init__()  # type: ignore[misc]
