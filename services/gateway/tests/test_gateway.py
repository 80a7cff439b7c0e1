"""What the gateway asks of the services, and how it answers."""

import base64
import hashlib
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from services.gateway.route import Route
from services.gateway.routes import ROUTES
from services.gateway.tests.client import Client
from services.gateway.tests.stand_ins import FILE, Installation
from shared.config import SERVICES
from shared.rights import ROLES

SHA256 = 64 * "a"
WORDS = {
    "year": "2021",
    "period": "2021-03",
    "known_at": "2022-01-01T00:00:00+08:00",
    "to_known_at": "2022-01-01T00:00:00+08:00",
    "due_before": "2022-01-01T00:00:00+08:00",
    **dict.fromkeys(("sha256", "message"), SHA256),
    "format": "csv",
    **dict.fromkeys(("limit", "after"), "50"),
    "wait": "0",
    "sort": "-due_at",
    **dict.fromkeys(("as_of", "to_as_of", "since", "until", "from", "day", "warranty_before"), "2021-12-31"),
    **dict.fromkeys(("dry_run", "retired", "excused", "overdue"), "true"),
}
VALUES = {
    "year": 2021,
    "limit": 50,
    "after": 50,
    "wait": 0,
    **dict.fromkeys(("dry_run", "retired", "excused", "overdue"), True),
}
"""What some of the words stand for."""
SERVED = [route for route in ROUTES if route.service != "gateway"]


def words(names: Iterable[str]) -> dict[str, str]:
    return {name: WORDS.get(name, f"a-{name}") for name in names}


def values(said: dict[str, str]) -> dict[str, Any]:
    return {name: VALUES.get(name, text) for name, text in said.items()}


@pytest.mark.parametrize("route", SERVED, ids=lambda route: f"{route.method} {route.path}")
def test_each_line_of_the_table_asks_its_service(route: Route, gateway: Client) -> None:
    named, asked = words(re.findall(r"\{(\w+)\}", route.path)), words(route.query)
    path = route.path.format(**named) + ("?" + urlencode(asked) if asked else "")
    facility = {"facility": "a-new" if route.names_facility else named.get("facility", route.belongs_to)}
    of_path = values({name: text for name, text in named.items() if name != "facility"})

    match route.kind:
        case "upload":
            answer = gateway.post(path, b"bytes", Content_Type=route.media_types[0])
            file = {"file": base64.b64encode(b"bytes").decode(), "media_type": route.media_types[0]}
            expected = {**facility, "data": {**of_path, **values(asked), **file}}
        case "command":
            body = {"facility_id": "a-new"} if route.names_facility else {"reason": "巡检"}
            answer = gateway.post(path, body)
            expected = {**facility, "data": {**body, **of_path}}
        case "receive":
            answer = gateway.post(path, b"{}", Ce_Id="1")
            told = {"Content-Type": "application/json", "Ce-Id": "1"}
            expected = {"headers": told, "body": base64.b64encode(b"{}").decode(), "facilities": ["*"]}
        case _:
            answer = gateway.get(path)
            expected = {**values(named), **values(asked), **({"facilities": ["*"]} if route.narrowed else {})}
            expected.pop("wait", None)

    assert answer.status == 200
    received = _asked(route, answer.json)
    received.pop("context", None)
    assert received == {"service": route.service, "method": route.rpc, **expected}


def _asked(route: Route, told: Any) -> Any:
    """What the stand-in was asked, out of the answer."""
    match route.kind:
        case "list":
            return told[0]
        case "feed":
            return told[0]["event"]
        case _:
            return told


def test_what_is_not_asked_is_none(gateway: Client) -> None:
    (answer,) = gateway.get("/v1/facilities/f-1/occurrences?status=missed").json

    assert (answer["period"], answer["system_id"], answer["status"]) == (None, None, "missed")


