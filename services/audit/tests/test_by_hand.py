"""What the documents say of a bundle can be done by hand: the program and the commands in docs/bundle.md are run here."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.audit.tests.installation import HALL
from services.audit.tests.originals import PUBLISHED, Originals
from services.scoring.publishing.bundle import write_bundle
from services.scoring.publishing.evidence import gather
from services.scoring.publishing.evidence import published as publication
from services.scoring.tests.sealing import KEY
from shared.signing import public_pem

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "bundle.md").read_text()


@dataclass(frozen=True)
class Handed:
    """A folder with b.zip, seal.json and seal.pub.pem, and the result that was published."""

    folder: Path
    result: Any


@pytest.fixture(scope="module")
def handed(originals: Originals, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handed]:
    """What an auditor was given of a small hall's year."""
    folder = tmp_path_factory.mktemp("by-hand")
    with originals.copy(PUBLISHED, "sqlite", folder) as hall:
        bundle = gather(hall.databases["scoring"], publication(hall.databases["scoring"], HALL, 2021))
        (folder / "b.zip").write_bytes(write_bundle(bundle))
        (folder / "seal.json").write_bytes(bundle.seal)
        (folder / "seal.pub.pem").write_text(public_pem(KEY.public))
        yield Handed(folder, orjson.loads(bundle.result))


def test_one_indicator_is_redone_by_the_program_in_the_guide(handed: Handed) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert "import services" not in program
    assert "import shared" not in program

    command = [sys.executable, "-I", "-c", program, "b.zip"]
    finished = subprocess.run(command, cwd=handed.folder, capture_output=True, text=True, check=True)

    (hvac,) = (row for row in handed.result["indicators"] if row["id"] == "hvac")
    expected = [
        " ".join(one[name] or "-" for name in ("reason", "period", "occurrence_id", "point_id"))
        for one in hvac["deductions"]
    ]
    assert sorted(finished.stdout.splitlines()) == sorted(expected)
    assert {line.split()[0] for line in expected} == {"missed_point", "missed_inspection"}


def test_a_seal_is_verified_by_the_commands_in_the_guide(handed: Handed) -> None:
    commands = re.findall(r"^    ((?:python3|openssl) .*)$", GUIDE, re.MULTILINE)
    assert len(commands) == 3

    script = "\n".join(command.replace("python3", shlex.quote(sys.executable), 1) for command in commands)
    finished = subprocess.run(["bash", "-ec", script], cwd=handed.folder, capture_output=True, text=True, check=False)

    assert (finished.stdout, finished.returncode) == ("Signature Verified Successfully\n", 0), finished.stderr
