"""A project loaded into, and a year simulated on, the real platform in a process of its own."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner

from services.audit.cli import audit_group
from services.project.cli import load_command, simulate_command
from services.project.client import Client
from services.project.files import Project, read_project
from services.project.load import Loaded, load_project
from services.project.simulate import simulate_year
from services.project.story import LAPSES, lapses, ratings
from services.rebuild import rebuild_command
from shared.config import SERVICES
from shared.errors import Conflict, Rejected
from tests.demo import SEED, Demo

PROJECT = Path(__file__).parent.parent / "projects" / "chenggong-2021"
HALL = "/facilities/chenggong-hall"
NINE = [f"system-{n}" for n in range(9)]


@contextmanager
def platform(data: Path, *options: str) -> Iterator[str]:
    """The embedded platform on a port of its own; its address."""
    serve = [sys.executable, "-m", "services.cli", "serve", "--data", str(data), "--port", "0", *options]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, cwd=PROJECT.parent.parent) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip().removesuffix("/v1/health")
        finally:
            server.kill()


@pytest.fixture(scope="module")
def project() -> Project:
    return read_project(PROJECT)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A simulated installation, and its folder."""
    data = tmp_path_factory.mktemp("simulated")
    with platform(data, "--simulated") as url:
        yield url, data


@pytest.fixture(scope="module")
def year(simulated: tuple[str, Path], project: Project) -> dict[str, Any]:
    """The result of the year, simulated with the demo's seed on the loaded project: broken off in May, and run again."""

    class BrokenOff(Exception):
        """The simulation was stopped in May."""

    def stop_in_may(text: str, fraction: float) -> None:
        if text.startswith("2021-05"):
            raise BrokenOff

    with Client(simulated[0]) as client:
        load_project(project, client)
        with pytest.raises(BrokenOff):
            simulate_year(client, None, 2021, SEED, stop_in_may)
        return simulate_year(client, None, 2021, SEED)


def without_evidence(whole: dict[str, Any]) -> dict[str, Any]:
    """A result without the ids that differ from run to run."""
    result = deepcopy(whole)
    for indicator in result["indicators"]:
        for deduction in indicator["deductions"]:
            deduction.pop("evidence", None)
    return result


# --- the story ------------------------------------------------------------------------------------------------------


def test_the_same_seed_tells_the_same_story() -> None:
    assert lapses(NINE, Random("7")) == lapses(reversed(NINE), Random("7"))
    assert lapses(NINE, Random("7")) != lapses(NINE, Random("8"))


def test_every_lapse_happens_on_a_system_of_its_own() -> None:
    drawn = lapses(NINE, Random("7"))

    assert sorted(drawn.values()) == sorted(LAPSES)
    assert len({system for system, _ in drawn}) == len(LAPSES)


@pytest.mark.parametrize("systems", [[], ["only"]])
def test_a_story_of_few_systems_has_what_fits(systems: list[str]) -> None:
    assert len(lapses(systems, Random("7"))) == min(len(LAPSES), 11 * len(systems))


def test_about_92_in_100_visitors_are_satisfied() -> None:
    for seed in range(200):
        told = ratings(Random(seed))
        good = told["very_satisfied"] + told["satisfied"] + told["basically_satisfied"]
        bad = told["dissatisfied"] + told["very_dissatisfied"]

        assert min(told.values()) >= 0
        assert 0.87 < good / (good + bad) < 0.97
        assert told["defaulted"] <= told["basically_satisfied"]
        assert told["overturned"] <= bad


# --- loading --------------------------------------------------------------------------------------------------------


def test_loading_again_changes_nothing(tmp_path: Path, project: Project) -> None:
    with platform(tmp_path, "--simulated") as url, Client(url) as client:
        first = load_project(project, client)
        points = client.get(f"{HALL}/systems/hvac/points")
        heads = ledger_heads(tmp_path)
        second = load_project(project, client)

    assert first == Loaded(sent=47, new=47)
    assert second == Loaded(sent=47, new=0)
    assert len(points) == 667
    assert ledger_heads(tmp_path) == heads


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "systems.yaml",
            "name: 空调系统",
            "name: 中央空调",
            "systems.yaml: systems[1]: name is '空调系统' in the installation",
        ),
        ("systems.yaml", "count: 27", "count: 28", "systems.yaml: systems[0].equipment[1]: points differ"),
        (
            "facility.yaml",
            "floor_area_m2: 12629",
            "floor_area_m2: 12630",
            "facility.yaml: facility: floor_area_m2 is 12629",
        ),
        ("project.yaml", "182000.00", "190000.00", "project.yaml: cost_baseline: was loaded before and read otherwise"),
        ("project.yaml", 'annual: "900000.00"', 'annual: "800000.00"', "project.yaml: budget: was loaded before"),
        ("plan.yaml", "window_days: 3", "window_days: 4", "plan.yaml: items differ"),
    ],
)
def test_a_file_changed_since_is_refused_with_its_place(
    simulated: tuple[str, Path], year: dict[str, Any], tmp_path: Path, *, name: str, old: str, new: str, said: str
) -> None:
    folder = Path(shutil.copytree(PROJECT, tmp_path / "changed"))
    text = (folder / name).read_text()
    (folder / name).write_text(text.replace(old, new, 1))

    with Client(simulated[0]) as client, pytest.raises(Conflict) as refused:
        load_project(read_project(folder), client)

    assert str(refused.value).startswith(said)


