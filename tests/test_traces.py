"""One request, and all that follows from it in every service, is one tree; who receives it can do no harm."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from shared.tests.trace_receiver import Receiver, Told, receiver
from tests.api import KEY
from tests.processes import Platform, embedded
from tests.story import moment

TRACE, CALLER = 32 * "a", 16 * "b"
AT = moment(2021, 1, 4)
HALL = {"name": "Zhang San's", "uscc": "11530121MB198972XH", "region_code": "530114", "timezone": "Asia/Shanghai"}
ITEM = {"plan_item_id": "round", "system_id": "water", "activity": "inspection", "rrule": "FREQ=MONTHLY;BYMONTHDAY=5"}
PLAN = {"plan_id": "plan-2021", "year": 2021, "items": [{**ITEM, "workdays": "ignore"}]}
MORE = {"equipment": "thing", "points": [{"point_id": "p-2", "label": "tap"}]}
PRIVATE = (KEY, "Zhang San", "li.ming", "the-password", "xj_lost", "rrule")
"""What stands in bodies, queries, headers and names, and never in a trace."""


@pytest.fixture(scope="module")
def received() -> Iterator[Receiver]:
    """Whom all is told."""
    with receiver() as found:
        yield found


@pytest.fixture(scope="module")
def platform(received: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Who tells it."""
    with embedded(tmp_path_factory.mktemp("traced"), otlp_endpoint=received.url) as platform:
        yield platform


def post(platform: Platform, path: str, body: dict[str, Any], **headers: str) -> None:
    status, answer = platform.api.once("POST", path, body, X_Simulated_Time=AT, **headers)
    assert status == 200, answer


def plan(platform: Platform, hall: str, **headers: str) -> None:
    """A hall with a system, and the plan that brings it work."""
    post(platform, "/facilities", {"facility_id": hall, **HALL})
    system = {"system_id": "water", "name": "Water", "category": "any", "commissioned_on": "2021-01-01"}
    post(platform, f"/facilities/{hall}/systems", system)
    points = {"equipment": "thing", "points": [{"point_id": "p-1", "label": "tap"}]}
    post(platform, f"/facilities/{hall}/systems/water/points", points)
    post(platform, f"/facilities/{hall}/plans", PLAN, **headers)


def steps(received: Receiver, leaf: Told) -> list[tuple[str, str]]:
    """From the root of a trace down to a span: service and name of each."""
    spans = {one.id: one for one in received.spans(leaf.trace)}
    path = [leaf]
    while path[0].parent in spans:
        path.insert(0, spans[path[0].parent])
    assert path[0].parent == CALLER
    return [(one.service.removeprefix("xunjian-"), one.name) for one in path]


def test_one_request_is_one_tree_down_to_the_views_of_other_services(platform: Platform, received: Receiver) -> None:
    name = "apply work_orders.events:work_order_opened"

    plan(platform, "hall", traceparent=f"00-{TRACE}-{CALLER}-01")

    platform.wait_until(lambda: bool(received.of("scoring", name, TRACE)), "scoring's span is told")
    leaf = received.of("scoring", name, TRACE)[0]
    assert steps(received, leaf) == [
        ("gateway", "POST /v1/facilities/{facility}/plans"),
        ("gateway", "scheduling/adopt_plan"),
        ("scheduling", "scheduling/adopt_plan"),
        ("scheduling", "append scheduling.events:occurrence_scheduled"),
        ("work_orders", "apply scheduling.events:occurrence_scheduled"),
        ("work_orders", "append work_orders.events:work_order_opened"),
        ("scoring", "apply work_orders.events:work_order_opened"),
    ]
    assert (leaf.kind, leaf.about["xunjian.facility"]) == ("CONSUMER", "hall")
    assert {one.resource.get("simulated") for one in received.spans()} == {True}


def test_a_trace_names_nobody_and_holds_no_secret(platform: Platform, received: Receiver) -> None:
    elsewhere = f"{int.from_bytes(hashlib.sha256(b'c-1').digest()[:16]):032x}"
    plan(platform, "private")

    platform.api.once("GET", "/accounts/li.ming?secret=the-password")
    platform.api.once("GET", "/xj_lost", X_Correlation_Id="c-1", traceparent=f"00-{TRACE}-{CALLER}-01")

    platform.wait_until(lambda: bool(received.spans(elsewhere)), "the last span is told")
    ((name, parent, links),) = [(one.name, one.parent, one.links) for one in received.spans(elsewhere)]
    assert (name, parent, links) == ("HTTP", "", [TRACE])
    paths = {one.about.get("url.path") for one in received.spans()}
    assert {"/v1/facilities/private/plans", "/v1/accounts/{username}"} <= paths
    assert [words for words in PRIVATE if any(words.encode() in body for body in received.bodies)] == []


def test_a_receiver_that_answers_nothing_holds_no_work_up(platform: Platform, received: Receiver) -> None:
    with received.held:
        before = len(received.bodies)
        plan(platform, "held")
        platform.wait_until(lambda: len(received.bodies) > before, "somebody waits for its answer")

        post(platform, "/facilities/held/systems/water/points", MORE)
        platform.settle()

        assert len(received.bodies) == before + 1  # still the same: nothing waited for it
    status, orders = platform.api.once("GET", "/facilities/held/work-orders")
    assert (status, {order["facility"] for order in orders}) == (200, {"held"})
