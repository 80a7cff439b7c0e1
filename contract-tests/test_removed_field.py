"""The test of the tests: a field taken out of an event in a scratch copy makes them fail, with the consumers' names."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from compatibility import paths_of
from consumers import consumers

ROOT = Path(__file__).parent.parent
SECONDS = 120
PYTEST = [sys.executable, "-m", "pytest", "-q"]
FIELDS = [
    ("work_orders", "WorkPerformed", "    performed_at: Moment\n"),
    ("work_orders", "WorkPerformed", "    occurrence_id: Id | None = None\n"),
    ("scheduling", "OccurrenceWithdrawn", "    reason: str\n"),
]


@pytest.mark.parametrize(("service", "event", "line"), FIELDS, ids=[event for _, event, _ in FIELDS])
def test_a_field_that_is_gone_is_told_with_its_consumers(service: str, event: str, line: str, tmp_path: Path) -> None:
    scratch = _scratch_copy(tmp_path)
    field = line.partition(":")[0].strip()
    _take_out(scratch / "shared" / "contracts" / f"{service}.py", f"class {event}(Event):", line)

    told = _failed([sys.executable, "contract-tests/contracts.py"], scratch)

    type_ = f"{service}.{_snake(event)}.v1"
    readers = [one.name for one in consumers() if field in paths_of(one, type_)]
    assert readers
    assert f"{type_} {field}: is gone; breaks {', '.join(readers)}" in told


def test_the_tests_fail_where_a_field_is_gone_and_name_its_consumers(tmp_path: Path) -> None:
    scratch = _scratch_copy(tmp_path)
    _take_out(
        scratch / "shared" / "contracts" / "work_orders.py",
        "class WorkPerformed(Event):",
        "    performed_at: Moment\n",
    )

    tested = _failed([*PYTEST, "contract-tests/test_compatibility.py", "-k", "nothing_breaks"], scratch)

    assert "work_orders.work_performed.v1 performed_at: is gone; breaks scheduling, scoring" in tested


def test_the_tests_fail_where_a_field_is_never_published_any_more_and_name_its_consumers(tmp_path: Path) -> None:
    scratch = _scratch_copy(tmp_path)
    _take_out(
        scratch / "services" / "work_orders" / "aggregate.py",
        "performed = WorkPerformed(",
        "            occurrence_id=self.order.occurrence_id,\n",
    )

    tested = _failed([*PYTEST, "contract-tests/test_publishers.py", "-k", "holds_a_pact"], scratch)

    for reader in ("scheduling", "scoring"):
        assert f"{reader} reads work_orders.work_performed.v1 with occurrence_id, and cannot any more" in tested


def _scratch_copy(folder: Path) -> Path:
    ignored: Any = shutil.ignore_patterns("__pycache__")
    for name in ("shared", "services", "contract-tests", "projects"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def _take_out(file: Path, after: str, line: str) -> None:
    before, found, rest = file.read_text().partition(after)
    assert found, f"{file.name} has no {after}"
    assert line in rest, f"{file.name} has no {line.strip()} after {after}"
    file.write_text(before + found + rest.replace(line, "", 1))


def _failed(command: list[str], scratch: Path) -> str:
    """What a command says that fails with exit status 1, in a scratch copy of the tree."""
    environment = {**os.environ, "PYTHONPATH": str(scratch)}
    finished = subprocess.run(
        command, cwd=scratch, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    said = finished.stdout + finished.stderr
    assert finished.returncode == 1, said
    return said


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
