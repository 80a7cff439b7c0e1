"""What HTTP offers beside the answer itself: entity tags, preconditions, compression, limits, waiting for something new."""

import gzip
import json
from collections.abc import Iterator
from time import monotonic
from typing import Any

import eventlet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.tests.client import Client
from services.gateway.tests.conftest import hosted
from services.gateway.tests.stand_ins import Installation, all_stand_ins

ORDER = "/v1/facilities/f-1/work-orders/wo-1"


def test_the_tag_of_a_stream_begins_with_its_version(gateway: Client) -> None:
    assert gateway.get(ORDER).headers["ETag"].startswith('"7.')
    assert "." not in gateway.get("/v1/facilities/f-1/work-orders").headers["ETag"]


def test_what_has_not_changed_is_not_sent_again(gateway: Client) -> None:
    first = gateway.get("/v1/facilities/f-1/costs")

    again = gateway.get("/v1/facilities/f-1/costs", If_None_Match=f'"other", W/{first.headers["ETag"]}')
    other = gateway.get("/v1/facilities/f-1/costs?limit=1", If_None_Match=first.headers["ETag"])

    assert (again.status, again.text) == (304, "")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert other.status == 200


@pytest.mark.parametrize("tag", ['"7"', '"7.1f2e"', '"7.1f2e.gz"'])
def test_a_command_says_on_which_version_it_was_decided(tag: str, gateway: Client) -> None:
    answer = gateway.post(f"{ORDER}/accept", {}, If_Match=tag)

    assert answer.json["context"]["if_match"] == {"stream": "work-order/wo-1", "version": 7}


@pytest.mark.parametrize("tag", ["7", '"seven"', 'W/"7"', '"-1"', '"7", "8"', "*", ""])
def test_a_tag_that_no_answer_gave_is_refused(tag: str, gateway: Client) -> None:
    assert set(gateway.post(f"{ORDER}/accept", {}, If_Match=tag).faults) == {"If-Match"}


def test_a_precondition_on_no_one_stream_is_refused_rather_than_ignored(gateway: Client) -> None:
    answer = gateway.post("/v1/facilities/f-1/work-orders/accept", {}, If_Match='"7"')

    assert answer.faults == {"If-Match": "expected none here, where no one stream is changed"}


def test_text_of_some_length_is_compressed_for_who_reads_that(gateway: Client) -> None:
    long = "/v1/facilities?q=" + 2000 * "x"
    plain, squeezed = gateway.get(long), gateway.get_raw(long, Accept_Encoding="gzip")

    assert "Content-Encoding" not in plain.headers
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(squeezed.body).decode() == plain.text
    assert squeezed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert squeezed.headers["ETag"] == plain.headers["ETag"][:-1] + '.gz"'
    assert gateway.get(long, If_None_Match=squeezed.headers["ETag"]).status == 304
    assert "Content-Encoding" not in gateway.get_raw("/v1/facilities", Accept_Encoding="gzip").headers


def test_a_compressed_body_is_not_unpacked(gateway: Client) -> None:
    answer = gateway.post("/v1/facilities/f-1/costs", gzip.compress(b"{}"), Content_Encoding="gzip")

    assert answer.status == 415


@pytest.fixture
def strict_gateway() -> Iterator[Client]:
    """A gateway that answers three requests a minute."""
    yield from hosted(all_stand_ins(), requests=3)


def test_who_asks_too_often_is_told_when_to_come_back(strict_gateway: Client, installation: Installation) -> None:
    finance, manager = ({"Authorization": f"Bearer {role}@f-1"} for role in ("finance", "manager"))

    answers = [strict_gateway.get("/v1/facilities/f-1/costs", **finance) for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json["type"] == "urn:xunjian:problem:too-many"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert strict_gateway.get("/v1/facilities/f-1/costs", **manager).status == 200


def test_the_operator_is_not_counted(strict_gateway: Client, installation: Installation) -> None:
    assert {strict_gateway.get("/v1/facilities").status for _ in range(5)} == {200}


def test_who_has_not_signed_in_is_counted_by_where_they_are(strict_gateway: Client, installation: Installation) -> None:
    strict_gateway.key = None

    assert [strict_gateway.get("/v1/health").status for _ in range(4)] == [200, 200, 200, 429]


def test_a_feed_says_where_to_go_on_even_at_its_end(gateway: Client, installation: Installation) -> None:
    answer = gateway.get("/v1/events?facility=f-1&after=4&types=work_performed")

    assert answer.headers["Link"] == '</v1/events?facility=f-1&after=1&types=work_performed>; rel="next"'
    assert answer.headers["X-Head"] == "1"


def test_who_waits_for_something_new_is_answered_as_soon_as_there_is(
    gateway: Client, installation: Installation
) -> None:
    installation.feed = []
    eventlet.spawn_after(0.6, setattr, installation, "feed", [{"number": 5, "event": '{"id":"e-5"}'}])

    began = monotonic()
    answer = gateway.get("/v1/events?facility=f-1&after=4&wait=20")

    assert answer.json == [{"number": 5, "event": {"id": "e-5"}}]
    assert 0.5 < monotonic() - began < 5


def test_who_has_waited_long_enough_is_answered_with_nothing_and_recorded_once(
    gateway: Client, installation: Installation
) -> None:
    installation.feed = []

    began = monotonic()
    answer = gateway.get("/v1/events?facility=f-1&wait=1", X_Roles="auditor")

    assert (answer.status, answer.json) == (200, [])
    assert 0.9 < monotonic() - began < 5
    assert [look["method"] for look in installation.looks] == ["record_reading"]


@pytest.mark.parametrize(("types", "recorded"), [(["evidence_read"], 0), (["evidence_read", "waiver"], 1)])
def test_that_something_was_read_is_not_read_again_for_ever(
    types: list[str], recorded: int, gateway: Client, installation: Installation
) -> None:
    told = (f'{{"type":"scoring.{type_}.v1"}}' for type_ in types)
    installation.feed = [{"number": number, "event": event} for number, event in enumerate(told, start=5)]

    assert gateway.get("/v1/events?facility=f-1&wait=1", X_Roles="auditor").status == 200

    assert len(installation.looks) == recorded


def test_waiting_keeps_no_worker(gateway: Client, installation: Installation) -> None:
    installation.feed = []
    waiting = [eventlet.spawn(Client(gateway.port).get, "/v1/events?facility=f-1&wait=3") for _ in range(30)]
    eventlet.sleep(0.2)

    began = monotonic()
    assert gateway.get("/v1/facilities").status == 200

    assert monotonic() - began < 1
    assert {one.wait().status for one in waiting} == {200}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(credential=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
def test_whatever_is_shown_as_a_credential_is_answered(credential: str, gateway: Client, installation: Any) -> None:
    answer = gateway.get("/v1/facilities/f-1/costs", Authorization=f"Bearer {credential}")

    assert answer.status in (200, 401, 403)
    assert json.loads(answer.text)
