"""Bad input, at the command line and over HTTP: it is said what and where, exit status 2 or a 4xx, and nothing changes."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import run_xunjian
from tests.processes import ROOT, Platform, embedded
from tests.story import RULEBOOK, Story, moment
from tests.truth import Truth

PROJECT = ROOT / "projects" / "chenggong-2021"
EVENTS = ROOT / "services" / "scoring" / "tests" / "examples" / "points.jsonl"
SCHEDULED = 7
"""The line of that file on which an occurrence is scheduled; its work is performed on line 12."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A simulated platform with a hall in it."""
    with embedded(tmp_path_factory.mktemp("bad-input")) as platform:
        Story(platform).begin()
        platform.settle()
        yield platform


# --- the command line -----------------------------------------------------------------------------------------------


def refused(*arguments: str | Path) -> str:
    """The one line that a command says as it refuses with exit status 2."""
    finished = run_xunjian(*arguments)
    assert finished.returncode == 2, finished.stderr
    assert finished.stdout == ""
    (line,) = finished.stderr.splitlines()
    return line


def edited(tmp_path: Path, source: Path, old: str, new: str) -> Path:
    """A copy of a file in which something is changed."""
    text = source.read_text()
    assert old in text
    copy = tmp_path / source.name
    copy.write_text(text.replace(old, new))
    return copy


@pytest.mark.parametrize(
    ("old", "new", "number", "said"),
    [
        ("work_performed.v1", "work_dreamt.v1", 12, "type: 'work_orders.work_dreamt.v1' is no known event type"),
        ("work_performed.v1", "work_performed.v9", 12, "type: 'work_orders.work_performed.v9' is no known event type"),
        ('"period": "2021-03"', '"period": "March"', SCHEDULED, "data.period: expected"),
        ('"window_start": "2021-03-', '"window_start": "2021-13-', SCHEDULED, "data.window_start: expected a date"),
        ('{"id": "01770000-0000-7000-8000-000000000007"', '{"id": "0177', SCHEDULED, "expected JSON"),
    ],
)
def test_a_bad_event_is_named_by_file_line_and_field(
    tmp_path: Path, old: str, new: str, number: int, said: str
) -> None:
    events = edited(tmp_path, EVENTS, old, new)

    line = refused("score", events, "--as-of", "2021-12-31")

    assert line.startswith(f"{events}:{number}: ")
    assert said in line


@pytest.mark.parametrize("day", ["2021-02-30", "31.12.2021", "soon"])
def test_a_wrong_date_is_named(day: str) -> None:
    assert refused("score", EVENTS, "--as-of", day).startswith("as_of: expected a date YYYY-MM-DD")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing"

    assert refused("score", missing, "--as-of", "2021-12-31").startswith(f"{missing}: expected a file")
    assert refused("score", EVENTS, "--as-of", "2021-12-31", "--rulebook", missing).startswith(f"{missing}: expected")
    assert refused("load", missing).startswith(f"{missing}: expected the folder of a project")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("weight: 20", "weight: twenty", "indicators[7].weight: expected"),
        ("type: cost_growth", "type: cost_shrinkage", "indicators[7].rule"),
        ("id: chenggong-2021\n", "id: [\n", "line "),
    ],
)
def test_a_broken_rulebook_is_named_by_file_and_field(tmp_path: Path, old: str, new: str, said: str) -> None:
    rulebook = edited(tmp_path, RULEBOOK, old, new)

    line = refused("score", EVENTS, "--as-of", "2021-12-31", "--rulebook", rulebook)

    assert line.startswith(f"{rulebook}: ")
    assert said in line


def test_a_broken_project_changes_nothing(platform: Platform, tmp_path: Path) -> None:
    folder = shutil.copytree(PROJECT, tmp_path / "project")
    edited(
        folder, folder / "plan.yaml", "plan_item_id: hvac-inspection, system_id: hvac", "plan_item_id: x, system_id: y"
    )
    url = f"http://127.0.0.1:{platform.port}"

    line = refused("load", folder, "--url", url)

    assert line.startswith("plan.yaml: items[1].system_id: expected a system of systems.yaml")
    assert [facility["facility_id"] for facility in platform.api.get("/facilities")] == ["hall"]


