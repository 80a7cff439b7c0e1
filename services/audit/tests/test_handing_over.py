"""`xunjian audit` hands evidence over: export, prove, seal, key; and takes it back: check, verify against a seal."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from click.testing import CliRunner, Result
from PIL import Image

from services.audit.cli import audit_group
from services.audit.tests.installation import Installation, published
from services.audit.tests.originals import LIVED_IN, PUBLISHED, Originals
from services.scoring.tests.sealing import KEY
from services.work_orders.tables import attachments
from shared.attachments import Attachments
from shared.config import SERVICES
from shared.contracts.scoring import EvidenceExported
from shared.contracts.work_orders import PointResult, PointsInspected
from shared.event import read
from shared.signing import key_id, new_key, public_pem, read_private, read_public

AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if os.geteuid() == 0 else []
"""Root may write everywhere, unless it lets go of that."""


@pytest.fixture
def hall(originals: Originals, tmp_path: Path) -> Iterator[Installation]:
    """Two months of a hall on SQLite, published."""
    with originals.copy(PUBLISHED, "sqlite", tmp_path) as installed:
        yield installed


@pytest.fixture
def config(hall: Installation, tmp_path: Path) -> Path:
    """A nameko configuration that names its databases."""
    return config_of(hall, tmp_path)


def config_of(hall: Installation, folder: Path) -> Path:
    """The same of any hall."""
    file = folder / "config.yaml"
    file.write_text(json.dumps({"DATABASES": hall.urls}))
    return file


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The public key."""
    file = tmp_path / "key.pem"
    file.write_text(public_pem(KEY.public))
    return file


