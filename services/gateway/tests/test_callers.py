"""Who gets in, and who may do what where: every line of the API with every role, in one's own and in a foreign facility."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from services.gateway.callers import Callers
from services.gateway.route import Route
from services.gateway.routes import ROUTES
from services.gateway.tests.client import Answer, Client
from services.gateway.tests.conftest import hosted
from services.gateway.tests.stand_ins import Installation, all_stand_ins, principal
from shared.errors import Forbidden
from shared.rights import EVERYWHERE, PUBLIC, RIGHTS, ROLES, SIGNED_IN, Role

SHA256 = 64 * "a"
COSTS = "/v1/facilities/home/costs"
GUARDED = [route for route in ROUTES if route.target not in PUBLIC | SIGNED_IN]


@pytest.fixture(scope="module")
def gateway_of_its_own() -> Iterator[Client]:
    """A gateway that has met no installation yet: once it has, it knows for ever whether that is simulated."""
    yield from hosted(all_stand_ins())


@pytest.fixture
def office(gateway_of_its_own: Client, installation: Installation) -> Client:
    """The gateway of a real installation."""
    installation.simulated = False
    return gateway_of_its_own


def asked(gateway: Client, route: Route, facility: str, credential: str | None) -> Answer:
    """The answer to a request for a route in a facility, under a credential."""
    words = {"facility": facility, "facility_id": facility, "year": "2021", "sha256": SHA256, "message": SHA256}
    names = re.findall(r"\{(\w+)\}", route.path)
    path = route.path.format(**{name: words.get(name, f"a-{name}") for name in names})
    headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
    gateway.key = None
    try:
        if route.kind == "upload":
            return gateway.send(route.method, path, b"bytes", {**headers, "Content-Type": route.media_types[0]})
        body = b"{}" if route.method == "POST" else None
        return gateway.send(route.method, path, body, {**headers, "Content-Type": "application/json"})
    finally:
        gateway.key = "operator"


def lets_in(route: Route, role: Role, place: str, facility: str) -> bool:
    """Whether the table lets in a role that is held in a place (a facility, or everywhere)."""
    if role not in RIGHTS[route.target]:
        return False
    if place == EVERYWHERE:
        return True
    return not route.everywhere and (route.facility_parameter is None or place == facility)


def test_every_line_of_the_api_says_who_may_use_it() -> None:
    targets = {route.target for route in ROUTES}

    assert targets - PUBLIC - SIGNED_IN <= RIGHTS.keys()
    assert not (PUBLIC | SIGNED_IN) & RIGHTS.keys()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("place", ["home", "abroad", EVERYWHERE])
def test_a_role_opens_what_the_table_says_and_only_where_it_is_held(role: Role, place: str, office: Client) -> None:
    for route in GUARDED:
        answer = asked(office, route, "home", f"{role}@{place}")

        opened = answer.status not in (401, 403)
        assert opened is lets_in(route, role, place, "home"), f"{route.method} {route.path}: {answer}"


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: f"{route.method} {route.path}")
def test_nobody_gets_in_who_has_not_signed_in(route: Route, gateway: Client, installation: Installation) -> None:
    answer = asked(gateway, route, "home", None)

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="xunjian"'
    assert answer.json["type"] == "urn:xunjian:problem:unauthenticated"
    assert installation.refusals == []


def test_a_facility_that_is_not_there_looks_like_one_that_is_foreign(office: Client) -> None:
    foreign, missing = (
        office.get(f"/v1/facilities/{facility}/systems", Authorization="Bearer manager@home")
        for facility in ("abroad", "not-found")
    )

    assert (foreign.status, missing.status) == (403, 403)
    assert foreign.json["detail"].replace("abroad", "not-found") == missing.json["detail"]


def test_a_refusal_is_recorded_with_who_what_and_why(office: Client, installation: Installation) -> None:
    office.post("/v1/facilities/home/costs", {}, Authorization="Bearer inspector@home")

    (refusal,) = installation.refusals
    assert refusal == {
        "actor": "user:inspector",
        "facility": "home",
        "what": "POST /v1/facilities/home/costs",
        "why": "expected the role finance or integrator, not inspector",
        "address": "127.0.0.1",
    }


def test_whatever_refuses_is_recorded(office: Client, installation: Installation) -> None:
    installation.feed = Forbidden("expected a role in abroad that sees its events")

    office.get("/v1/events?facility=abroad", Authorization="Bearer auditor@home")
    office.get(COSTS, Authorization="Bearer finance@home", X_Actor="user:boss")

    assert [(one["actor"], one["facility"]) for one in installation.refusals] == [
        ("user:auditor", "abroad"),
        ("user:finance", "home"),
    ]


@pytest.mark.parametrize("credential", ["unknown", "boss@home"])
def test_a_credential_that_nobody_knows_is_refused(credential: str, gateway: Client) -> None:
    answer = gateway.get(COSTS, Authorization=f"Bearer {credential}")

    assert answer.status == 401


@pytest.mark.parametrize("header", ["Basic dTpw", "Bearer", "Bearer ", "xs_token"])
def test_what_is_no_bearer_token_is_refused(header: str, gateway: Client) -> None:
    answer = gateway.get(COSTS, Authorization=header)

    assert answer.status == 401


@pytest.mark.parametrize(("header", "value"), [("X_Actor", "user:li"), ("X_Roles", "manager")])
def test_in_a_real_installation_nobody_says_who_they_are_but_by_signing_in(
    header: str, value: str, office: Client
) -> None:
    for credential in ("operator", "admin@*"):
        answer = office.post(COSTS, {}, Authorization=f"Bearer {credential}", **{header: value})

        assert answer.status == 403


def test_only_the_operator_acts_as_somebody_who_is_made_up(gateway: Client, installation: Installation) -> None:
    answer = gateway.post(COSTS, {}, Authorization="Bearer finance@home", X_Actor="user:li")

    assert answer.status == 403


def test_only_who_administers_all_of_a_simulated_installation_moves_its_time(
    gateway: Client, installation: Installation
) -> None:
    at = {"X_Simulated_Time": "2021-03-09T10:40:00+08:00"}

    assert gateway.post(COSTS, {}, Authorization="Bearer finance@home", **at).status == 403
    assert gateway.post(COSTS, {}, Authorization="Bearer finance@*,admin@*", **at).status == 200


class Directory:
    """Access, to a gateway that asks it: everybody is known, and each question is counted."""

    def __init__(self) -> None:
        self.asked = 0

    def call(self, method: str, /, deadline: float | None = None, **kwargs: str) -> Any:
        """Count the question."""
        self.asked += 1
        return principal(kwargs["credential"])


def test_what_access_said_of_somebody_is_believed_for_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now, directory, callers = [100.0], Directory(), Callers(per_minute=1, anonymous_per_minute=1)
    monkeypatch.setattr("services.gateway.callers.monotonic", lambda: now[0])

    for seconds in (100.0, 101.9, 102.1, 104.0, 104.2):
        now[0] = seconds
        callers.identified("auditor@home", "127.0.0.1", directory)

    assert directory.asked == 3


def test_the_actor_of_a_command_is_who_signed_in(office: Client) -> None:
    answer = office.post(COSTS, {}, Authorization="Bearer finance@home,manager@abroad")

    assert answer.json["context"]["actor"] == "user:finance"
    assert answer.json["context"]["roles"] == ["finance"]


def test_the_operator_of_a_real_installation_only_administers(office: Client) -> None:
    assert office.post("/v1/facilities/home/systems", {}).json["context"]["roles"] == ["admin"]
    assert office.post(COSTS, {}).status == 403


def test_facilities_are_listed_for_who_may_see_them(office: Client) -> None:
    (mine,) = office.get("/v1/facilities", Authorization="Bearer manager@home,inspector@other").json
    (all_,) = office.get("/v1/facilities", Authorization="Bearer auditor@*").json

    assert mine["facilities"] == ["home", "other"]
    assert all_["facilities"] == ["*"]


@pytest.fixture
def browser(office: Client) -> Iterator[Client]:
    """A client that keeps a session's cookie, and shows no token."""
    office.key = None
    yield office
    office.key = "operator"


def test_a_cookie_signs_in_a_browser(browser: Client) -> None:
    answer = browser.get(COSTS, Cookie="xunjian_session=finance@home")

    assert answer.status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-origin", "Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_a_page_of_others_changes_nothing_by_a_cookie(headers: dict[str, str], status: int, browser: Client) -> None:
    sent = {name: value.format(port=browser.port) for name, value in headers.items()}

    answer = browser.post(COSTS, {}, Cookie="xunjian_session=finance@home", **sent)

    assert answer.status == status


def test_health_tells_what_is_wrong_only_to_who_sees_all_facilities(
    gateway: Client, installation: Installation
) -> None:
    told = gateway.get("/v1/health", Authorization="Bearer auditor@*").json["services"]["scoring"]
    untold = gateway.get("/v1/health", Authorization="Bearer auditor@home").json["services"]["scoring"]

    assert told == {"service": "scoring", "status": "ok"}
    assert untold == {"status": "ok"}
