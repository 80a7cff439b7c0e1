"""The gateway says on its own port whether its process works, and counts what it answers and whom it asks for it."""

import http.client
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.gateway.tests.client import Client
from shared import monitor

REQUESTS = "xunjian_http_requests_total"
CALLS = "xunjian_rpc_calls_total"


@pytest.fixture
def listener() -> Iterator[monitor.Listener]:
    """A monitor of this process, in which the gateway runs."""
    found = monitor.listener_at("127.0.0.1:0")
    yield found
    found.close()


def counted(listener: monitor.Listener, name: str, **labels: str) -> float:
    """One number of `/metrics`; 0 where it is not there."""
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=10)
    connection.request("GET", "/metrics")
    told = connection.getresponse().read().decode()
    connection.close()
    samples = [one for family in text_string_to_metric_families(told) for one in family.samples]
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


def test_it_answers_what_keeps_it_running_whoever_asks(gateway: Client) -> None:
    nobody = Client(gateway.port, key=None)

    alive, ready = nobody.get("/healthz"), nobody.get("/readyz")

    nobody.connection.close()
    assert (alive.status, alive.json) == (200, {"status": "ok"})
    assert (ready.status, ready.json) == (200, {"status": "ready", "missing": {}})


def test_it_counts_a_request_by_its_route_and_the_call_by_its_method(
    gateway: Client, listener: monitor.Listener
) -> None:
    template = "/v1/facilities/{facility}/work-orders"
    request = {"method": "GET", "route": template, "status": "2xx"}
    call = {"caller": "gateway", "service": "work_orders", "method": "work_orders", "outcome": "ok"}
    before = counted(listener, REQUESTS, **request), counted(listener, CALLS, **call)

    gateway.get("/v1/facilities/hall/work-orders")

    assert (counted(listener, REQUESTS, **request), counted(listener, CALLS, **call)) == (before[0] + 1, before[1] + 1)
    assert counted(listener, "xunjian_http_request_seconds_count", route=template) >= 1


def test_words_of_strangers_make_no_labels(gateway: Client, listener: monitor.Listener) -> None:
    before = counted(listener, REQUESTS, method="-", route="none", status="4xx")

    gateway.send("BREW", "/some/pot", None, {})

    assert counted(listener, REQUESTS, method="-", route="none", status="4xx") == before + 1
    assert counted(listener, REQUESTS, method="BREW") == 0