def test_nobody_answering_is_one_line() -> None:
    assert refused("load", PROJECT, "--url", "http://127.0.0.1:1").startswith("http://127.0.0.1:1: nothing answers")


# --- the API --------------------------------------------------------------------------------------------------------

COST = {"cost_id": "c-1", "amount": "1.00", "category": "other", "incurred_on": "2020-12-01"}


@pytest.mark.parametrize(
    ("path", "body", "errors"),
    [
        ("/facilities/hall/costs", COST | {"amount": 1}, {"amount": "money"}),
        ("/facilities/hall/costs", COST | {"amount": "1.005"}, {"amount": "two decimals"}),
        (
            "/facilities/hall/costs",
            COST | {"incurred_on": "2020-12-32", "category": "bribe"},
            {"incurred_on": "expected a date", "category": "expected one of"},
        ),
        ("/facilities/hall/costs", COST | {"cost": "1.00"}, {"cost": ""}),
        ("/facilities/hall/costs", {}, dict.fromkeys(COST, "")),
        ("/facilities/hall/costs", [COST], {"": "expected a JSON object"}),
        ("/facilities/hall/systems/hvac/points", {"equipment": "x", "points": [{}]}, {"points[0].point_id": ""}),
        ("/facilities/hall/plans", {"plan_id": "p", "year": 2022, "items": [{"rrule": 7}]}, {"items[0].rrule": ""}),
        (
            "/facilities/hall/incidents",
            {"incident_id": "i", "occurred_at": "noon", "description": ""},
            {"occurred_at": ""},
        ),
        ("/facilities", {"facility_id": "new hall"}, {"facility_id": "expected an id", "name": ""}),
        ("/rulebooks", {"text": "id: ["}, {"": "line "}),
        ("/simulation/clock", {"now": "tomorrow"}, {"now": "expected"}),
    ],
)
def test_a_bad_command_is_told_field_by_field(platform: Platform, path: str, body: Any, errors: dict[str, str]) -> None:
    before = Truth(platform.databases).ledgers

    status, problem = platform.api.once("POST", path, body)

    assert (status, problem["type"], problem["status"]) == (422, "urn:xunjian:problem:invalid", 422)
    told = {error["field"]: error["expected"] for error in problem["errors"]}
    for field, expected in errors.items():
        assert expected in told[field]
    assert Truth(platform.databases).ledgers == before


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/facilities/hall/work-orders/none/accept", {}, 404),
        ("/facilities/hall/occurrences/none/excuse", {"reason": "none"}, 404),
        ("/facilities/hall/costs/none/reverse", {"reason": "none"}, 404),
        ("/facilities/hall/assessments/assessment-2021/publish", {}, 409),
        ("/facilities/hall/assessments/assessment-2021/sign", {"as_of": "2999-12-31"}, 409),
        (
            "/facilities/hall/systems",
            {"system_id": "hvac", "name": "x", "category": "x", "commissioned_on": "2021-01-01"},
            409,
        ),
        ("/facilities/hall/nothing", {}, 404),
        ("/facilities/hall/assessments/2021", {}, 405),
    ],
)
def test_a_command_that_does_not_fit_is_refused(platform: Platform, path: str, body: Any, status: int) -> None:
    before = Truth(platform.databases).ledgers

    found, problem = platform.api.once("POST", path, body)

    assert (found, problem["status"]) == (status, status)
    assert problem["detail"]
    assert Truth(platform.databases).ledgers == before


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/facilities/hall/assessments/2021?as_of=2021-13-01", "as_of"),
        ("/facilities/hall/assessments/2021?known_at=yesterday", "known_at"),
        ("/facilities/hall/assessments/2021?when=now", "when"),
        ("/facilities/hall/assessments/21", "year"),
        ("/facilities/hall/occurrences?period=2021-1", "period"),
    ],
)
def test_a_bad_question_is_told_field_by_field(platform: Platform, path: str, field: str) -> None:
    status, problem = platform.api.once("GET", path)

    assert status == 422
    assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.parametrize(
    ("header", "text"),
    [("X_Actor", "li"), ("Idempotency_Key", "two words"), ("X_Simulated_Time", moment(2021, 1, 1)[:-6])],
)
def test_a_bad_header_is_named(platform: Platform, header: str, text: str) -> None:
    status, problem = platform.api.once("POST", "/facilities/hall/costs", COST, **{header: text})

    assert status == 422
    assert [error["field"] for error in problem["errors"]] == [header.replace("_", "-")]


