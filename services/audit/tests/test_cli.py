"""`xunjian audit` at its door: 0 it holds, 1 it does not and where, 2 it could not be checked and why, in one line."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.audit.cli import audit_group
from services.audit.tests.installation import Installation
from services.audit.tests.originals import LIVED_IN, PUBLISHED, Originals
from shared.config import SERVICES


@pytest.fixture
def hall(originals: Originals, kind: str, tmp_path: Path) -> Iterator[Installation]:
    """Two months of a hall, published, with its triggers dropped."""
    with originals.copy(PUBLISHED, kind, tmp_path) as installed:
        installed.disarm()
        yield installed


@pytest.fixture
def folder(originals: Originals, tmp_path: Path) -> Path:
    """The data folder of a platform that was stopped."""
    with originals.copy(LIVED_IN, "sqlite", tmp_path):
        return tmp_path


def audit(*arguments: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(audit_group, [str(argument) for argument in arguments])


def config_of(hall: Installation, folder: Path) -> Path:
    """A nameko configuration that names its databases."""
    file = folder / "config.yaml"
    file.write_text(json.dumps({"AMQP_URI": "unused", "DATABASES": hall.urls}))
    return file


def test_what_holds_is_summed_up(hall: Installation, tmp_path: Path) -> None:
    config = config_of(hall, tmp_path)

    verified, replayed = audit("verify", "--config", config), audit("replay", "--config", config)

    assert verified.stdout.startswith(
        f"held: {len(SERVICES)} services, 1 facility, 20 events, 1 seal (signatures not checked: no key given), "
    )
    assert replayed.stdout.startswith(
        "held: hall 2021 a-2021, published at position 6, simulated, as of 2021-12-31: total "
    )
    assert (verified.exit_code, replayed.exit_code) == (0, 0)


def test_what_does_not_hold_is_named(hall: Installation, tmp_path: Path) -> None:
    config = config_of(hall, tmp_path)
    hall.force("scoring", "UPDATE journal SET body = :body WHERE source = 'work_orders' AND position = 4", body=b"{}")

    verified, replayed = audit("verify", "--config", config), audit("replay", "--config", config)

    assert verified.stdout.splitlines()[0].startswith("scoring, facility hall, position 4: the journal of work_orders ")
    assert verified.stdout.splitlines()[1].startswith(f"1 difference: {len(SERVICES)} services")
    assert replayed.stdout.startswith("differs: hall 2021 a-2021")
    assert (verified.exit_code, replayed.exit_code) == (1, 1)


def test_many_differences_are_counted(hall: Installation, tmp_path: Path) -> None:
    for service in SERVICES:
        hall.force(service, "UPDATE event SET hash = 'x', event_id = 'x' || event_id")

    found = audit("verify", "--config", config_of(hall, tmp_path))

    *lines, more, verdict = found.stdout.splitlines()
    count = int(verdict.partition(" differences: ")[0])
    assert (len(lines), more, found.exit_code) == (20, f"… and {count - 20} more", 1)


def test_json_says_the_same(hall: Installation, tmp_path: Path) -> None:
    config = config_of(hall, tmp_path)
    hall.force("work_orders", "UPDATE ledger SET published = 9")

    verified = json.loads(audit("verify", "--config", config, "--json").stdout)
    replayed = json.loads(audit("replay", "--config", config, "--json").stdout)

    place = {"service": "work_orders", "facility": "hall", "position": 6}
    assert verified["first"] == [{**place, "what": "is the last event, but published are 9"}]
    assert (verified["held"], verified["events"], replayed["held"]) == (False, 20, True)


def test_a_service_alone_is_checked_and_the_others_are_named(hall: Installation, tmp_path: Path) -> None:
    hall.urls = {"scoring": hall.urls["scoring"]}

    verified = audit("verify", "--config", config_of(hall, tmp_path))

    assert verified.stdout.splitlines()[1] == (
        "not compared with asset_registry, scheduling, work_orders, integration, access: no database given"
    )
    assert verified.exit_code == 0


def test_a_folder_is_read_while_it_is_written(folder: Path) -> None:
    running = Installation({service: f"sqlite:///{folder / service}.db" for service in SERVICES})
    with running.databases["work_orders"].write():
        verified, replayed = audit("verify", "--data", folder), audit("replay", "--data", folder)
    running.close()

    assert (verified.exit_code, replayed.exit_code) == (0, 0)
    assert replayed.stdout.splitlines()[0].startswith(
        "held: hall 2021 a-2021, open, simulated, as of 2021-12-31: total "
    )
    assert replayed.stdout.splitlines()[1] == "nothing is published"


def test_a_copy_is_read_however_it_was_made(folder: Path) -> None:
    copy = folder / "a copy, 100 % #1"
    copy.mkdir()
    copied = Installation({service: f"sqlite:///{folder / service}.db" for service in SERVICES})
    for service, database in copied.databases.items():
        with database.read() as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(copy / f"{service}.db"),))
    copied.close()

    verified = audit("verify", "--data", copy)

    assert verified.stdout.startswith(f"held: {len(SERVICES)} services, 1 facility, 17 events, ")
    assert sorted(file.name for file in copy.iterdir()) == sorted(f"{service}.db" for service in SERVICES)


def test_a_byte_changed_in_the_file_is_found(folder: Path) -> None:
    file = folder / "work_orders.db"
    content = file.read_bytes()
    at = content.index(b'"performed_by":"user:li"') + len(b'"performed_by":"user:l')

    file.write_bytes(content[:at] + b"o" + content[at + 1 :])

    verified = audit("verify", "--data", folder)
    assert verified.stdout.startswith("work_orders, facility hall, position 4: hash is ")
    assert verified.exit_code == 1


def test_pages_that_sqlite_finds_malformed_are_a_difference(folder: Path) -> None:
    file = folder / "work_orders.db"
    content = bytearray(file.read_bytes())
    page = content.index(b'"performed_by":"user:li"') // 4096 * 4096
    content[page : page + 40] = b"\xff" * 40
    file.write_bytes(content)

    verified, replayed = audit("verify", "--data", folder), audit("replay", "--data", folder, "--from-sources")

    assert (
        "work_orders, facility hall, position 1: cannot be read, nor what follows: database disk image"
        in verified.stdout
    )
    assert "work_orders, facility hall, position 1: cannot be read: database disk image" in replayed.stdout
    assert (verified.exit_code, replayed.exit_code) == (1, 1)


NONSENSE = (
    "stream = CAST(x'ff' AS TEXT)",
    "facility = CAST(x'ff' AS TEXT)",
    "facility = x'ff'",
    "event_id = CAST(x'6100ff' AS TEXT)",
    "type = x'ff'",
    "hash = x'ff'",
    "hash = CAST(x'ff' AS TEXT)",
    "body = CAST(body AS TEXT)",
    "body = 7",
    "version = 'two'",
    "version = 2.5",
    "position = 'two'",
    "position = 2.5",
    "position = -2",
)


def test_what_no_column_should_hold_is_found(folder: Path, subtests: pytest.Subtests) -> None:
    for number, change in enumerate(NONSENSE):
        copy = shutil.copytree(folder, folder.parent / f"{folder.name}-{number}")
        with closing(sqlite3.connect(copy / "scoring.db")) as forger, forger:
            forger.execute("DROP TRIGGER event_no_update")
            forger.execute(f"UPDATE event SET {change} WHERE position = 3")

        verified, replayed = audit("verify", "--data", copy, "--json"), audit("replay", "--data", copy, "--json")

        with subtests.test(change):
            found = [(one["service"], one["facility"], one["position"]) for one in json.loads(verified.stdout)["first"]]
            assert ("scoring", "hall", 3) in found
            assert (verified.exit_code, json.loads(replayed.stdout)["held"]) == (1, replayed.exit_code == 0)
            assert "position 3: " in audit("verify", "--data", copy).stdout


def test_where_there_is_nothing_to_check_one_line_says_so_and_nothing_is_made(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    for command in ("verify", "replay"):
        missing, none = audit(command, "--data", tmp_path / "none"), audit(command, "--data", empty)

        assert (missing.exit_code, missing.stderr) == (2, f"xunjian: {tmp_path / 'none'}: no such folder\n")
        assert (none.exit_code, none.stderr.count("\n")) == (2, 1)
        assert none.stderr.startswith(f"xunjian: {empty}: not a data folder, expected asset_registry.db, ")
    assert list(tmp_path.rglob("*")) == [empty]


def test_a_folder_that_is_not_whole_is_not_checked_in_part(folder: Path) -> None:
    (folder / "scheduling.db").rename(folder / "elsewhere")
    found = audit("verify", "--data", folder)
    assert (found.exit_code, found.stderr) == (2, f"xunjian: {folder}: scheduling.db is missing\n")

    (folder / "scheduling.db").write_text("not a database")
    found = audit("verify", "--data", folder)
    assert (found.exit_code, found.stderr) == (2, f"xunjian: {folder / 'scheduling.db'}: not a SQLite database\n")

    shutil.copy(folder / "work_orders.db", folder / "scoring.db")
    (folder / "elsewhere").rename(folder / "scheduling.db")
    found = audit("verify", "--data", folder)
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert found.stderr.endswith("no table journal, rulebook; not a database of scoring\n")


@pytest.mark.parametrize(
    ("config", "what"),
    [
        ("DATABASES: {", "config.yaml: while parsing"),
        ("AMQP_URI: x", "config.yaml: DATABASES: expected a mapping of asset_registry, "),
        ("DATABASES: {kitchen: x}", "config.yaml: DATABASES: expected a mapping of asset_registry, "),
        ("DATABASES: {scoring: nonsense}", "scoring: expected the URL of a database"),
        ("DATABASES: {scoring: 'sqlite:///${NOWHERE:/nowhere}/x.db'}", "/nowhere/x.db: No such file or directory"),
        ("DATABASES: {scoring: 'postgresql+psycopg://x@127.0.0.1:1/x'}", "the database of scoring cannot be read: "),
    ],
)
def test_a_configuration_that_leads_nowhere_is_one_line(tmp_path: Path, config: str, what: str) -> None:
    (tmp_path / "config.yaml").write_text(config)

    found = audit("verify", "--config", tmp_path / "config.yaml")

    assert (found.exit_code, found.stderr.count("\n"), what in found.stderr) == (2, 1, True)


def test_an_unknown_facility_and_contradicting_options_are_wrong_use(folder: Path) -> None:
    unknown = audit("replay", "--data", folder, "--facility", "hell")
    both = audit("verify", "--data", folder, "--config", folder / "x")

    assert (unknown.exit_code, unknown.stderr) == (2, "xunjian: no facility hell; known are hall\n")
    assert both.exit_code == 2


def test_events_are_printed_as_far_as_they_go_and_that_is_recorded(hall: Installation, tmp_path: Path) -> None:
    config = config_of(hall, tmp_path)

    first, second = audit("events", "--config", config, "--by", "user:auditor"), audit("events", "--config", config)

    printed, again = first.stdout.splitlines(), second.stdout.splitlines()
    assert (first.exit_code, len(printed), len(again)) == (0, 20, 21)
    (looked,) = set(again) - set(printed)
    told = json.loads(looked)
    assert (told["type"], told["actor"]) == ("scoring.evidence_exported.v1", "user:auditor")
    assert told["data"]["what"] == "events up to asset_registry 6, scheduling 2, work_orders 6, scoring 6"


def test_events_of_an_unknown_facility_are_refused(hall: Installation, tmp_path: Path) -> None:
    found = audit("events", "--config", config_of(hall, tmp_path), "--facility", "x")

    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr == "xunjian: --facility: expected one of hall, not x\n"