def audit(*arguments: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(audit_group, [str(argument) for argument in arguments])


def exported(hall: Installation) -> list[EvidenceExported]:
    """What was recorded of files that left."""
    rows = hall.rows(
        "scoring", f"SELECT body, hash FROM event WHERE type = '{EvidenceExported.type}' ORDER BY position"
    )
    events = (read(bytes(row.body), row.hash).event for row in rows)
    return [event for event in events if isinstance(event, EvidenceExported)]


def test_a_bundle_is_exported_recorded_and_checked(hall: Installation, config: Path, key: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"

    made = audit(
        "export", "--config", config, "--facility", "hall", "--year", "2021", "--by", "user:auditor", "-o", file
    )
    checked = audit("check", file, "--key", key)

    assert made.stdout.endswith("hall a-2021 as of 2021-12-31, total 65.00, simulated\n")
    assert checked.stdout.splitlines() == [
        "held: hall a-2021 as of 2021-12-31, total 65.00, simulated, 19 events, 0 photos",
        f"sealed by Ed25519 key {key_id(KEY.public)}",
    ]
    assert (made.exit_code, checked.exit_code) == (0, 0)
    (taken,) = exported(hall)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert (taken.what, taken.sha256, taken.exported_by) == ("bundle 2021", sha256, "user:auditor")
    again = audit("verify", "--config", config, "--key", key)
    assert again.stdout.startswith(f"held: {len(SERVICES)} services, 1 facility, 21 events, 1 seal, ")


def test_the_photos_behind_deductions_travel_along_and_no_others(
    originals: Originals, key: Path, tmp_path: Path
) -> None:
    with originals.copy(LIVED_IN, "sqlite", tmp_path) as hall:
        kept = Attachments(hall.databases["work_orders"], attachments)
        behind, other = (kept.keep("hall", name, "image/png")["sha256"] for name in (b"behind", b"other"))
        results = (PointResult(point_id="P-1", outcome="normal", photos=(behind, 64 * "0")),)
        told = PointsInspected(work_order_id="wo-1", occurrence_id="v-11", system_id="hvac", results=results)
        hall.tell("work-order/wo-1", told, on="2022-01-05", version=6)
        hall.follow()
        published(hall)

        made = audit("export", "--config", config_of(hall, tmp_path), "--year", "2021", "-o", tmp_path / "b.zip")
        checked = audit("check", tmp_path / "b.zip", "--key", key)

    assert (made.exit_code, made.stderr) == (0, "")
    assert checked.stdout.splitlines()[0].endswith(", 1 photo")
    with zipfile.ZipFile(tmp_path / "b.zip") as bundle:
        assert bundle.read(f"photos/{behind}") == b"behind"
        assert f'href="photos/{behind}"' in bundle.read("index.html").decode()
        assert f"photos/{other}" not in bundle.namelist()


def test_from_postgresql_it_is_exported_and_recorded_alike(originals: Originals, key: Path, tmp_path: Path) -> None:
    with originals.copy(PUBLISHED, "postgresql", tmp_path) as hall:
        config, file = config_of(hall, tmp_path), tmp_path / "b.zip"

        made = audit("export", "--config", config, "--year", "2021", "--by", "user:auditor", "-o", file)

        assert (made.exit_code, made.stderr) == (0, "")
        assert [taken.exported_by for taken in exported(hall)] == ["user:auditor"]
        assert audit("check", file, "--key", key).exit_code == 0
        assert audit("verify", "--config", config, "--key", key).exit_code == 0


def test_a_changed_bundle_is_told_with_what_differs(config: Path, key: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    audit("export", "--config", config, "--year", "2021", "-o", file)
    file.write_bytes(file.read_bytes().replace(b'"total":"65.00"', b'"total":"95.00"'))

    checked = audit("check", file, "--key", key)

    assert (checked.exit_code, checked.stderr) == (1, "")
    assert checked.stdout == "differs: events/scoring.jsonl: is not the file that was put in: its checksum is another\n"


def test_a_proof_is_written_recorded_and_checked(hall: Installation, config: Path, key: Path, tmp_path: Path) -> None:
    file = tmp_path / "p.json"

    made = audit("prove", "--config", config, "--year", "2021", "--indicator", "hvac", "--number", "1", "-o", file)
    checked = audit("check", file, "--key", key)
    file.write_bytes(file.read_bytes().replace(b"user:li", b"user:wu"))
    forged = audit("check", file, "--key", key)

    assert (made.exit_code, checked.exit_code, forged.exit_code) == (0, 0, 1)
    assert checked.stdout.splitlines()[1:3] == [
        "  空调系统：每漏检1次或1个点位该项扣5分。",
        "  −5.00 missed_point 2021-11 hvac v-11 P-2",
    ]
    assert forged.stdout.startswith("differs: events[")
    assert [taken.what for taken in exported(hall)] == ["proof 2021 hvac 1"]


def test_a_seal_is_kept_as_file_and_code(config: Path, key: Path, tmp_path: Path) -> None:
    file, code = tmp_path / "seal.json", tmp_path / "seal.png"

    written = audit("seal", "--config", config, "--year", "2021", "-o", file, "--code", code)
    printed = audit("seal", "--config", config, "--year", "2021")
    held = audit("verify", "--config", config, "--seal", file, "--key", key)

    assert (written.exit_code, printed.exit_code, held.exit_code) == (0, 0, 0)
    assert printed.stdout.strip() == file.read_text()
    (read_code,) = zxingcpp.read_barcodes(Image.open(code))
    assert read_code.text == file.read_text()
    assert ", 2 seals, " in held.stdout


def test_verify_without_a_key_says_that_no_signature_was_checked(config: Path) -> None:
    found = audit("verify", "--config", config)

    assert "1 seal (signatures not checked: no key given)" in found.stdout


def test_what_a_seal_misses_is_told(hall: Installation, config: Path, key: Path, tmp_path: Path) -> None:
    file = tmp_path / "seal.json"
    audit("seal", "--config", config, "--year", "2021", "-o", file)
    hall.disarm()
    hall.force("scoring", "DELETE FROM event WHERE position = 6", "DELETE FROM result")

    found = audit("verify", "--config", config, "--seal", file, "--key", key)

    assert found.exit_code == 1
    told = "scoring, facility hall, position 6: what was sealed is not published here"
    assert f"{told} (seal: {file})" in found.stdout


def test_a_journal_that_was_changed_is_not_handed_over(hall: Installation, config: Path, tmp_path: Path) -> None:
    hall.disarm()
    hall.force("scoring", "DELETE FROM journal WHERE source = 'work_orders' AND position = 6")

    found = audit("export", "--config", config, "--year", "2021", "-o", tmp_path / "b.zip")

    assert found.exit_code == 1
    assert found.stdout.startswith("differs: events/work_orders.jsonl: ends at position 5 ")
    assert not (tmp_path / "b.zip").exists()
    assert exported(hall) == []


def test_of_a_copy_that_cannot_be_written_to_it_is_said_that_nothing_is_recorded(
    originals: Originals, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    with originals.copy(PUBLISHED, "sqlite", folder):
        pass
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)
    export = ["services.cli", "audit", "export", "--data", str(folder), "--year", "2021", "-o", str(tmp_path / "b.zip")]

    finished = subprocess.run(
        [*AS_ANYBODY, sys.executable, "-W", "ignore", "-m", *export], capture_output=True, text=True, check=False
    )

    folder.chmod(0o755)
    assert finished.returncode == 0, finished.stderr
    assert "this export is not recorded, since the database may only be read" in finished.stderr
    assert (tmp_path / "b.zip").exists()


def test_bad_input_is_one_line_and_status_2(
    hall: Installation, config: Path, key: Path, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    bundle, other, text = tmp_path / "b.zip", tmp_path / "other.pem", tmp_path / "text"
    audit("export", "--config", config, "--year", "2021", "-o", bundle)
    other.write_text(public_pem(new_key().public))
    text.write_text("no key")
    year = ["--config", str(config), "--year", "2021"]
    calls: dict[str, tuple[list[str | Path], str]] = {
        "an unknown key": (["check", bundle, "--key", other], "sealed by key"),
        "no key": (["check", bundle, "--key", text], "expected a PEM file with a PUBLIC KEY"),
        "no file": (["check", tmp_path / "none.zip", "--key", key], "No such file"),
        "no bundle": (["check", text, "--key", key], "expected a proof, a JSON object"),
        "no seal": (["verify", "--config", config, "--seal", text], "expected a seal"),
        "a seal by another": (["verify", "--config", config, "--key", other], "sealed by key"),
        "another facility": (["export", *year, "--facility", "x", "-o", tmp_path / "x.zip"], "one of hall, not x"),
        "another year": (["export", "--config", config, "--year", "2020", "-o", tmp_path / "x.zip"], "of 2020 in hall"),
        "no folder": (["export", *year, "-o", tmp_path / "none" / "x.zip"], "expected a folder that is there"),
        "a folder as file": (["export", *year, "-o", tmp_path], "is a directory"),
        "no actor": (["export", *year, "--by", "me", "-o", tmp_path / "x.zip"], "expected user:<id>"),
        "no deduction": (
            ["prove", *year, "--indicator", "hvac", "--number", "99", "-o", tmp_path / "x"],
            "no deduction 99",
        ),
        "no picture": (["seal", *year, "--code", tmp_path / "code.gif"], "expected a file that ends in .png or .svg"),
    }
    for name, (arguments, why) in calls.items():
        with subtests.test(name):
            found = audit(*arguments)

            assert found.exit_code == 2
            assert why in found.stderr
            assert found.stdout == ""
    assert not (tmp_path / "x.zip").exists()
    assert [taken.what for taken in exported(hall)] == ["bundle 2021"]  # the one that was made for this test


@pytest.mark.parametrize(("option", "algorithm"), [((), "Ed25519"), (("--sm2",), "SM2")])
def test_a_key_is_made_once_and_its_private_half_is_its_owners(
    option: tuple[str, ...], algorithm: str, tmp_path: Path
) -> None:
    file = tmp_path / "seal.pem"

    made = audit("key", file, *option)
    again = audit("key", file)

    public = read_public((tmp_path / "seal.pub.pem").read_text())
    assert made.stdout == f"{tmp_path / 'seal.pub.pem'}: {algorithm} key {key_id(public)}\n"
    assert key_id(read_private(file.read_text()).public) == key_id(public)
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in tmp_path.iterdir()) == ["seal.pem", "seal.pub.pem"]
    assert again.exit_code != 0


def test_a_folder_is_found_as_well_as_a_configuration(originals: Originals, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with originals.copy(PUBLISHED, "sqlite", folder):
        pass
    moved = tmp_path / "a folder, with % and #"
    shutil.move(folder, moved)

    found = audit("export", "--data", moved, "--year", "2021", "-o", tmp_path / "b.zip")

    assert (found.exit_code, found.stderr) == (0, "")
