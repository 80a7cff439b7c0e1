"""What `make run` promises: a year from the plan to the score, which the audit, the offline score and a restart confirm."""

import json
import subprocess
from pathlib import Path

from tests.demo import XUNJIAN, Demo, ask, served


def test_it_prints_ten_rows_a_total_and_the_address(demo: Demo) -> None:
    printed, year = demo.printed, demo.year

    assert all(
        words in printed for words in ("政务大厅档案区气体灭", "空调系统", "防火卷帘", "电气照明系统", "给排水系统")
    )
    assert len(year["indicators"]) == 10
    assert f"{year['total']} │" in printed.replace("┃", "│")
    assert "模拟" in printed


def test_the_year_has_lapses_of_every_kind(demo: Demo) -> None:
    reasons = {deduction["reason"] for indicator in demo.year["indicators"] for deduction in indicator["deductions"]}

    assert {"missed_inspection", "missed_point", "substandard_work", "incidents"} <= reasons


def test_the_offline_score_of_its_events_is_its_answer_byte_for_byte(demo: Demo, tmp_path: Path) -> None:
    history = tmp_path / "events.jsonl"
    history.write_bytes(run("audit", "events", "--data", str(demo.folder)))

    scores = [run("score", str(history), "--as-of", day, "--json") for day in ("2021-12-31", "2021-06-30")]

    assert [json.loads(score) for score in scores] == [demo.year, demo.half]
    assert all(json.loads(line)["simulated"] is True for line in history.read_bytes().splitlines())


def test_the_audit_holds(demo: Demo) -> None:
    verified = run("audit", "verify", "--data", str(demo.folder))
    replayed = [run("audit", "replay", "--data", str(demo.folder), *sources) for sources in ([], ["--from-sources"])]

    assert b"held" in verified
    assert all(b"held" in one and b"published" in one for one in replayed)


def test_a_second_run_serves_what_is_there(demo: Demo) -> None:
    before = told(demo.folder)

    with served(demo.folder) as (printed, address):
        again = ask(address)

    assert again == demo.year
    assert demo.year["total"] in printed
    assert told(demo.folder) == before


def told(folder: Path) -> list[bytes]:
    """The events of the folder, without the records that they were printed."""
    lines = run("audit", "events", "--data", str(folder)).splitlines()
    return [line for line in lines if b'"scoring.evidence_exported.v1"' not in line]


def run(*arguments: str) -> bytes:
    """What a command prints that must end with status 0."""
    return subprocess.run([*XUNJIAN, *arguments], check=True, capture_output=True, timeout=120).stdout