@pytest.mark.parametrize("path", ["costs", "satisfaction-reports", "plans", "systems", "assessments"])
def test_an_unknown_facility_is_not_found_and_nothing_is_kept_of_it(platform: Platform, path: str) -> None:
    before = Truth(platform.databases).ledgers

    status, problem = platform.api.once("POST", f"/facilities/nowhere/{path}", COST)

    assert (status, problem["detail"]) == (404, "no facility nowhere")
    assert Truth(platform.databases).ledgers == before


def test_a_key_that_was_used_for_something_else_is_a_conflict(platform: Platform) -> None:
    platform.api.post("/facilities/hall/costs", COST, "key-1")
    before = Truth(platform.databases).ledgers

    again = platform.api.once("POST", "/facilities/hall/costs", COST, Idempotency_Key="key-1")
    other = platform.api.once("POST", "/facilities/hall/costs", COST | {"amount": "2.00"}, Idempotency_Key="key-1")

    assert again[0] == 200
    assert other[0] == 409
    assert Truth(platform.databases).ledgers == before


STREAMS = {
    "/systems/water/decommission": {"decommissioned_on": "2021-12-31", "reason": "x"},
    "/systems/water/points": {"equipment": "tap", "points": [{"point_id": "tap-9", "label": "9"}]},
    "/systems/water/points/retire": {"point_ids": ["water-1"], "reason": "x"},
    "/systems/water/equipment/describe": {"equipment": "thing", "nameplate": {"maker": "x"}},
    "/plans/plan-2021/items/water-inspection/change": {"effective_on": "2021-06-01", "reason": "x", "workdays": "skip"},
    "/plans/plan-2021/items/water-inspection/withdraw": {"effective_on": "2021-06-01", "reason": "x"},
    "/occurrences/water-inspection:2021-01:1/excuse": {"reason": "x"},
    "/occurrences/water-inspection:2021-01:1/withdraw": {"reason": "x"},
    "/work-orders/wo:water-inspection:2021-01:1/assign": {"assignee": "user:li"},
    "/work-orders/wo:water-inspection:2021-01:1/start": {"at": "2021-01-05T09:00:00+08:00"},
    "/work-orders/wo:water-inspection:2021-01:1/perform": {"performed_at": "2021-01-05T09:00:00+08:00"},
    "/work-orders/wo:water-inspection:2021-01:1/accept": {},
    "/work-orders/wo:water-inspection:2021-01:1/cancel": {},
    "/assessments/assessment-2021/official": {"rulebook_id": "chenggong-2021", "reason": "x"},
    "/assessments/assessment-2021/sign": {"as_of": "2021-12-31", "acknowledged": []},
    "/assessments/assessment-2021/withdraw": {"reason": "x"},
}
"""Commands that change a stream which is there, and what they would say."""


@pytest.mark.parametrize("path", STREAMS)
def test_what_was_decided_on_another_version_changes_nothing(path: str, platform: Platform) -> None:
    before = Truth(platform.databases).ledgers

    status, problem = platform.api.once("POST", f"/facilities/hall{path}", STREAMS[path], If_Match='"99"')

    assert (status, problem["type"]) == (412, "urn:xunjian:problem:stale"), problem
    assert Truth(platform.databases).ledgers == before
