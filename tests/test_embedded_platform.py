"""The platform in one process: who may start it, what its folder remembers, and how it ends."""

import http.client
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from tests.conftest import Start, run_xunjian
from tests.processes import EVERYWHERE, embedded, free_port
from tests.story import Story, moment
from tests.truth import Truth

HALL = {
    "facility_id": "hall",
    "name": "Hall",
    "uscc": "11530121MB198972XH",
    "region_code": "530114",
    "timezone": "Asia/Shanghai",
}


def assert_refused(finished: "subprocess.CompletedProcess[str]", *said: str) -> None:
    """Assert exit status 2 and one line that says all this."""
    assert finished.returncode == 2, finished.stderr
    assert finished.stdout == ""
    (line,) = finished.stderr.splitlines()
    for words in said:
        assert words in line


@contextmanager
def occupied_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@contextmanager
def idle_connection(port: int) -> Iterator[None]:
    """A client that was answered and keeps its connection for later."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/v1/health")
    connection.getresponse().read()
    yield
    connection.close()


def test_a_folder_has_one_process_at_a_time(start_embedded: Start, tmp_path: Path) -> None:
    with start_embedded() as platform:
        second = run_xunjian("serve", "--data", tmp_path / "data", "--port", str(free_port()))

        assert_refused(second, str(tmp_path / "data"), "in use by another process")
        assert platform.answers()


def test_an_occupied_port_is_one_line(tmp_path: Path) -> None:
    with occupied_port() as port:
        refused = run_xunjian("serve", "--data", tmp_path / "data", "--port", str(port))

    assert_refused(refused, str(port), "in use")


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    assert_refused(run_xunjian("serve", "--data", tmp_path / "file" / "data", "--port", "0"), "file", "directory")
    assert_refused(run_xunjian("serve", "--data", tmp_path / "file", "--port", "0"), "file", "exists")
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "scoring.db").write_text("this is a letter to my aunt")

    refused = run_xunjian("serve", "--data", tmp_path / "data", "--port", "0")

    assert_refused(refused, "scoring.db", "not a database")
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"lock", "scoring.db"}


def test_a_real_installation_keeps_real_time(start_embedded: Start, tmp_path: Path) -> None:
    with start_embedded(simulated=False) as platform:
        status, problem = platform.api.once("POST", "/simulation/clock", {"now": moment(2021, 1, 1)})
        assert (status, problem["type"]) == (409, "urn:xunjian:problem:rejected")
        status, problem = platform.api.once("POST", "/facilities", HALL, X_Simulated_Time=moment(2021, 1, 1))
        assert (status, problem["type"]) == (409, "urn:xunjian:problem:rejected")

        assert platform.api.get("/facilities") == []
        assert platform.api.get("/installation")["simulated"] is False
        assert platform.api.once("POST", "/facilities", HALL)[0] == 200

    simulated = run_xunjian("serve", "--data", tmp_path / "data", "--port", "0", "--simulated")
    assert_refused(simulated, "real installation", "simulated")


def test_a_simulated_folder_stays_simulated_and_keeps_its_time(tmp_path: Path) -> None:
    with embedded(tmp_path) as platform:
        story = Story(platform)
        story.begin()
        story.move_clock(moment(2021, 2, 3))
        now = platform.api.get("/installation")["now"]
        score = story.score()

    with embedded(tmp_path, simulated=False) as platform:
        assert platform.api.get("/installation") == {"simulated": True, "now": now, "settled": True}
        platform.settle()
        assert Story(platform).score() == score
        Truth(platform.databases).assert_whole()
        assert all(envelope["simulated"] for envelope in Truth(platform.databases).envelopes("work_orders"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_soon_and_cleanly_and_forgets_nothing(start_embedded: Start, number: signal.Signals) -> None:
    with start_embedded(from_nothing=True) as platform:
        story = Story(platform)
        story.begin()
        platform.settle()
        score = story.score()

        with idle_connection(platform.port):
            began = monotonic()
            platform.kill(EVERYWHERE, number)

        assert monotonic() - began < 5
        popen = platform.processes[EVERYWHERE].popen
        assert popen is not None
        assert popen.returncode == 0
        assert "Traceback" not in platform.last_words()
        platform.restart(EVERYWHERE)
        assert story.score() == score


def test_it_forgets_nothing_when_it_is_killed(start_embedded: Start) -> None:
    with start_embedded() as platform:
        story = Story(platform)
        story.begin()
        platform.settle()
        score = story.score()

        platform.kill(EVERYWHERE, signal.SIGKILL)
        platform.restart(EVERYWHERE)

        assert story.score() == score
