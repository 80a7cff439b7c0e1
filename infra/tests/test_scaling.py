"""A year is simulated in containers that are scaled, killed, held still and upgraded meanwhile: the score of one process.

Beside the simulation other halls are kept busy from the first step to the last. `make compose-test`; docker needed.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import pytest
from sqlalchemy import func, select

from infra.tests.containers import FACILITY, ROOT, Containers
from infra.tests.loading import HALLS, Load, loading
from shared.config import DEFAULTS, SCORED, SERVICES
from shared.database import Database
from shared.ledger import events
from tests.api import KEY
from tests.processes import Platform, embedded

PROJECT = "projects/chenggong-2021"
SIMULATE = ("simulate", "--year", "2021", "--seed", "7", "--facility", "chenggong-hall")
YEAR_END = "2021-12-31"
TAKE_OVER_SECONDS = 10
SINGLE = {"relay", "clock", "couriers"}
_CLAIMED = re.compile(r'^xunjian_claimed\{service="(\w+)",task="([\w ]+)"\} 1\.0$', re.MULTILINE)
_ASK = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9100/metrics', timeout=5).read().decode())"


@dataclass
class Year:
    """What was seen while the year went on."""

    score: dict[str, Any]
    load: Load
    spread: dict[str, list[dict[str, int]]] = field(default_factory=dict)
    """Service → of each replica, how many partitions it has of each source, with three and two replicas."""
    single: dict[str, list[Counter[str]]] = field(default_factory=dict)
    """Step → how many replicas of each service have each task of which one does it."""
    taken_over: dict[str, float] = field(default_factory=dict)
    """What happened to whom → after how many seconds another replica had all that it had."""
    revisions: tuple[str, str] = ("", "")
    verified: str = ""
    simulated: float = 0.0
    """How many seconds the simulation took, and what happened to it."""
    happened: float = 0.0
    events: dict[str, dict[str, int]] = field(default_factory=dict)
    incidents: dict[str, list[str]] = field(default_factory=dict)


def replicas(installation: Containers, service: str) -> list[Any]:
    """The running containers of a service."""
    ids = installation.compose("ps", "--quiet", service).split()
    return [one for one in map(docker.from_env().containers.get, ids) if one.status == "running"]


def claims(container: Any) -> set[str]:
    """What a replica has; nothing where it does not say so."""
    exit_code, output = container.exec_run(["python", "-c", _ASK])
    return {task for _, task in _CLAIMED.findall(output.decode())} if exit_code == 0 else set()


def all_claims(installation: Containers, service: str) -> list[set[str]]:
    """Of each running replica."""
    return [claims(one) for one in replicas(installation, service)]


def dealt(found: list[set[str]]) -> bool:
    """Whether each task is somebody's, and no partition lacks a reader."""
    counted = Counter(task for one in found for task in one)
    sources = {task.rpartition(" ")[0] for task in counted if task.startswith("partition of ")}
    whole = {f"{source} {number}" for source in sources for number in range(DEFAULTS["PARTITIONS"])}
    return bool(counted) and "relay" in counted and whole <= set(counted)


def shares(found: list[set[str]]) -> list[dict[str, int]]:
    """Of each replica, how many partitions it has of each source."""
    return [dict(Counter(task.rpartition(" ")[0] for task in one if task.startswith("partition of "))) for one in found]


def take_over(installation: Containers, year: Year, service: str, what: str) -> Any:
    """Kill or pause the replica of a service that has the relay, and wait until the others have all that it had."""
    lost = next(one for one in replicas(installation, service) if "relay" in claims(one))
    had = claims(lost)
    others = [one for one in replicas(installation, service) if one.id != lost.id]
    getattr(lost, what)()
    began = time.monotonic()
    installation.wait_until(lambda: had <= set().union(*map(claims, others)), f"{service}'s others have {had}")
    year.taken_over[f"{what} {service}"] = time.monotonic() - began
    return lost