def test_a_page_links_to_the_next_and_the_last_one_to_none(gateway: Client) -> None:
    first = gateway.get(f"/v1/facilities/f-1/costs?supplier={quote('昆明')}&limit=1")
    link = re.fullmatch('<(.*)>; rel="next"', first.headers["Link"])
    assert link

    last = gateway.get(link[1])

    assert (last.json[0]["cursor"], last.json[0]["supplier"], last.json[0]["limit"]) == ("further", "昆明", 1)
    assert "Link" not in last.headers


def test_a_file_comes_as_it_is_and_may_use_no_more_than_its_own_style(gateway: Client) -> None:
    answer = gateway.get("/v1/facilities/f-1/labels")

    assert answer.headers["Content-Type"] == FILE["media_type"]
    assert answer.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{quote(FILE['filename'])}"
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'none'; frame-ancestors 'none'; sandbox"
    )


def test_an_upload_of_another_kind_is_refused(gateway: Client) -> None:
    answer = gateway.post("/v1/facilities/f-1/photos", b"MZ", Content_Type="application/x-msdownload")

    assert answer.status == 415
    assert answer.json["detail"] == "The body must be image/jpeg or image/png or image/webp."


def test_an_empty_upload_is_refused(gateway: Client) -> None:
    answer = gateway.post("/v1/facilities/f-1/photos", b"", Content_Type="image/png")

    assert answer.faults == {"file": "expected a file, not an empty body"}


def test_an_upload_may_be_larger_than_a_command(gateway: Client) -> None:
    answer = gateway.post("/v1/facilities/f-1/photos", bytes(2 * 1024 * 1024), Content_Type="image/png")

    assert answer.status == 200


def test_a_caller_says_as_what_he_asks(gateway: Client) -> None:
    answer = gateway.post("/v1/facilities/f-1/costs", {}, X_Roles="finance, auditor")

    assert answer.json["context"]["roles"] == ["finance", "auditor"]


def test_what_an_auditor_reads_of_a_facility_is_recorded(gateway: Client, installation: Installation) -> None:
    for path in ("/v1/facilities/f-1/costs?limit=1", "/v1/rulebooks"):
        gateway.get(path, X_Roles="auditor", X_Actor="user:chen")
    gateway.get("/v1/facilities/f-1/costs", X_Roles="manager")
    gateway.get("/v1/facilities/f-1/costs")
    gateway.post("/v1/facilities/f-1/costs", {}, X_Roles="auditor")

    (look,) = installation.looks
    assert (look["method"], look["facility"]) == ("record_reading", "f-1")
    assert look["data"] == {"what": "/v1/facilities/f-1/costs?limit=1"}
    assert look["context"]["actor"] == "user:chen"


def test_a_look_that_is_repeated_is_recorded_again(gateway: Client, installation: Installation) -> None:
    for _ in range(2):
        gateway.get(
            "/v1/facilities/f-1/costs",
            X_Roles="auditor",
            Idempotency_Key="same",
            X_Simulated_Time="2021-03-01T00:00:00+08:00",
        )

    first, second = (look["context"] for look in installation.looks)
    assert len({"same", first["command_id"], second["command_id"]}) == 3
    assert first["time"] is second["time"] is None


def test_evidence_that_leaves_is_recorded_whoever_takes_it(gateway: Client, installation: Installation) -> None:
    answer = gateway.get("/v1/facilities/f-1/assessments/2021/bundle.zip", X_Roles="auditor")

    (look,) = installation.looks
    assert look["method"] == "record_export"
    assert look["data"]["sha256"] == hashlib.sha256(answer.text.encode()).hexdigest()


def test_what_is_refused_is_not_recorded(gateway: Client, installation: Installation) -> None:
    for path in ("/v1/facilities/not-found/costs", "/v1/facilities/f-1/costs?limit=0"):
        assert gateway.get(path, X_Roles="auditor").status in (404, 422)

    assert installation.looks == []


@pytest.mark.parametrize("roles", ["", "boss", "finance,", "finance;auditor"])
def test_a_role_that_is_none_is_refused(roles: str, gateway: Client) -> None:
    answer = gateway.post("/v1/facilities/f-1/costs", {}, X_Roles=roles)

    assert set(answer.faults) == {"X-Roles"}


