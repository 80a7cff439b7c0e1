"""Whatever is sent: the answer is a 4xx that says what was expected, and the gateway goes on."""

import json
import re
from typing import Any
from urllib.parse import quote, urlencode

import eventlet
import orjson
import pytest
import structlog.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nameko.runners import ServiceRunner

from services.gateway.routes import ROUTES
from services.gateway.service import Gateway
from services.gateway.tests.client import Client
from services.gateway.tests.stand_ins import REFUSALS, Installation
from shared import embedded

COSTS = "/v1/facilities/f-1/costs"
MIB = 1024 * 1024

fuzzing = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/facilities", "/v1/facilities/", "/v1//facilities", "/v1/%2e%2e/x"])
def test_an_unknown_address_is_not_found(path: str, gateway: Client) -> None:
    answer = gateway.get(path)

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["title"] == "Not found"


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_a_wrong_method_is_told_the_right_ones(method: str, gateway: Client) -> None:
    answer = gateway.send(method, "/v1/facilities", None, {})

    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [(b"{", 1, 2), (b'{\n  "a": }', 2, 8), (b'{"a": NaN}', 1, 7), (b'{"a": "\xff"}', 1, 1), (b"[" * 5000, 1, 1026)],
)
def test_malformed_json_is_told_where(body: bytes, line: int, column: int, gateway: Client) -> None:
    answer = gateway.post(COSTS, body)

    assert answer.status == 400
    assert (answer.json["line"], answer.json["column"]) == (line, column)


@pytest.mark.parametrize("body", [[], "text", 1, None, True])
def test_a_body_is_an_object(body: Any, gateway: Client) -> None:
    answer = gateway.post(COSTS, orjson.dumps(body))

    assert answer.faults == {"": "expected a JSON object"}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk", ""]
)
def test_a_body_is_json_in_utf_8(kind: str, gateway: Client) -> None:
    answer = gateway.post(COSTS, {}, Content_Type=kind)

    assert answer.status == 415


@pytest.mark.parametrize("kind", ["application/json; charset=UTF-8", "Application/JSON"])
def test_json_may_be_named_in_full(kind: str, gateway: Client) -> None:
    assert gateway.post(COSTS, {}, Content_Type=kind).status == 200


def test_a_command_without_members_needs_no_body(gateway: Client) -> None:
    assert gateway.post("/v1/facilities/f-1/work-orders/wo-1/accept").json["data"] == {"work_order_id": "wo-1"}


def test_a_body_has_an_end(gateway: Client) -> None:
    fitting = gateway.post(COSTS, {"supplier": "x" * (MIB - 15)})
    too_large = gateway.post(COSTS, {"supplier": "x" * (MIB - 14)})

    assert (fitting.status, too_large.status) == (200, 413)
    assert gateway.get("/v1/facilities").status == 200


def test_a_chunked_body_has_an_end_as_well(gateway: Client) -> None:
    chunks = (b"x" * 65536 for _ in range(32))

    answer = gateway.send("POST", COSTS, chunks, {"Content-Type": "application/json"})

    assert answer.status == 413


def test_a_chunked_body_is_read(gateway: Client) -> None:
    headers = {"Content-Type": "application/json"}

    answer = gateway.send("POST", COSTS, iter([b'{"supplier"', b': "x"}']), headers)

    assert answer.json["data"] == {"supplier": "x"}


def test_depth_and_nul_are_refused_by_their_place(gateway: Client) -> None:
    deep: Any = "bottom"
    for _ in range(40):
        deep = [deep]

    assert gateway.post(COSTS, {"a": deep}).json["errors"][0]["expected"] == "expected no more than 32 levels"
    assert gateway.post(COSTS, {"a": [{"b": "x\0"}]}).faults == {"a[0].b": "expected no NUL character"}
    assert gateway.post(COSTS, {"a": {"\0": 1}}).faults == {"a": "expected no NUL character in a name"}


@pytest.mark.parametrize("id_", ["%20", "a%00b", "x" * 81, "..;", "f%C3%A9", "%FF", "a%2Bb", "巡检"])
def test_an_id_in_the_path_is_an_id(id_: str, gateway: Client) -> None:
    path = f"/v1/facilities/{id_}/systems".encode().decode("latin-1")

    raw = gateway.send_bytes(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1"))

    assert raw.startswith(b"HTTP/1.1 422 ")
    assert b'"field":"facility"' in raw


def test_a_year_is_a_year(gateway: Client) -> None:
    for year in ("21", "20211", "abcd", "-2021", "2021.0"):
        assert gateway.get(f"/v1/facilities/f-1/assessments/{year}").faults == {"year": "expected a year, YYYY"}


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("assessments/2021?as_of=2021-02-30", "as_of"),
        ("assessments/2021?as_of=20210228", "as_of"),
        ("assessments/2021?as_of=", "as_of"),
        ("assessments/2021?known_at=2021-02-28T00:00:00", "known_at"),
        ("assessments/2021?known_at=2021-02-28T00:00:00+08:00", "known_at"),
        ("assessments/2021?asof=2021-02-28", "asof"),
        ("occurrences?period=2021-13", "period"),
        ("occurrences?status=a%20b", "status"),
        ("occurrences?status=%FF", "status"),
        ("occurrences?status=a&status=b", "status"),
        ("work-orders?limit=0", "limit"),
        ("systems?%00=1", "\0"),
    ],
)
def test_a_query_parameter_is_refused_by_name(path: str, field: str, gateway: Client) -> None:
    answer = gateway.get(f"/v1/facilities/f-1/{path}")

    assert answer.status == 422
    assert answer.faults.keys() == {field}


