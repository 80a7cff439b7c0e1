"""A backup of a folder that is being served is the installation as it was at one moment, and goes on from there."""

import sqlite3
import threading
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from services.one_moment import copied_at_one_moment
from services.scoring.evaluation import evaluate
from services.scoring.facts import Facts
from services.scoring.rulebooks.rulebook import read_rulebook
from shared.config import SERVICES
from shared.database import Database
from shared.errors import Unavailable
from shared.event import read
from tests.conftest import Start, run_xunjian
from tests.processes import embedded
from tests.story import AS_OF, RULEBOOK, Story, moment
from tests.truth import Rows, Truth


def test_a_backup_under_load_is_one_moment_that_verifies_and_scores_as_it_did(
    start_embedded: Start, tmp_path: Path
) -> None:
    there = tmp_path / "there" / "data"
    with start_embedded() as platform:
        story = Story(platform)
        story.begin()
        platform.settle()
        story.now = moment(2021, 1, 12)
        with paying(story) as paid:
            platform.wait_until(lambda: paid() > 5, "some has been paid")
            before = paid()
            taken = run_xunjian("backup", f"--data={tmp_path / 'data'}", f"--to={there}")
            assert paid() > before
            since = paid()
            platform.wait_until(lambda: paid() > since + 5, "more has been paid")
        ledgers = Truth(platform.databases).ledgers

    assert (taken.returncode, taken.stderr) == (0, "")
    assert "with it are operator.key" in taken.stdout
    assert there.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in there.iterdir()} == {0o600}
    copied = Truth({service: f"sqlite:///{there / service}.db" for service in SERVICES}).ledgers
    assert copied == {service: rows[: len(copied[service])] for service, rows in ledgers.items()}
    assert 5 < len(copied["work_orders"]) < len(ledgers["work_orders"])
    with embedded(there.parent) as platform:
        platform.settle()
        assert Story(platform).score() == scored(copied)


def test_what_cannot_be_copied_is_told_in_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    data, taken = tmp_path / "data", tmp_path / "taken"
    taken.mkdir()
    (taken / "something").touch()
    data.mkdir()
    for service in SERVICES:
        database = Database(f"sqlite:///{data / service}.db")
        database.migrate(service)
        database.close()

    refused = run_xunjian("backup", f"--data={data}", f"--to={taken}")
    with (
        closing(sqlite3.connect(data / "access.db", isolation_level=None)) as busy,
        pytest.MonkeyPatch.context() as patch,
    ):
        busy.execute("BEGIN IMMEDIATE")
        patch.setattr("services.one_moment.PATIENCE_SECONDS", 0.1)
        with pytest.raises(Unavailable, match=r"access\.db: somebody has been writing for "):  # noqa: SIM117
            with copied_at_one_moment(data, tmp_path / "new", ()):
                pytest.fail("somebody is half-way")

    assert refused.returncode == 2
    assert refused.stderr == f"xunjian: --to {taken}: expected a folder that is not there yet, or is empty\n"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "taken"]


class paying:  # noqa: N801  reads as what goes on
    """Somebody records costs, one after the other, until the end of the block; tells how many."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._paid = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._pay)

    def __enter__(self) -> "paying":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def __call__(self) -> int:
        return self._paid

    def _pay(self) -> None:
        while not self._ended.is_set():
            cost = {"amount": "12.50", "category": "fixed_equipment", "incurred_on": "2021-01-11"}
            self._story.tell("/costs", {"cost_id": f"c-{self._paid}", **cost})
            self._paid += 1


def scored(ledgers: dict[str, Rows]) -> dict[str, object]:
    """The score that follows from ledgers."""
    facts = Facts("hall")
    for rows in ledgers.values():
        facts.extend(read(body, hash_) for _, body, hash_ in rows)
    return evaluate(facts, read_rulebook(RULEBOOK.read_bytes()), date.fromisoformat(AS_OF)).as_json()
