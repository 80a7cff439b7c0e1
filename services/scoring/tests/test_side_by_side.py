"""Several rulebooks scored side by side: the same facts, indicators matched by id."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.scoring.cli import score_command
from services.scoring.tests.small_rulebook import tree, with_row, written

EXAMPLES = Path(__file__).parent / "examples"
POINTS = EXAMPLES / "points.jsonl"
NATIONAL = EXAMPLES / "national-form.jsonl"


def score(
    events: Path, *rulebooks: str, as_of: str = "2021-12-31", options: tuple[str, ...] = (), lang: str = ""
) -> Result:
    """The command's outcome by some rulebooks, on a terminal of two hundred columns."""
    named = [word for rulebook in rulebooks for word in ("--rulebook", rulebook)]
    environment = {"XUNJIAN_LANG": lang, "COLUMNS": "200"}
    return CliRunner().invoke(score_command, [str(events), "--as-of", as_of, *named, *options], env=environment)


def cells(outcome: Result, of: str) -> list[list[str]]:
    """The cells of the row that begins with some words, line by line."""
    assert outcome.exit_code == 0, outcome.exception
    rows = outcome.stdout.split("├")
    (row,) = (row for row in rows if of in row)
    lines = [line.strip("│").split("│") for line in row.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line] for line in lines]


def test_json_is_a_line_a_rulebook_in_the_order_asked_and_each_as_it_is_alone() -> None:
    together = score(NATIONAL, "mof-2020", "chenggong-2021", options=("--json",))

    alone = [score(NATIONAL, name, options=("--json",)) for name in ("mof-2020", "chenggong-2021")]
    assert together.stdout_bytes == b"".join(one.stdout_bytes for one in alone)
    assert [json.loads(line)["rulebook"] for line in together.stdout.splitlines()] == ["mof-2020", "chenggong-2021"]


def test_without_a_rulebook_the_office_s_own_is_taken() -> None:
    assert score(NATIONAL, options=("--json",)).stdout == score(NATIONAL, "chenggong-2021", options=("--json",)).stdout


def test_both_scores_stand_in_one_row_with_what_the_second_gives_more() -> None:
    outcome = score(NATIONAL, "chenggong-2021", "mof-2020")
    by_id = [
        {row["id"]: row for row in json.loads(line)["indicators"]}
        for line in score(NATIONAL, "chenggong-2021", "mof-2020", options=("--json",)).stdout.splitlines()
    ]

    ours, national = (rows["satisfaction"] for rows in by_id)
    assert (ours["score"], national["score"]) == ("0.00", "9.41")
    assert cells(outcome, "来访办事群众满意度") == [
        ["政务服务大厅来访办事群众满意度", "0.00 / 20.00", "9.41 / 10.00", "+9.41"],
        [">= 85 %", f"{ours['actual']} 未达标", f"{national['actual']} 未达标", ""],
    ]


def test_a_row_that_only_one_has_is_shown_as_such_in_either_order() -> None:
    for rulebooks, beside in (
        (("chenggong-2021", "mof-2020"), ["–", "9.50 / 10.00"]),
        (("mof-2020", "chenggong-2021"), ["9.50 / 10.00", "–"]),
    ):
        first, *_ = cells(score(NATIONAL, *rulebooks), "预算执行率")

        assert first == ["预算执行率", *beside, "仅一方"]


def test_totals_and_grades_end_the_table() -> None:
    outcome = score(NATIONAL, "chenggong-2021", "mof-2020")

    total, grade = cells(outcome, "总分")
    assert total == ["总分", "45.00 / 100.00", "74.05 / 100.00", "+29.05"]
    assert grade == ["", "差", "中", ""]


def test_a_total_that_is_provisional_says_so_and_is_not_compared() -> None:
    (total,) = cells(score(POINTS, "chenggong-2021", "mof-2020", as_of="2021-03-31", lang="en"), "total")

    assert total[0] == "total"
    assert all("provisional" in cell for cell in total[1:3])
    assert total[3] == ""


def test_where_scores_are_the_same_and_something_else_is_not_it_says_that_they_differ(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_bytes(written({**tree(), "year": 2021}))
    second.write_bytes(written({**with_row("accidents", target=1), "year": 2021}))

    outcome = score(POINTS, str(first), str(second), as_of="2021-03-31", lang="en")

    differing = [line for line in outcome.stdout.splitlines() if "differs" in line]
    assert [line.split("│")[2].strip() for line in differing] == ["10.00 / 10.00"]


def test_more_than_two_stand_beside_each_other_without_a_difference() -> None:
    first, *_ = cells(score(NATIONAL, "chenggong-2021", "mof-2020", "chenggong-2021"), "预算执行率")

    assert first == ["预算执行率", "–", "9.50 / 10.00", "–"]


@pytest.mark.parametrize("beside", [(), ("chenggong-2021",)])
def test_what_a_rulebook_says_is_printed_as_it_stands_and_never_as_markup(
    tmp_path: Path, beside: tuple[str, ...]
) -> None:
    path = tmp_path / "book.yaml"
    path.write_bytes(written({**with_row("missed", level_3="[red]a[/nope] :fire:"), "year": 2021, "title": "[/x]"}))

    outcome = score(POINTS, str(path), *beside, as_of="2021-03-31")

    assert outcome.exit_code == 0, outcome.exception
    assert "[red]a[/nope] :fire:" in outcome.stdout


def test_one_rulebook_that_is_refused_refuses_all(tmp_path: Path) -> None:
    path = tmp_path / "book.yaml"
    path.write_bytes(written(with_row("missed", weight=11)))

    outcome = score(NATIONAL, "chenggong-2021", str(path), options=("--json",))

    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr == f"{path}: indicators: expected weights that sum to 100, not 101.00\n"