def build_next(tag: str, folder: Path, service: str) -> None:
    """Build another version, in which a service has one more migration."""
    (folder / "0099_next.py").write_text(
        f'"""One more index, built while others write."""\nfrom alembic import op\n'
        f'revision = "{service}_0099"\ndown_revision = "{head_of(service)}"\nbranch_labels = None\ndepends_on = None\n'
        f'def upgrade() -> None:\n    """Add it."""\n    with op.get_context().autocommit_block():\n'
        f'        op.create_index("by_type", "event", ["type"], postgresql_concurrently=True)\n'
    )
    (folder / "Dockerfile").write_text(f"FROM xunjian:local\nCOPY 0099_next.py /app/services/{service}/migrations/\n")
    docker.from_env().images.build(path=str(folder), tag=f"xunjian:{tag}")


def upgrade(installation: Containers, service: str) -> tuple[str, str]:
    """Bring in that version of one service; its revision before and after."""
    ask = f"SELECT version_num FROM alembic_version WHERE version_num LIKE '{service}%'"
    before = installation.sql(ask, service)
    installation.compose("run", "--rm", "-T", "migrate", "migrate", "--config", "infra/config.yaml", service)
    installation.compose("up", "--no-build", "--no-deps", service)
    return before, installation.sql(ask, service)


def head_of(service: str) -> str:
    """The newest revision of a service's own views."""
    (newest,) = sorted(ROOT.glob(f"services/{service}/migrations/0*.py"))[-1:]
    found = re.search(r'^revision = "(\w+)"', newest.read_text(), re.MULTILINE)
    assert found is not None
    return found.group(1)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    """The whole of it: up, loaded, simulated while everything happens to it, and quiet again."""
    installation = Containers(tmp_path_factory.mktemp("scaling"))
    try:
        installation.compose("up")
        installation.xunjian("load", PROJECT)
        with loading(installation.api) as load:
            year = Year({}, load)
            began = time.monotonic()
            simulating = installation.begin_xunjian(*SIMULATE)
            happen(installation, year, tmp_path_factory.mktemp("next"))
            year.happened = time.monotonic() - began
            printed, _ = simulating.communicate(timeout=600)
            assert simulating.returncode == 0, printed
            year.simulated = time.monotonic() - began
        installation.settle()
        year.score = score(installation.api)
        with installation.said(XUNJIAN_TAG=installation.project):
            verify = ("audit", "verify", "--config", "infra/config.yaml")
            year.verified = installation.compose("run", "--rm", "-T", "migrate", *verify)
        year.events = {service: counted(installation, service) for service in SCORED}
        year.incidents = {hall: incidents(installation, hall) for hall in HALLS}
        yield year
    finally:
        installation.compose("down", "--volumes", "--timeout", "3")


def happen(installation: Containers, year: Year, folder: Path) -> None:
    """Out, killed, held still, upgraded, and in again."""
    installation.compose(
        "up", "--no-build", "--scale", "scoring=3", "--scale", "work_orders=2", "--scale", "scheduling=2"
    )
    for service, many in (("scoring", 3), ("work_orders", 2), ("scheduling", 2)):
        balanced = lambda: fair(all_claims(installation, service), many)  # noqa: B023, E731  called at once
        installation.wait_until(balanced, f"{service} is dealt to {many}")
        found = all_claims(installation, service)
        year.spread[service] = shares(found)
        year.single[service] = [Counter(task for one in found for task in one if task in SINGLE)]
    killed = take_over(installation, year, "scheduling", "kill")
    still = take_over(installation, year, "scoring", "pause")
    killed.start()
    still.unpause()
    killed = take_over(installation, year, "work_orders", "kill")
    killed.start()
    build_next(installation.project, folder, "scheduling")
    with installation.said(XUNJIAN_TAG=installation.project):
        year.revisions = upgrade(installation, "scheduling")
        one_each = (f"--scale={service}=1" for service in SERVICES)
        installation.compose("up", "--no-build", *one_each)  # and with it the new version of all others
    for service in SERVICES:
        installation.wait_until(lambda: dealt(all_claims(installation, service)), f"{service} is whole")  # noqa: B023


def fair(found: list[set[str]], many: int) -> bool:
    """Whether so many replicas have everything among them, and of each source as many partitions within one."""
    if len(found) != many or not dealt(found):
        return False
    sources = {source for one in shares(found) for source in one}
    had = [[one.get(source, 0) for one in shares(found)] for source in sources]
    return all(sum(one) == DEFAULTS["PARTITIONS"] and max(one) - min(one) <= 1 for one in had)


