"""Evidence that once left stays checkable: a bundle, a proof and a seal of each format, frozen when it was published.

They were made by an earlier version and never change. If one of these tests fails, what was changed (the page in a bundle, the
canonical form, a rule, the reading of an event) needs a new format beside the old one.
"""

from collections import Counter
from pathlib import Path

import pytest

from services.audit.handing_over import check
from services.scoring.publishing.seal import read_seal

HERE = Path(__file__).parent / "evidence"
KEY = HERE / "seal.pub.pem"


@pytest.mark.parametrize("file", ["bundle-1.zip", "proof-1.json"])
def test_evidence_of_an_earlier_version_still_holds(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = check(HERE / file, (KEY,))

    said = capsys.readouterr()
    assert (status, said.err) == (0, "")
    assert said.out.startswith("held: hall a-2021 as of 2021-12-31, total 65.00, simulated, ")


def test_a_seal_of_an_earlier_version_is_read_and_written_as_it_was() -> None:
    content = (HERE / "seal-1.json").read_bytes()

    assert read_seal(content).as_bytes() == content


def test_every_format_that_was_published_is_kept() -> None:
    kept = Counter(file.name.partition("-")[0] for file in HERE.glob("*-*"))

    assert kept == {"bundle": 1, "proof": 1, "seal": 1}