def test_a_command_says_who_asks_and_under_which_key(gateway: Client) -> None:
    answer = gateway.post(
        "/v1/facilities/f-1/work-orders/wo-1/accept",
        {},
        Idempotency_Key="key-1",
        X_Actor="user:li",
        X_Correlation_Id="c-1",
        X_Simulated_Time="2021-03-09T10:40:00+08:00",
    )

    assert answer.json["context"] == {
        "command_id": "key-1",
        "actor": "user:li",
        "roles": list(ROLES),
        "correlation_id": "c-1",
        "time": "2021-03-09T10:40:00+08:00",
    }
    assert answer.headers["X-Correlation-Id"] == "c-1"


def test_a_command_without_headers_gets_a_key_of_its_own(gateway: Client) -> None:
    first, second = (gateway.post("/v1/facilities/f-1/costs").json["context"] for _ in range(2))

    assert first["actor"] == "service:operator"
    assert first["time"] is None
    assert len({first["command_id"], second["command_id"], first["correlation_id"], second["correlation_id"]}) == 4


def test_answers_are_readable_json_that_nobody_keeps(gateway: Client) -> None:
    answer = gateway.post("/v1/facilities/f-1/costs", {"supplier": "昆明消防"})

    assert "昆明消防" in answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("refusal", "status", "detail"),
    [
        ("not-found", 404, "no such facility: 程功"),
        ("conflict", 409, "somebody else was faster"),
        ("rejected", 409, "work is accepted by someone other than its doer"),
        ("forbidden", 403, "not yours"),
        ("unavailable", 503, "the database is away"),
    ],
)
def test_a_refusal_is_a_problem_document(refusal: str, status: int, detail: str, gateway: Client) -> None:
    answer = gateway.get(f"/v1/facilities/{refusal}/systems")

    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["detail"] == detail
    assert answer.json["type"] == f"urn:xunjian:problem:{refusal}"
    assert answer.json["instance"] == f"/v1/facilities/{refusal}/systems"
    assert ("Retry-After" in answer.headers) is (status == 503)


def test_invalid_input_is_told_field_by_field(gateway: Client) -> None:
    answer = gateway.post("/v1/facilities/invalid/plans", {})

    assert answer.status == 422
    assert answer.json["errors"] == [
        {"field": "items[3].rrule", "expected": "expected an RRULE"},
        {"field": "year", "expected": "expected an integer"},
        {"field": "year", "expected": "expected 2021"},
    ]


def test_a_fault_of_ours_says_nothing_of_itself(gateway: Client) -> None:
    answer = gateway.get("/v1/facilities/broken/systems", X_Correlation_Id="c-500")

    assert answer.status == 500
    assert answer.json["title"] == "Internal error"
    assert answer.headers["X-Correlation-Id"] == "c-500"
    assert "hunter2" not in answer.text
    assert "Key" not in answer.json["detail"]


def test_a_fault_of_ours_is_logged_under_the_correlation_id(gateway: Client, caplog: pytest.LogCaptureFixture) -> None:
    gateway.get("/v1/facilities/broken/systems", X_Correlation_Id="c-501")

    assert any("hunter2" in record.getMessage() for record in caplog.records)


def test_the_connection_is_kept(gateway: Client) -> None:
    gateway.get("/v1/facilities")
    before = gateway.connection.sock

    gateway.get("/v1/nothing")
    gateway.post("/v1/facilities/f-1/costs", b"{")
    gateway.get("/v1/facilities")

    assert gateway.connection.sock is before


def test_head_has_the_headers_of_get_and_no_body(gateway: Client) -> None:
    answer = gateway.send("HEAD", "/v1/facilities", None, {})

    assert (answer.status, answer.text) == (200, "")
    assert int(answer.headers["Content-Length"]) > 0


def test_a_service_that_is_not_there_is_unavailable(bereft_gateway: Client) -> None:
    answer = bereft_gateway.get("/v1/rulebooks")

    assert answer.status == 503
    assert answer.json["detail"] == "scoring is not running"


