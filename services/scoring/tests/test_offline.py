"""`xunjian score`: a file in, a result out; what is wrong with the file is said in one line, with its place."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.scoring.cli import score_command
from services.scoring.tests.histories import RULEBOOKS

EXAMPLE = Path(__file__).parent / "examples/points.jsonl"
LINES = EXAMPLE.read_text().splitlines()
EVENT = json.loads(LINES[0])
PERFORMED = json.loads(next(line for line in LINES if "work_performed" in line))


def run(path: Path, *options: str) -> Result:
    """The command's outcome."""
    return CliRunner().invoke(score_command, [str(path), "--as-of", "2021-03-31", *options])


def complaint(tmp_path: Path, text: str | bytes, *options: str) -> str:
    """The one line on stderr about a file of events."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    outcome = run(path, *options)
    assert (outcome.exit_code, outcome.stdout, outcome.stderr.count("\n")) == (2, "", 1)
    return outcome.stderr.removeprefix(f"{tmp_path}/").rstrip("\n")


def line(envelope: dict[str, Any], **changed: Any) -> str:
    """An envelope as a line, with members changed."""
    return json.dumps({**envelope, **changed}, ensure_ascii=False) + "\n"


def test_json_is_the_canonical_result_and_repeats_byte_for_byte() -> None:
    outcome, again = run(EXAMPLE, "--json"), run(EXAMPLE, "--json")

    found = json.loads(outcome.stdout)
    assert outcome.stdout_bytes == again.stdout_bytes
    assert found["rulebook_sha256"] == hashlib.sha256((RULEBOOKS / "chenggong-2021.yaml").read_bytes()).hexdigest()
    assert list(found) == sorted(found)


def test_the_table_has_ten_rows_and_a_total() -> None:
    outcome = run(EXAMPLE)

    assert outcome.exit_code == 0
    for words in ("政务大厅档案区气体", "空调系统", "未达标", "无法评定", "暂计", "25.00"):
        assert words in outcome.stdout


def test_the_table_ends_with_total_and_grade_once_all_is_assessable() -> None:
    outcome = run(EXAMPLE.with_name("national-form.jsonl"), "--rulebook", "mof-2020", "--as-of", "2021-12-31")

    total = next(line for line in outcome.stdout.splitlines() if "总分" in line)
    assert "中" in total
    assert "74.05" in total


def test_a_rulebook_is_named_or_a_path() -> None:
    by_name = run(EXAMPLE, "--json", "--rulebook", "mof-2020")
    by_path = run(EXAMPLE, "--json", "--rulebook", str(RULEBOOKS / "mof-2020.yaml"))

    assert by_name.stdout == by_path.stdout
    assert json.loads(by_name.stdout)["rulebook"] == "mof-2020"


def test_known_at_is_echoed_as_given() -> None:
    outcome = run(EXAMPLE, "--json", "--known-at", "2021-03-31T09:00:00.0+08:00")

    assert json.loads(outcome.stdout)["known_at"] == "2021-03-31T09:00:00.0+08:00"


def test_only_what_the_score_needs_of_an_envelope_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(line(json.loads(one), position=None, extension={"a": [1]}) for one in LINES) + "\n \n")

    assert run(path, "--json").stdout == run(EXAMPLE, "--json").stdout


def test_the_same_envelope_twice_is_no_fault_however_it_is_spelt(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    spelt_again = (json.dumps(dict(reversed(json.loads(one).items())), indent=None) for one in LINES)
    path.write_text("\r\n".join([*LINES, *spelt_again]))

    assert run(path, "--json").stdout == run(EXAMPLE, "--json").stdout


def test_malformed_json_is_named_by_line_and_column(tmp_path: Path) -> None:
    assert complaint(tmp_path, LINES[0] + '\n{"id": }\n').startswith("events.jsonl:2: column 8: expected JSON: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "events.jsonl: expected at least one event"),
        ("\n\n", "events.jsonl: expected at least one event"),
        ("\n" + LINES[0], "events.jsonl:1: expected an event, not a blank line"),
        (LINES[0] + "\n\n" + LINES[1], "events.jsonl:2: expected an event, not a blank line"),
        ("[]", "events.jsonl:1: expected an event, a JSON object"),
        ('{"id": NaN}', "events.jsonl:1: column 8: expected JSON"),
        ('{"id": Infinity}', "events.jsonl:1: column 8: expected JSON"),
        (b'{"id": "\xff"}', "events.jsonl:1: column 1: expected JSON"),
        ('{"id": "\\ud800"}', "events.jsonl:1: column 9: expected JSON"),
        (LINES[0][:-1], "events.jsonl:1: column"),
        ("[" * 3000, "events.jsonl:1: column"),
        ("[" * 1000 + "]" * 1000, "events.jsonl:1: expected"),
        ('{"id": "a", "id": "a"}', "events.jsonl:1: id: expected each member only once"),
        (LINES[0].replace('"uscc"', '"name": "b", "uscc"'), "events.jsonl:1: name: expected each member only once"),
    ],
)
def test_what_is_no_json_line_is_named_by_its_place(tmp_path: Path, text: str | bytes, expected: str) -> None:
    assert complaint(tmp_path, text).startswith(expected)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"type": "work_orders.work_performed.v9"}, "type: 'work_orders.work_performed.v9' is no known event type"),
        (
            {"type": "work_orders.party_given.v1"},
            "type: 'work_orders.party_given.v1' is no known event type and version",
        ),
        ({"type": 1}, "type: expected a string"),
        ({"source": "/scheduling"}, "source: expected /asset_registry"),
        ({"recordedat": "2021-03-01T10:00:00"}, "recordedat: expected a timestamp with offset (RFC 3339)"),
        ({"recordedat": "2021-02-30T10:00:00Z"}, "recordedat: expected a timestamp with offset (RFC 3339)"),
        ({"time": "2021-03-01"}, "time: expected a timestamp with offset (RFC 3339)"),
        ({"id": ""}, "id: expected an id"),
        ({"facility": 7}, "facility: expected a string"),
        ({"data": []}, "data: expected an object"),
    ],
)
def test_a_faulty_envelope_is_named_by_line_and_member(tmp_path: Path, changed: dict[str, Any], expected: str) -> None:
    assert complaint(tmp_path, LINES[1] + "\n" + line(EVENT, **changed)).startswith(f"events.jsonl:2: {expected}")


@pytest.mark.parametrize("member", ["id", "source", "type", "time", "recordedat", "facility", "data"])
def test_what_the_score_needs_of_an_envelope_must_be_there(tmp_path: Path, member: str) -> None:
    without = {name: value for name, value in EVENT.items() if name != member}

    assert f"events.jsonl:1: {member}: " in complaint(tmp_path, line(without))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"performed_at": "yesterday"}, "data.performed_at: expected a timestamp with offset (RFC 3339)"),
        ({"performed_at": None}, "data.performed_at: "),
        ({"kind": "party"}, "data.kind: expected one of inspection"),
        ({"occurrence_id": None}, "data.occurrence_id: expected the occurrence of the inspection"),
        ({"work_order_id": "with space"}, "data.work_order_id: expected an id"),
    ],
)
def test_faulty_data_is_named_by_line_and_path(tmp_path: Path, changed: dict[str, Any], expected: str) -> None:
    data = {**PERFORMED["data"], **changed}

    assert complaint(tmp_path, line(PERFORMED, data=data)).startswith(f"events.jsonl:1: {expected}")


@pytest.mark.parametrize("year", [10**30, 2021.5, True, "2021"])
def test_a_number_that_is_no_integer_is_named(tmp_path: Path, year: Any) -> None:
    budget = {"year": year, "initial": "1.00", "annual": "1.00", "executed": "1.00", "as_of": "2021-01-01"}
    envelope = {**EVENT, "source": "/scoring", "type": "scoring.budget_recorded.v1", "data": budget}

    assert complaint(tmp_path, line(envelope)) == "events.jsonl:1: data.year: expected an integer"


def test_two_facilities_are_refused(tmp_path: Path) -> None:
    text = LINES[0] + "\n" + line(json.loads(LINES[1]), facility="other")

    assert complaint(tmp_path, text) == "events.jsonl:2: facility: expected hall, one facility only, not other"


@pytest.mark.parametrize(
    "changed", [{"recordedat": "2020-12-01T01:00:01Z"}, {"position": 2}, {"data": {**EVENT["data"], "future": 1}}]
)
def test_differing_envelopes_of_one_id_are_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    text = LINES[0] + "\n" + line(EVENT, **changed)

    assert (
        complaint(tmp_path, text)
        == f"events.jsonl:2: id: {EVENT['id']} differs from line 1, expected the same envelope"
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--as-of", "2021-02-29"], "as_of: expected a date YYYY-MM-DD"),
        (["--as-of", "31.12.2021"], "as_of: expected a date YYYY-MM-DD"),
        (["--known-at", "2021-12-31"], "known_at: expected a timestamp with offset (RFC 3339)"),
        (
            ["--rulebook", "chenggong-2022"],
            "chenggong-2022: expected a rulebook's file or one of chenggong-2021, mof-2020",
        ),
        (["--rulebook", "no/such.yaml"], "no/such.yaml: expected a file that can be read: No such file or directory"),
        (["--rulebook", str(EXAMPLE)], f"{EXAMPLE}: line 2, column 1: expected"),
    ],
)
def test_a_wrong_question_is_answered_in_one_line(tmp_path: Path, options: list[str], expected: str) -> None:
    assert complaint(tmp_path, LINES[0], *options).startswith(expected)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.jsonl", "No such file or directory"), (tmp_path, "Is a directory")):
        outcome = run(path)
        assert (outcome.exit_code, outcome.stderr) == (2, f"{path}: expected a file that can be read: {why}\n")


def test_the_command_needs_no_engine_broker_or_database() -> None:
    program = (
        "import sys; from services.scoring.cli import score_command; "
        f"score_command([{str(EXAMPLE)!r}, '--as-of', '2021-03-31'], standalone_mode=False); "
        "print(*sorted({'nameko', 'eventlet', 'kombu', 'sqlalchemy', 'psycopg'} & set(sys.modules)), file=sys.stderr)"
    )

    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert outcome.stderr.strip() == ""
