"""The histories under examples/ score as worked out by hand; each says why."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.scoring.offline import score_file

EXAMPLES = Path(__file__).parent / "examples"


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.jsonl")))
def test_the_example_scores_as_worked_out_by_hand(name: str) -> None:
    question = json.loads((EXAMPLES / f"{name}.args.json").read_text())
    expected = json.loads((EXAMPLES / f"{name}.expected.json").read_text())["expect"]

    found = score_file(EXAMPLES / f"{name}.jsonl", **question).as_json()

    assert picked(found, expected) == expected


def picked(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """The members of a result that the example speaks of."""
    rows = {row["id"]: row for row in found["indicators"]}
    members = {name: found[name] for name in expected if name != "indicators"}
    indicators = {
        indicator: {member: rows[indicator][member] for member in members}
        for indicator, members in expected["indicators"].items()
    }
    return {**members, "indicators": indicators}