def score(api: Any) -> dict[str, Any]:
    """The year, without the ids of the events that it rests on: they are other ones in another installation."""
    found: dict[str, Any] = without_evidence(api.get(f"{FACILITY}/assessments/2021", as_of=YEAR_END))
    return found


def without_evidence(value: Any) -> Any:
    match value:
        case dict():
            return {name: without_evidence(member) for name, member in value.items() if name != "evidence"}
        case list():
            return [without_evidence(member) for member in value]
        case _:
            return value


def counted(installation: Containers, service: str) -> dict[str, int]:
    """How many events of each type the hall's ledger of a service holds."""
    ask = "SELECT type, count(*) FROM event WHERE facility = 'chenggong-hall' GROUP BY type ORDER BY type"
    return {name: int(many) for name, many in (line.split("|") for line in installation.sql(ask, service).splitlines())}


def incidents(installation: Containers, hall: str) -> list[str]:
    """The incidents of a hall that scoring keeps, in the order of the ledger that it follows."""
    told = "convert_from(body, 'UTF8')::json"
    ask = (
        f"SELECT {told} -> 'data' ->> 'incident_id' FROM journal WHERE facility = '{hall}'"
        f" AND {told} ->> 'type' LIKE 'work_orders.incident_reported.%' ORDER BY position"
    )
    return installation.sql(ask, "scoring").splitlines()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The same year in one process, which nothing happens to."""
    with embedded(tmp_path_factory.mktemp("alone")) as platform:
        for command in (("load", PROJECT), SIMULATE):
            url = f"http://127.0.0.1:{platform.port}"
            run = [sys.executable, "-m", "services.cli", *command, "--url", url]
            subprocess.run(run, cwd=ROOT, env={**os.environ, "XUNJIAN_KEY": KEY}, check=True, capture_output=True)
        platform.settle()
        yield platform


def test_the_score_is_that_of_one_process_byte_for_byte(year: Year, alone: Platform) -> None:
    told = [json.dumps(one, ensure_ascii=False) for one in (year.score, score(alone.api))]

    assert told[0] == told[1]


def test_every_service_recorded_as_many_events_of_each_type_as_one_process_does(year: Year, alone: Platform) -> None:
    of_the_hall = select(events.c.type, func.count().label("many")).where(events.c.facility == "chenggong-hall")
    told = {}
    for service in SCORED:
        with closing(Database(alone.databases[service])) as database:
            told[service] = {row.type: row.many for row in database.rows(of_the_hall.group_by(events.c.type))}

    assert year.events == told


def test_all_chains_and_copies_hold(year: Year) -> None:
    assert year.verified.startswith("held: ")


def test_under_load_nothing_was_lost_or_doubled_and_each_hall_kept_its_order(year: Year) -> None:
    assert year.load.faults == []
    assert min(year.load.reported.values()) > 100
    assert year.incidents == {hall: year.load.ids(hall) for hall in HALLS}


def test_partitions_are_spread_over_replicas_and_one_of_them_does_what_one_does(year: Year) -> None:
    sizes = {service: [sorted(one.values()) for one in found] for service, found in year.spread.items()}

    assert {service: len(found) for service, found in year.spread.items()} == {
        "scoring": 3,
        "work_orders": 2,
        "scheduling": 2,
    }
    assert all(one for found in sizes.values() for one in found), sizes
    assert year.single == {
        "scoring": [Counter(relay=1)],
        "work_orders": [Counter(relay=1, clock=1)],
        "scheduling": [Counter(relay=1, clock=1)],
    }


def test_what_a_killed_or_paused_replica_did_another_does_within_ten_seconds(year: Year) -> None:
    print(
        f"simulated in {year.simulated:.0f} s, in {year.happened:.0f} s of which all of it happened;",
        year.load.repeated,
    )
    print("taken over after", {what: f"{seconds:.1f} s" for what, seconds in year.taken_over.items()})

    assert set(year.taken_over) == {"kill scheduling", "pause scoring", "kill work_orders"}
    assert max(year.taken_over.values()) < TAKE_OVER_SECONDS


def test_a_service_was_upgraded_while_events_flowed(year: Year) -> None:
    assert year.revisions == (head_of("scheduling"), "scheduling_0099")
