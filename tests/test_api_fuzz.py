"""Whatever a client sends to any line of the API: an answer, never a fault of ours, and afterwards all is whole."""

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.route import Route
from services.gateway.routes import ROUTES
from services.gateway.service import SetClock
from services.gateway.tests.client import Answer, Client
from services.hosted import class_of
from services.scoring.commands import AddRulebook
from shared.tests.random_events import TEXT, instances_of
from tests.api import KEY
from tests.conftest import run_xunjian
from tests.processes import EVERYWHERE, Platform, embedded
from tests.story import RULEBOOK, Story

HALLS = ["hall", "hall", "hall", "second-hall", "nowhere"]
KNOWN: dict[str, list[str]] = {
    "facility": HALLS,
    "facility_id": [*HALLS, "third-hall"],
    "system_id": ["water", "hvac", "lighting", "fire-shutters"],
    "point_id": ["water-1", "hvac-2", "tap-1"],
    "plan_id": ["plan-2021", "plan-2", "plan-3", "plan-4"],
    "plan_item_id": ["water-inspection", "new-1", "new-2", "new-3", "new-4"],
    "occurrence_id": [f"{system}-inspection:2021-0{month}:1" for system in ("water", "hvac") for month in (2, 3)],
    "work_order_id": [f"wo:{system}-inspection:2021-0{month}:1" for system in ("water", "hvac") for month in (2, 3)],
    "assessment_id": ["assessment-2021", "a-2"],
    "cost_id": ["cost-1", "cost-2"],
    "incident_id": ["incident-1"],
    "rulebook_id": ["chenggong-2021"],
    "rulebook": ["chenggong-2021"],
    "official": ["chenggong-2021"],
    "uscc": ["11530121MB198972XH"],
    "region_code": ["530114"],
    "timezone": ["Asia/Shanghai", "UTC"],
    "rrule": ["FREQ=MONTHLY", "FREQ=WEEKLY;BYDAY=MO", "FREQ=DAILY;INTERVAL=15"],
    "year": ["2021", "2020", "1999"],
    "status": ["opened", "planned"],
    "period": ["2021-02"],
}
"""What is there, or is right, by the name of the member; random values alone would seldom meet anything."""

MOMENTS = ["2021-02-05T09:00:00+08:00", "2020-12-01T00:00:00Z", "2021-02-28T12:00:00+08:00"]
ODD = st.one_of(
    st.sampled_from([
        *(None, True, False, 0, -1, 1.5, -0.0, 1e308, 2**53, -(2**63), 10**40, "", " ", "\0", "\ud800", "null", "\u202e"),
        *("0001-01-01", "9999-12-31", "2999-12-31", "1900-01-01", "2021-02-30", "2021-2-3", "１９９９-01-01"),
        *("1900-01-01T00:00:00+14:00", "2999-12-31T23:59:59.999999-14:00", "2021-02-05T09:00:00", "2021-02-05T24:00:00Z"),
        *("2021-02-05T09:00:60Z", "2021-02-05T09:00:00+23:59", "2021-02-05T09:00:00-00:00", "9" * 400, "-0.00", "1e99"),
        *("999999999999999.99", "NaN", "Infinity", "ⅷ", "../..", "%2e", "x" * 81, [], {}, [[]], {"": ""}, [None]),
        *({"__type__": "datetime", "__value__": "x"}, "FREQ=YEARLY;BYDAY=400MO", "'; DROP TABLE event; --"),
    ]),
    TEXT,
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.integers() | TEXT, max_size=3),
    st.dictionaries(TEXT, TEXT, max_size=2),
)  # fmt: skip
SERVED = [
    route for route in ROUTES if route.service != "gateway" or route.rpc in ("set_clock", "health", "installation")
]
POSTS = [route for route in SERVED if route.kind == "command"]
GETS = [route for route in SERVED if route.kind == "query"]
"""Ways to sign in, and documents, are asked for in test_schemathesis.py."""
STATUSES = {200, 400, 404, 409, 422}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with two halls in the spring of 2021; afterwards nothing is parked and every chain holds."""
    folder = tmp_path_factory.mktemp("fuzz")
    with embedded(folder) as platform:
        for hall in ("hall", "second-hall"):
            story = Story(platform, hall)
            story.begin()
            story.month(1)
        story.move_clock("2021-03-01T01:00:00+08:00")
        yield platform


@pytest.fixture(scope="module")
def client(platform: Platform) -> Iterator[Client]:
    """A client that keeps its connection."""
    client = Client(platform.port, KEY)
    yield client
    client.connection.close()


def command_of(route: Route) -> Any:
    """The dataclass of what may be asked."""
    service = class_of(route.service)
    return SetClock if route.rpc == "set_clock" else getattr(service, route.rpc).asks


def told(value: Any) -> Any:
    """A command as JSON values."""
    return orjson.loads(orjson.dumps(asdict(value), default=str))


@st.composite
def bodies(draw: st.DrawFn, command: Any, in_path: Collection[str]) -> Any:
    """A body that is right, or wrong in some places; mostly without what the path says already."""
    body = _likely(draw, draw(instances_of(command).map(told)))
    if draw(st.integers(0, 9)):
        body = {name: value for name, value in body.items() if name not in in_path}
    if command is AddRulebook and draw(st.booleans()):
        body["text"] = RULEBOOK.read_text().replace(
            "weight: 5", draw(st.sampled_from(["weight: 5", "weight: ０", "*a"])), 1
        )
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2, 3]))):
        body = _spoilt(draw, body)
    return body


def _likely(draw: st.DrawFn, value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _likely(draw, member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_likely(draw, member, name.removesuffix("s")) for member in value[: draw(st.integers(1, 3))]]
    if name.endswith("_at") or name in {"at", "now"}:
        return draw(st.sampled_from(MOMENTS))
    if isinstance(value, str) and len(value) == 10 and value[4:5] + value[7:8] == "--":
        return draw(st.sampled_from([value, "2021-01-20", "2021-02-10", "2021-06-01"]))
    likely = KNOWN.get(name)
    if likely is None or draw(st.integers(0, 14)) == 0:
        return value
    return 2021 if isinstance(value, int) else draw(st.sampled_from(likely))


def _spoilt(draw: st.DrawFn, body: Any) -> Any:
    """One member, at any depth, is replaced, removed or added."""
    if isinstance(body, dict) and body and draw(st.integers(0, 9)):
        name = draw(st.sampled_from(sorted(body)))
        what = draw(st.sampled_from(["inside", "inside", "replaced", "missing", "more"]))
        if what == "inside":
            return {**body, name: _spoilt(draw, body[name])}
        if what == "replaced":
            return {**body, name: draw(ODD)}
        if what == "missing":
            return {key: value for key, value in body.items() if key != name}
        return {**body, draw(TEXT | st.sampled_from(["facility", "actor", "time", "__type__"])): draw(ODD)}
    if isinstance(body, list) and body and draw(st.integers(0, 9)):
        place = draw(st.integers(0, len(body) - 1))
        return [*body[:place], _spoilt(draw, body[place]), *body[place + draw(st.integers(0, 1)) :]]
    return draw(ODD)


def path_of(draw: st.DrawFn, route: Route) -> str:
    """The route's path with likely, or odd, parameters."""
    path = route.path
    for name in route.path_schema.fields:
        odd = st.text("AZaz09._:-", min_size=1, max_size=80) | TEXT.filter(lambda text: text not in {"", ".", ".."})
        value = draw(odd if draw(st.integers(0, 9)) == 0 else st.sampled_from(KNOWN.get(name, ["x"])))
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path