def test_health_tells_of_every_service(gateway: Client, installation: Installation) -> None:
    answer = gateway.get("/v1/health")

    assert answer.status == 200
    assert answer.json["status"] == "ok"
    assert sorted(answer.json["services"]) == sorted(SERVICES)


def test_a_service_with_a_parked_facility_degrades_health(gateway: Client, installation: Installation) -> None:
    installation.status = "parked"

    answer = gateway.get("/v1/health")

    assert (answer.status, answer.json["status"]) == (200, "degraded")


def test_a_service_that_is_not_there_fails_health(bereft_gateway: Client) -> None:
    answer = bereft_gateway.get("/v1/health")

    assert (answer.status, answer.json["status"]) == (503, "unavailable")
    assert answer.json["services"]["scoring"] == {"status": "unavailable", "detail": "scoring is not running"}
    assert answer.json["services"]["work_orders"]["status"] == "ok"


@pytest.mark.parametrize(
    ("heads", "checkpoints", "settled"),
    [
        ({}, {}, True),
        ({"work_orders": {"f-1": 3}}, {"scoring": {"work_orders": {"f-1": 3}}}, True),
        ({"work_orders": {"f-1": 3}}, {"scoring": {"work_orders": {"f-1": 2}}}, False),
        ({"work_orders": {"f-1": 3}}, {"scoring": {"work_orders": {}}}, False),
        ({"work_orders": {"f-1": 3, "f-2": 1}}, {"scoring": {"work_orders": {"f-1": 3}}}, False),
        ({"work_orders": {"f-1": 3}}, {"scheduling": {"asset_registry": {}}}, True),
    ],
)
def test_the_installation_is_settled_when_every_reader_has_reached_its_sources(
    heads: dict[str, dict[str, int]],
    checkpoints: dict[str, dict[str, dict[str, int]]],
    settled: bool,
    gateway: Client,
    installation: Installation,
) -> None:
    installation.heads, installation.checkpoints = heads, checkpoints

    answer = gateway.get("/v1/installation")

    assert answer.json == {"simulated": True, "now": "2021-03-01T00:00:00Z", "settled": settled}


def test_a_facility_is_settled_whatever_goes_on_in_others(gateway: Client, installation: Installation) -> None:
    installation.heads = {"work_orders": {"f-1": 3, "f-2": 9}}
    installation.checkpoints = {"scoring": {"work_orders": {"f-1": 3, "f-2": 8}}}

    settled = {
        of: gateway.get(f"/v1/installation{of}").json["settled"] for of in ("", "?facility=f-1", "?facility=f-2")
    }

    assert settled == {"": False, "?facility=f-1": True, "?facility=f-2": False}


def test_a_simulated_clock_is_moved_in_every_service(gateway: Client, installation: Installation) -> None:
    answer = gateway.post("/v1/simulation/clock", {"now": "2021-04-01T00:00:00+08:00"})

    assert (answer.status, answer.json) == (200, {"now": "2021-04-01T00:00:00+08:00"})
    assert gateway.get("/v1/installation").json["now"] == "2021-04-01T00:00:00+08:00"


def test_a_real_installation_keeps_its_time(gateway: Client, installation: Installation) -> None:
    installation.simulated = False

    answer = gateway.post("/v1/simulation/clock", {"now": "2021-04-01T00:00:00+08:00"})

    assert answer.status == 409
    assert gateway.get("/v1/installation").json["simulated"] is False


def test_a_clock_wants_one_timestamp_with_an_offset(gateway: Client, installation: Installation) -> None:
    assert gateway.post("/v1/simulation/clock", {"now": "2021-04-01"}).faults.keys() == {"now"}
    assert gateway.post("/v1/simulation/clock", {}).faults.keys() == {"now"}
    assert gateway.post("/v1/simulation/clock", {"now": "2021-04-01T00:00:00Z", "then": 1}).faults.keys() == {"then"}
