"""A caller who says in which trace they are finds what they led to under its id."""

import re

import pytest

from services.gateway.tests.client import Client

TRACE, SPAN = 32 * "a", 16 * "b"
RECORDED, UNRECORDED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"traceparent": RECORDED}, TRACE),
        ({"traceparent": UNRECORDED}, f"{TRACE}-00"),
        ({"traceparent": RECORDED, "X_Correlation_Id": "c-1"}, "c-1"),
        ({"traceparent": f"ff-{TRACE}-{SPAN}-01"}, "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ],
)
def test_a_trace_is_the_correlation_id_of_who_says_no_other(
    gateway: Client, headers: dict[str, str], expected: str
) -> None:
    answer = gateway.post("/v1/facilities/f-1/costs", {}, **headers)

    assert re.fullmatch(expected, answer.json["context"]["correlation_id"])
    assert answer.headers["X-Correlation-Id"] == answer.json["context"]["correlation_id"]