def assert_answered(answer: Answer, nameless: bool = True) -> None:
    """Assert a success, or a problem document that names what is wrong; `nameless` if that may be the body as a whole."""
    assert answer.status in STATUSES, answer
    if answer.status == 200:
        assert answer.json is not None or answer.text == "null"
        return
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json
    assert (problem["status"], bool(problem["title"]), bool(problem["detail"])) == (answer.status, True, True)
    if answer.status == 422:
        assert problem["errors"]
        for error in problem["errors"]:
            assert error["expected"]
            assert error["field"] or nameless, problem


@pytest.mark.parametrize("route", POSTS, ids=lambda route: str(route.rpc))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_command_is_answered_or_refused_field_by_field(client: Client, route: Route, data: st.DataObject) -> None:
    body = json.dumps(data.draw(bodies(command_of(route), route.path_schema.fields)))
    path = data.draw(st.composite(path_of)(route))
    actor = data.draw(st.sampled_from(["user:li", "user:ma", "user:zhao"]))

    answer = client.post(path, body.encode(), X_Actor=actor)

    nameless = not body.startswith("{") or '"": ' in body or route.rpc in ("add_rulebook", "map_source")
    assert_answered(answer, nameless)


@pytest.mark.parametrize("route", GETS, ids=lambda route: str(route.rpc))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_question_is_answered_or_refused(client: Client, route: Route, data: st.DataObject) -> None:
    path = data.draw(st.composite(path_of)(route))
    likely = {"as_of": ["2021-01-31", "2999-12-31", "1900-01-01"], "known_at": MOMENTS}
    odd = st.sampled_from([*likely.get("as_of", []), *MOMENTS, "", "x", "2021-13", "9" * 90]) | TEXT
    names = st.sampled_from([*route.query, *route.query, "other"])
    query = data.draw(st.dictionaries(names, odd, max_size=2))
    query = {
        name: data.draw(st.sampled_from([value, *likely.get(name, KNOWN.get(name, []))]))
        for name, value in query.items()
    }

    answer = client.get(f"{path}?{urlencode(query)}")

    assert_answered(answer)


def test_even_the_last_moment_that_there_is_can_be_simulated(platform: Platform, client: Client) -> None:
    platform.settle()

    answer = client.post("/v1/simulation/clock", {"now": "2999-12-31T23:59:59.999999-14:00"})

    assert answer.status == 200
    assert client.get("/v1/facilities/hall/assessments/2021").json["as_of"] == "2021-12-31"


def test_afterwards_nothing_is_parked_and_every_chain_holds(platform: Platform, client: Client) -> None:
    platform.settle()

    health = client.get("/v1/health").json

    assert health["status"] == "ok", health
    data = Path(platform.databases["scoring"].removeprefix("sqlite:///")).parent
    verified = run_xunjian("audit", "verify", "--data", data)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "Traceback" not in platform.processes[EVERYWHERE].log.read_text()