def test_bad_input_is_told_line_by_line_and_nothing_is_sent(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(PROJECT, tmp_path / "bad"))
    for name, old, new in (("systems.yaml", "count: 4,", "count: four,"), ("facility.yaml", "198972XH", "198972XJ")):
        (folder / name).write_text((folder / name).read_text().replace(old, new, 1))

    # Nothing listens there: had anything been sent, it would have been told instead.
    outcome = CliRunner().invoke(load_command, [str(folder), "--url", "http://127.0.0.1:9"])

    assert outcome.exit_code == 2
    first, second = outcome.stderr.splitlines()
    assert first.startswith("systems.yaml: systems[0].equipment[0].count: expected an integer")
    assert second.startswith("facility.yaml: facility.uscc: expected a unified social credit code")


# --- simulating -----------------------------------------------------------------------------------------------------


def test_a_year_has_ten_scores_and_a_total(year: dict[str, Any]) -> None:
    scores = [indicator["score"] for indicator in year["indicators"]]

    assert len(scores) == 10
    assert None not in scores
    assert year["total"] == f"{sum(map(float, scores)):.2f}"


def test_a_year_has_the_lapses_of_its_story(year: dict[str, Any]) -> None:
    reasons = {deduction["reason"] for indicator in year["indicators"] for deduction in indicator["deductions"]}
    status = {indicator["id"]: indicator["status"] for indicator in year["indicators"]}

    assert {"missed_inspection", "missed_point", "substandard_work", "incidents"} <= reasons
    assert status["cost"] == status["satisfaction"] == status["timeliness"] == "met"


def test_all_that_is_recorded_is_marked_as_simulated_in_its_own_year(
    simulated: tuple[str, Path], year: dict[str, Any]
) -> None:
    with sqlite3.connect(simulated[1] / "work_orders.db") as connection:
        bodies = [body for (body,) in connection.execute("SELECT body FROM event")]

    assert len(bodies) > 900
    assert all(b'"simulated":true' in body for body in bodies)
    assert all(b'"recordedat":"202' in body and b'"recordedat":"2026' not in body for body in bodies)


def test_every_table_follows_from_the_events_of_the_year(simulated: tuple[str, Path], year: dict[str, Any]) -> None:
    audited = CliRunner().invoke(audit_group, ["verify", "--data", str(simulated[1])])
    rebuilt = CliRunner().invoke(rebuild_command, ["--data", str(simulated[1])])

    assert audited.stdout.startswith(f"held: {len(SERVICES)} services, 1 facility, "), audited.stdout
    assert [line.split(",")[0] for line in rebuilt.stdout.splitlines()] == [f"held: {name}" for name in SERVICES]
    assert (audited.exit_code, rebuilt.exit_code) == (0, 0)


def test_nobody_accepts_their_own_work_and_every_repair_is_done(
    simulated: tuple[str, Path], year: dict[str, Any]
) -> None:
    with Client(simulated[0]) as client:
        orders = client.get(f"{HALL}/work-orders")

    repairs = [order for order in orders if order["kind"] == "corrective"]
    assert repairs
    assert all(order["caused_by"].startswith("wo:") for order in repairs)
    assert {order["status"] for order in orders} <= {"closed", "cancelled"}


@pytest.mark.slow
def test_a_year_broken_off_and_run_again_scores_the_same_as_one_without_a_break(
    year: dict[str, Any], demo: Demo
) -> None:
    assert without_evidence(year) == without_evidence(demo.year)


def test_a_year_is_not_simulated_with_two_seeds(simulated: tuple[str, Path], year: dict[str, Any]) -> None:
    outcome = CliRunner().invoke(simulate_command, ["--year", "2021", "--seed", "8", "--url", simulated[0]])

    assert outcome.exit_code == 2
    assert outcome.stderr == "2021 was simulated with another seed than 8\n"


def test_a_year_without_a_plan_is_not_simulated(simulated: tuple[str, Path], year: dict[str, Any]) -> None:
    with Client(simulated[0]) as client, pytest.raises(Rejected, match="no plan of 2022"):
        simulate_year(client, None, 2022, 7)


def test_a_real_installation_is_not_simulated(tmp_path: Path) -> None:
    with platform(tmp_path) as url:
        outcome = CliRunner().invoke(simulate_command, ["--year", "2021", "--seed", "7", "--url", url])

    assert outcome.exit_code == 2
    assert outcome.stderr == f"{url} is a real installation; a year is only made up in a simulated one\n"


def ledger_heads(data: Path) -> dict[str, list[tuple[str, int]]]:
    """How far every ledger of an installation goes."""
    found = {}
    for path in sorted(data.glob("*.db")):
        with sqlite3.connect(path) as connection:
            found[path.stem] = connection.execute("SELECT facility, position FROM ledger").fetchall()
    return found
