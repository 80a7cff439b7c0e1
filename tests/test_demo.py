"""What `make run` promises: a year from the plan to the score, which the audit, the offline score and a restart confirm."""

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from services.operator_key import known_for

XUNJIAN = (sys.executable, "-m", "services.cli")
WITHIN_SECONDS = 240
"""A watchdog, not a measure: a machine that does other things besides needs longer."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo keeps its year; made by the first test that serves it."""
    return tmp_path_factory.mktemp("demo") / "data"


@pytest.fixture(scope="module")
def answered(folder: Path) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """What the first run printed, and what it answered for the whole year and for half of it."""
    with served(folder) as (printed, address):
        return printed, ask(address), ask(address.replace("12-31", "06-30"))


def test_it_prints_ten_rows_a_total_and_the_address(answered: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    printed, year, _ = answered

    assert all(
        words in printed for words in ("政务大厅档案区气体灭", "空调系统", "防火卷帘", "电气照明系统", "给排水系统")
    )
    assert len(year["indicators"]) == 10
    assert f"{year['total']} │" in printed.replace("┃", "│")
    assert "模拟" in printed


def test_the_year_has_lapses_of_every_kind(answered: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    _, year, _ = answered

    reasons = {deduction["reason"] for indicator in year["indicators"] for deduction in indicator["deductions"]}

    assert {"missed_inspection", "missed_point", "substandard_work", "incidents"} <= reasons


def test_the_offline_score_of_its_events_is_its_answer_byte_for_byte(
    folder: Path, answered: tuple[str, dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    history = tmp_path / "events.jsonl"
    history.write_bytes(run("audit", "events", "--data", str(folder)))

    scores = [run("score", str(history), "--as-of", day, "--json") for day in ("2021-12-31", "2021-06-30")]

    assert [json.loads(score) for score in scores] == list(answered[1:])
    assert all(json.loads(line)["simulated"] is True for line in history.read_bytes().splitlines())


@pytest.mark.usefixtures("answered")
def test_the_audit_holds(folder: Path) -> None:
    verified = run("audit", "verify", "--data", str(folder))
    replayed = [run("audit", "replay", "--data", str(folder), *sources) for sources in ([], ["--from-sources"])]

    assert b"held" in verified
    assert all(b"held" in one and b"published" in one for one in replayed)


def test_a_second_run_serves_what_is_there(folder: Path, answered: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    before = told(folder)

    with served(folder) as (printed, address):
        again = ask(address)

    assert again == answered[1]
    assert answered[1]["total"] in printed
    assert told(folder) == before


def told(folder: Path) -> list[bytes]:
    """The events of the folder, without the records that they were printed."""
    lines = run("audit", "events", "--data", str(folder)).splitlines()
    return [line for line in lines if b'"scoring.evidence_exported.v1"' not in line]


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """The demo while it serves: what it printed until then, and the address of its answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*XUNJIAN, "demo", "--data", str(folder), "--port", str(port)]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(WITHIN_SECONDS, demo.kill)
    watchdog.start()
    try:
        printed = ""
        for line in demo.stdout or ():
            printed += line
            if found := re.search(r"http\S+", line):
                yield printed, found.group()
                break
        else:
            pytest.fail(f"the demo ended before it served: {printed}")
    finally:
        watchdog.cancel()
        demo.terminate()
        demo.wait(30)


def ask(address: str) -> dict[str, Any]:
    """The answer at an address."""
    key = known_for(address)
    with urlopen(Request(address, headers={"Authorization": f"Bearer {key}"}), timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def run(*arguments: str) -> bytes:
    """What a command prints that must end with status 0."""
    return subprocess.run([*XUNJIAN, *arguments], check=True, capture_output=True, timeout=120).stdout
