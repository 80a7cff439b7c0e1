"""A real installation from its first project to the next year's, as an office starts it."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from services.project.cli import project_group
from services.project.client import Client
from services.project.files import Project, read_project
from services.project.load import Loaded, load_project, settle
from shared.errors import Conflict
from tests.processes import free_port

PROJECT = Path(__file__).parent.parent / "projects" / "chenggong-2021"
HALL = "/facilities/chenggong-hall"
XUNJIAN = (sys.executable, "-m", "services.cli")
TO_FILL_IN = {
    "initial: TODO": 'initial: "910000.00"',
    "annual: TODO": 'annual: "910000.00"',
    "amount: TODO": 'amount: "190000.00"',
    "basis: TODO": "basis: 决算",
}


def new(last: Path, year: int, folder: Path, *options: str) -> str:
    """Make a new year's project and fill in its money; answers what the command said."""
    made = CliRunner().invoke(
        project_group, ["new", "--from", str(last), "--year", str(year), "--to", str(folder), *options]
    )
    assert made.exit_code == 0, made.stderr
    text = (folder / "project.yaml").read_text()
    for open_, figure in TO_FILL_IN.items():
        text = text.replace(open_, figure)
    (folder / "project.yaml").write_text(text)
    return made.stdout


@contextmanager
def started(project: Path, data: Path, port: int) -> Iterator[list[str]]:
    """The installation while it serves, and what it printed until then."""
    command = [*XUNJIAN, "start", str(project), "--data", str(data), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield [process.stdout.readline().strip() for _ in range(2)]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project of 2026."""
    folder = tmp_path_factory.mktemp("office")
    new(PROJECT, 2026, folder / "2026")
    return folder


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a real installation said in its first year, when the next was made, and when it was started again."""

    url: str
    first: list[str]
    year: dict[str, Any]
    simulated: bool
    of_new: str
    carried_on: Loaded
    plans: set[str]
    again: list[str]


@pytest.fixture(scope="module")
def told(office: Path) -> Told:
    """Two years of an office: started with 2026, assets changed, 2027 made and loaded, started again."""
    port, data = free_port(), office / "data"
    url = f"http://127.0.0.1:{port}"
    with started(office / "2026", data, port) as first, Client(url) as client:
        year, simulated = client.get(f"{HALL}/years/2026"), client.get("/installation")["simulated"]
        change_the_assets(client)
        of_new = new(office / "2026", 2027, office / "2027", "--url", url)
        carried_on = load_project(read_project(office / "2027"), client)
        plans = {plan["plan_id"] for plan in client.rows(f"{HALL}/plans")}
    with started(office / "2027", data, port) as again:
        pass
    return Told(
        url=url,
        first=first,
        year=year,
        simulated=simulated,
        of_new=of_new,
        carried_on=carried_on,
        plans=plans,
        again=again,
    )


def test_a_project_is_loaded_into_a_real_installation_once_and_served_again(told: Told) -> None:
    home = f"{told.url}/v1/facilities/chenggong-hall/years"

    assert told.first == ["chenggong-hall: loaded, 47 of 47 entries new", f"{home}/2026"]
    assert told.again == ["chenggong-hall: the project of 2027 is there", f"{home}/2027"]
    assert told.simulated is False


def test_its_whole_year_is_seen_from_the_first_day(told: Told) -> None:
    shutters = next(system for system in told.year["systems"] if system["system_id"] == "fire-shutters")

    assert [len(month["occurrences"]) for month in shutters["months"]] == [2, *[1] * 11]
    assert told.year["warnings"] == []


def test_the_next_year_is_made_of_the_assets_as_they_stand(told: Told, office: Path) -> None:
    assert "plan.yaml: lift-pumps-campaign is left out, as lift-pumps is not in commission" in told.of_new
    assert_assets_as_they_stand(read_project(office / "2027"))


def test_of_the_next_year_only_what_is_new_is_sent(told: Told) -> None:
    # Two rulebooks, a baseline, a budget, an assessment and a plan; nothing of the assets.
    assert told.carried_on.new == 6
    assert told.plans == {"chenggong-2026", "chenggong-2027"}


def change_the_assets(client: Client) -> None:
    """A point retired, one relocated, some added with limits, a system gone."""
    changes: list[tuple[str, dict[str, Any]]] = [
        ("systems/gas-suppression/points/retire", {"point_ids": ["gas-button-002"], "reason": "拆除"}),
        ("points/gas-nozzle-001/relocate", {"location": "库房"}),
        ("systems/water/points", {"equipment": "压力表", "points": [gauge(1), gauge(2)]}),
        ("systems/lift-pumps/decommission", {"decommissioned_on": "2026-03-01", "reason": "拆除"}),
    ]
    for n, (path, body) in enumerate(changes):
        client.send(f"{HALL}/{path}", body, key=f"change-{n}", actor="user:chen")
    settle(client, HALL.rpartition("/")[2])


def gauge(number: int) -> dict[str, object]:
    """A point with limits."""
    expected = {"unit": "MPa", "low": "0.20", "high": "0.45"}
    return {"point_id": f"gauge-{number:03}", "label": f"压力表{number:03}", "location": "泵房", "expected": expected}


def assert_assets_as_they_stand(project: Project) -> None:
    """Assert that the files of a project say what was changed, and all else as before."""
    systems = {system.system_id: system for system in project.systems.systems}
    before = {system.system_id: system for system in read_project(PROJECT).systems.systems}
    assert "lift-pumps" not in systems
    assert systems["hvac"] == before["hvac"]
    assert systems["water"].equipment[:3] == before["water"].equipment
    counted = systems["water"].equipment[3]
    assert (counted.count, counted.prefix, counted.label, counted.location) == (2, "gauge", "压力表", "泵房")
    assert counted.expected is not None
    assert str(counted.expected.low) == "0.20"
    gas = {group.equipment: group for group in systems["gas-suppression"].equipment}
    assert [point.point_id for point in gas["紧急启停按钮"].points] == [
        "gas-button-001",
        "gas-button-003",
        "gas-button-004",
    ]
    assert gas["气体喷嘴"].points[0].location == "库房"
    assert gas["七氟丙烷瓶组"].count == 36


@pytest.mark.usefixtures("told")
def test_the_next_year_can_also_begin_in_an_empty_installation(office: Path, tmp_path: Path) -> None:
    folder, port = Path(shutil.copytree(office / "2027", tmp_path / "2027")), free_port()
    replace(folder, "systems.yaml", "prefix: gauge\n", "prefix: gauge\n    nameplate: {maker: 红旗}\n")
    replace(folder, "plan.yaml", "id: water-inspection,", "id: water-inspection, assignee: user:li,")

    with started(folder, tmp_path / "data", port) as said, Client(f"http://127.0.0.1:{port}") as client:
        points = client.rows(f"{HALL}/systems/gas-suppression/points")
        gauges = client.rows(f"{HALL}/systems/water/points", equipment="压力表")
        again = load_project(read_project(folder), client)
        replace(folder, "systems.yaml", "maker: 红旗", "maker: 东风")
        with pytest.raises(Conflict) as refused:
            load_project(read_project(folder), client)
        item = next(one for one in client.get(f"{HALL}/plans/chenggong-2027")["items"] if one["system_id"] == "water")

    assert re.fullmatch(r"chenggong-hall: loaded, (\d+) of \1 entries new", said[0])
    assert len(points) == 66
    assert [(one["maker"], one["expected"]["high"]) for one in gauges] == [("红旗", "0.45")] * 2
    assert again.new == 0
    assert "equipment[3].nameplate: nameplate is {'maker': '红旗'} in the installation" in str(refused.value)
    assert item["assignee"] == "user:li"


def replace(folder: Path, name: str, old: str, new: str) -> None:
    """Edit a file, once."""
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("missing", ["project.yaml", "plan.yaml"])
def test_a_project_that_is_not_right_starts_nothing(office: Path, tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "broken"
    new(PROJECT, 2026, folder)
    (folder / missing).unlink()

    command = [*XUNJIAN, "start", str(folder), "--data", str(tmp_path / "data")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stderr) == (2, f"{missing}: expected this file in {folder}\n")
    assert not (tmp_path / "data").exists()