def test_a_command_takes_no_query(gateway: Client) -> None:
    assert gateway.post(f"{COSTS}?dry_run=1", {}).faults.keys() == {"dry_run"}


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Idempotency-Key", ""),
        ("Idempotency-Key", "two words"),
        ("Idempotency-Key", "x" * 201),
        ("Idempotency-Key", "caf\xe9"),
        ("X-Actor", "li"),
        ("X-Actor", "root:li"),
        ("X-Actor", "user:" + "x" * 81),
        ("X-Actor", "user:li, user:wang"),
        ("X-Correlation-Id", "x" * 201),
        ("X-Simulated-Time", "2021-03-09"),
        ("X-Simulated-Time", "2021-03-09T10:40:00"),
        ("X-Simulated-Time", "2021-02-30T10:40:00+08:00"),
    ],
)
def test_a_header_is_refused_by_name(header: str, value: str, gateway: Client) -> None:
    answer = gateway.post(COSTS, {}, **{header: value})

    assert answer.status == 422
    assert answer.faults.keys() == {header}


def test_all_faults_of_address_and_headers_are_told_at_once(gateway: Client) -> None:
    answer = gateway.get("/v1/facilities/a b/occurrences?period=x&y=z".replace(" ", "%20"), X_Actor="me")

    assert answer.faults.keys() == {"facility", "period", "y", "X-Actor"}


def test_a_body_does_not_contradict_its_path(gateway: Client) -> None:
    path = "/v1/facilities/f-1/work-orders/wo-1/accept"

    assert gateway.post(path, {"work_order_id": "wo-1"}).status == 200
    assert gateway.post(path, {"work_order_id": "wo-2"}).faults == {"work_order_id": "expected wo-1, as the path says"}


def test_a_facility_that_is_no_text_is_for_the_service_to_refuse(gateway: Client) -> None:
    assert gateway.post("/v1/facilities", {"facility_id": ["f"]}).json["facility"] == ""


def test_the_log_names_no_query(gateway: Client) -> None:
    with structlog.testing.capture_logs() as lines:
        gateway.get("/v1/facilities?token=hunter2", X_Correlation_Id="c-2")

    (line,) = lines
    assert (line["path"], line["status"], line["correlation_id"]) == ("/v1/facilities", 422, "c-2")
    assert "hunter2" not in str(line)


def test_a_port_that_is_taken_is_not_shared(gateway: Client) -> None:
    second = ServiceRunner({"AMQP_URI": embedded.fresh(), "WEB_SERVER_ADDRESS": f"127.0.0.1:{gateway.port}"})
    second.add_service(Gateway)

    with pytest.raises(OSError, match="in use"):
        second.start()

    second.kill()


def test_a_client_that_goes_away_costs_nobody_anything(gateway: Client) -> None:
    for beginning in (b"", b"POST", b"POST /v1/x HTTP/1.1\r\nContent-Le", b"POST /v1/facilities HTTP/1.1\r\n"):
        with eventlet.connect(("127.0.0.1", gateway.port)) as connection:
            connection.sendall(beginning)

    assert gateway.get("/v1/facilities").status == 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)
bodies = st.binary(max_size=200) | st.dictionaries(st.text(), json_values).map(lambda value: json.dumps(value).encode())
header_values = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=300)
header_names = st.sampled_from(
    ["Accept", "Content-Type", "Cookie", "Expect", "Host", "Idempotency-Key", "Upgrade", "X-Actor", "X-Simulated-Time"]
)


@fuzzing
@given(path=st.sampled_from([route.path for route in ROUTES if route.kind == "command"]), body=bodies)
def test_no_body_is_a_fault_of_ours(path: str, body: bytes, gateway: Client, installation: Installation) -> None:
    answer = gateway.post(re.sub(r"\{\w+\}", "a", path), body)

    assert answer.status < 500


@fuzzing
@given(
    path=st.text().filter(lambda text: text not in REFUSALS), query=st.dictionaries(st.text(), st.text(), max_size=3)
)
def test_no_address_is_a_fault_of_ours(path: str, query: dict[str, str], gateway: Client) -> None:
    answer = gateway.get(f"/v1/facilities/{quote(path, safe='/')}/occurrences?{urlencode(query)}")

    assert answer.status in (200, 404, 405, 422)


@fuzzing
@given(headers=st.dictionaries(header_names, header_values))
def test_no_header_is_a_fault_of_ours(headers: dict[str, str], gateway: Client) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    raw = gateway.send_bytes(f"POST {COSTS} HTTP/1.1\r\n{head}Content-Length: 2\r\n\r\n{{}}".encode("latin-1"))

    assert re.match(rb"HTTP/1\.[01] (100|200|4\d\d) ", raw)


@fuzzing
@given(raw=st.binary(max_size=400) | st.text(max_size=100).map(lambda text: f"GET /{text} HTTP/1.1\r\n\r\n".encode()))
def test_no_bytes_are_a_fault_of_ours(raw: bytes, gateway: Client) -> None:
    answer = gateway.send_bytes(raw)

    assert not re.match(rb"HTTP/\d\.\d 5", answer)
    assert gateway.get("/v1/facilities").status == 200
