"""CloudEvents as they come over HTTP: what is taken, and every fault of what is not."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from services.integration.inbound.envelopes import BATCH, MOST_DEPTH, STRUCTURED, item, read_request, time_of
from services.integration.tests.office import rating

GOOD = rating(1, 5, time="2021-03-19T10:00:05+08:00")
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {"id": words, "type": words, "source": st.from_regex(r"[!-~]{1,20}", fullmatch=True)},
        optional={"subject": words, "someextension": words},
    ),
    st.dictionaries(words, json_values, min_size=1, max_size=3),
)
def test_what_the_sdk_sends_is_read_the_same_in_both_modes(attributes: dict[str, str], data: dict[str, Any]) -> None:
    told = {**attributes, "specversion": "1.0", "time": datetime(2021, 3, 19, 2, tzinfo=UTC)}
    binary = to_binary_event(CloudEvent(dict(told), data))
    structured = to_structured_event(CloudEvent(dict(told), data))

    _, (one,) = read_request({**binary.headers, "Content-Type": "application/json"}, binary.body)
    _, (other,) = read_request(structured.headers, structured.body)

    assert one.faults == other.faults == {}
    assert one.content == other.content
    assert {name: other.envelope[name] for name in attributes} == attributes
    assert other.envelope["data"] == data


def test_a_batch_is_read_item_by_item() -> None:
    is_batch, items = read_request({"content-type": BATCH}, orjson.dumps([GOOD, 5, {"id": "x"}]))

    assert is_batch
    assert [sorted(one.faults) for one in items] == [[], [""], ["data", "source", "specversion", "type"]]


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"specversion": "0.3"}, "specversion", 'expected "1.0"'),
        ({"id": ""}, "id", "expected text that is not empty"),
        ({"id": 5}, "id", "expected text that is not empty"),
        ({"id": "x" * 201}, "id", "expected at most 200 characters"),
        ({"id": "a\nb"}, "id", "expected text without control characters"),
        ({"source": "two words"}, "source", "expected a URI reference (RFC 3986)"),
        ({"source": None}, "source", "missing"),
        ({"type": 1.5}, "type", "expected a string, a whole number, true or false"),
        ({"time": "2021-03-19 10:00"}, "time", "expected a timestamp with offset (RFC 3339)"),
        ({"time": "2021-03-19T10:00:05"}, "time", "expected a timestamp with offset (RFC 3339)"),
        ({"time": "2021-02-30T10:00:05Z"}, "time", "expected a timestamp with offset (RFC 3339)"),
        ({"subject": ""}, "subject", "expected text that is not empty"),
        ({"Region": "x"}, "Region", "expected a name of at most 20 lower-case letters and digits"),
        ({"region": {"a": 1}}, "region", "expected a string, a whole number, true or false"),
        ({"data": [1]}, "data", "expected an object"),
        ({"data": None}, "data", "expected an object"),
        ({"data_base64": "e30="}, "data_base64", "expected data as JSON, under data"),
        ({"datacontenttype": "text/xml"}, "datacontenttype", "expected application/json"),
    ],
)
def test_a_fault_of_an_attribute_is_named(change: dict[str, Any], field: str, expected: str) -> None:
    assert expected in item({**GOOD, **change}).faults[field]


def test_nothing_is_made_up_for_what_is_missing() -> None:
    bare = item({"data": {}})

    assert {name for name, whys in bare.faults.items() if "missing" in whys} == {"specversion", "id", "source", "type"}
    assert "time" not in bare.envelope


def test_data_is_nested_only_so_deep() -> None:
    def nested(levels: int) -> Any:
        return {} if levels == 1 else {"a": [nested(levels - 2)] if levels > 2 else {}}

    assert item({**GOOD, "data": nested(MOST_DEPTH)}).faults == {}
    assert "levels" in item({**GOOD, "data": nested(MOST_DEPTH + 2)}).faults["data"][0]


def test_the_time_of_an_event_is_what_it_bears() -> None:
    assert time_of(GOOD) == datetime(2021, 3, 19, 2, 0, 5, tzinfo=UTC)
    assert time_of({}) is None


def test_null_is_as_good_as_absent() -> None:
    assert item({**GOOD, "subject": None}).content == item(GOOD).content


def test_the_media_type_is_compared_as_http_does() -> None:
    body = orjson.dumps(GOOD)

    for told in (STRUCTURED, STRUCTURED.upper(), f"{STRUCTURED}; charset=UTF-8", f'{STRUCTURED};charset="utf-8"'):
        assert read_request({"CONTENT-TYPE": told}, body)[1][0].faults == {}
