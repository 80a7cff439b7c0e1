"""`xunjian rulebook check`: what a rulebook says, in words; what is odd, what differs, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scoring.cli import rulebook_group
from services.scoring.rulebooks.differences import differences
from services.scoring.rulebooks.oddities import oddities
from services.scoring.rulebooks.rulebook import read_rulebook
from services.scoring.rulebooks.words import explain
from services.scoring.tests.histories import CHENGGONG, MOF, RULEBOOKS
from services.scoring.tests.small_rulebook import RULES, read, tree, with_row, written
from shared.event import canonical

TEXT = (RULEBOOKS / "chenggong-2021.yaml").read_text()
SMALL = written(tree())


def check(*arguments: str, **environment: str) -> Result:
    """The command's outcome."""
    return CliRunner().invoke(rulebook_group, ["check", *arguments], env={"XUNJIAN_LANG": "", **environment})


def refusal(tmp_path: Path, text: bytes) -> list[str]:
    """What is said on stderr against a file, a line each, less its place."""
    path = tmp_path / "book.yaml"
    path.write_bytes(text)
    outcome = check(str(path))
    assert (outcome.exit_code, outcome.stdout, type(outcome.exception)) == (2, "", SystemExit), outcome.exception
    lines = outcome.stderr.removesuffix("\n").split("\n")
    assert all(line.startswith(f"{path}: ") and line.isprintable() and len(line) <= 500 for line in lines), lines
    return [line.removeprefix(f"{path}: ") for line in lines]


# --- in words ----------------------------------------------------------------------------------------------------


def test_the_rule_of_the_seed_is_explained_in_a_sentence_with_its_parameters() -> None:
    lines = check("chenggong-2021").stdout.splitlines()

    (place,) = (number for number, line in enumerate(lines) if line.startswith("1. gas-suppression"))
    assert lines[place : place + 12] == [
        "1. gas-suppression  政务大厅档案区气体灭火系统",
        "   原文  产出指标 / 数量指标 / 定量指标",
        "     指标值：>= 12 次",
        "     评（扣）分标准：每漏检1次或1个点位该项扣5分",
        f"     指标内容：{CHENGGONG.indicators[0].content}",
        "     设定依据：根据上年支出情况",
        "   读作",
        "     计分：系统 gas-suppression 每月的每次应检：窗口内未完成（窗口结束后 5 天内补录有效）扣 5 分；完成但缺点位结果，每个点位扣 5 分；在用而整月没有应检，扣 5 分。漏检一次不再另计其点位，经批准的免责不扣。扣完为止，分值 5。",
        "     完成值：系统 gas-suppression 已到期的应检中，窗口内完成并在窗口结束后 5 天内录入的次数。",
        "     达标：指标值只作对照：不扣分即为达标。",
        "     无法评定：2021 年没有一个月的月末有上述系统在用时（例如尚未登记）。",
        "",
    ]


@pytest.mark.parametrize("rulebook", [CHENGGONG, MOF], ids=lambda rulebook: rulebook.id)
@pytest.mark.parametrize("language", ["", "en"])
def test_the_words_of_the_form_stand_as_they_are_in_either_language(rulebook: Any, language: str) -> None:
    said = check(rulebook.id, XUNJIAN_LANG=language).stdout

    for row in rulebook.indicators:
        for words in (
            row.id,
            row.level_1,
            row.level_2,
            row.level_3,
            row.attribute,
            row.standard,
            row.content,
            row.basis,
        ):
            assert words in said
    for words in (rulebook.title, rulebook.source, rulebook.sha256, *rulebook.readings, "优 ≥ 90", "差 ≥ 0"):
        assert words in said


@pytest.mark.parametrize(
    ("id_", "parameter", "value", "shown"),
    [
        ("missed", "systems", ["boilers"], "boilers"),
        ("missed", "backfill_days", 17, "17"),
        ("missed", "per_missed_inspection", "3.75", "3.75"),
        ("missed", "per_missed_point", "0.65", "0.65"),
        ("returned", "kinds", ["corrective"], "corrective"),
        ("returned", "per_return", "3.75", "3.75"),
        ("months", "per_period", "3.75", "3.75"),
        ("costs", "category", "service", "service"),
        ("costs", "limit_percent", "17.5", "117.5 %"),
        ("costs", "points", "3.75", "3.75"),
        ("accidents", "per_incident", "3.75", "3.75"),
        ("satisfied", "minimum_percent", "71.5", "71.5 %"),
        ("satisfied", "points", "3.75", "3.75"),
        ("rated-missed", "systems", ["boilers"], "boilers"),
        ("rated-missed", "backfill_days", 17, "17"),
        ("rated-returned", "kinds", ["corrective"], "corrective"),
        ("rated-costs", "category", "service", "service"),
        ("rated-costs", "limit_percent", "17.5", "117.5 %"),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_parameter_is_said_in_words(id_: str, parameter: str, value: Any, shown: str, language: Any) -> None:
    before = "\n".join(explain(read(tree()), language))

    said = "\n".join(explain(read(with_row(id_, **{f"rule__{parameter}": value})), language))

    assert said.count(shown) > before.count(shown)


@pytest.mark.parametrize(
    ("changed", "chinese", "english"),
    [
        (
            {},
            "完成值不低于 12 记满分 10，否则记 完成值 ÷ 12 × 10",
            "at least 12 scores the full 10, else actual ÷ 12 × 10",
        ),
        (
            {"target": 0, "comparator": "="},
            "完成值为 0 记满分 10，否则不得分",
            "an actual value of 0 scores the full 10",
        ),
        ({"target": 0}, "指标值为 0，始终记满分 10", "the target is 0, so that the full 10 are always scored"),
        ({"comparator": "="}, "“=”读作不低于", "“=” is read as at least"),
        ({"weight_is_assumed": True}, "分值是假定的，没有文件依据", "The weight is an assumption; no document says it"),
    ],
)
def test_pro_rata_is_explained_by_what_the_target_is(changed: dict[str, Any], chinese: str, english: str) -> None:
    rulebook = read(with_row("rated-missed", **changed))

    assert any(chinese in line for line in explain(rulebook, "zh"))
    assert any(english in line for line in explain(rulebook, "en"))


@pytest.mark.parametrize(
    ("id_", "when"),
    [
        ("missed", "At no"),
        ("returned", "Never. Without verdicts"),
        ("months", "Never. Before the first month"),
        ("costs", "Without a baseline of 2029"),
        ("accidents", "Never."),
        ("satisfied", "When there is no rating that holds."),
        ("rated-returned", "When there is no verdict at all."),
        ("budget", "Without a budget record of 2030"),
    ],
)
def test_it_is_said_when_an_indicator_cannot_be_assessed(id_: str, when: str) -> None:
    lines = list(explain(read(tree()), "en"))

    start = next(number for number, line in enumerate(lines) if line.endswith(f". {id_}  level_3"))
    said = next(line for line in lines[start:] if "Not assessable: " in line)
    assert said.partition("Not assessable: ")[2].lower().replace("when at no", "at no").startswith(when.lower())


def test_words_of_several_lines_and_with_braces_stand_in_one_line() -> None:
    rulebook = read(with_row("missed", content="first\n- {second}"))

    assert "     指标内容：first - {second}" in explain(rulebook, "zh")
    assert "  指标内容：content → first - {second}" in differences(read(tree()), rulebook, "zh")


def test_weights_that_are_assumed_are_summed_and_named() -> None:
    said = check("mof-2020").stdout

    assert "指标 11 项，分值合计 100，其中假定 50（gas-suppression, hvac," in said


def test_json_is_the_rulebook_itself_in_canonical_json() -> None:
    outcome = check("mof-2020", "chenggong-2021", "--json")

    first, second = outcome.stdout_bytes.splitlines()
    assert first == canonical(MOF.as_json())
    assert read_rulebook(second).as_json() == CHENGGONG.as_json()
    assert json.loads(first)["indicators"][5]["rule"]["of"]["type"] == "substandard_work"


def test_the_commands_stand_on_the_command_line() -> None:
    program = [sys.executable, "-m", "services.cli", "rulebook"]

    checked = subprocess.run([*program, "check", "nowhere.yaml"], capture_output=True, text=True, check=False)
    schema = subprocess.run([*program, "schema"], capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stdout, checked.stderr.count("\n")) == (2, "", 1)
    assert (schema.returncode, json.loads(schema.stdout)["$id"]) == (0, "urn:xunjian:rulebook")


# --- odd ---------------------------------------------------------------------------------------------------------

ODD = [
    (
        with_row("returned", rule__per_return="10.01"),
        "returned: one deduction of 10.01 (per_return) is more than the weight 10",
    ),
    (with_row("missed", rule__per_missed_point=11), "missed: one deduction of 11 (per_missed_point) is more"),
    (
        with_row("missed", rule__per_missed_point=0),
        "missed: per_missed_point is 0, so that this deduction can never be",
    ),
    (
        with_row("costs", rule__points=4),
        "costs: at most 4 can be deducted, less than the weight 10; the other 6 cannot",
    ),
    (with_row("satisfied", rule__minimum_percent=0, target=0), "satisfied: a rate is never below 0 %"),
    (with_row("satisfied", rule__minimum_percent="100.01", target="100.01"), "satisfied: every rate is below 100.01 %"),
    (with_row("satisfied", target=90), "satisfied: the target is 90, but minimum_percent is 88."),
    (with_row("rated-missed", target=0), "rated-missed: pro rata against a target of 0, which scores the full weight"),
    (with_row("rated-returned", target=101), "rated-returned: pro rata against a target of 101 %, but the actual"),
    (with_row("rated-missed", rule__systems=["lifts"]), "System lifts is judged by missed, rated-missed"),
    (with_row("months", rule=RULES["rated-returned"]), "months, rated-returned judge the same thing"),
    (with_row("months", rule=RULES["missed"]), "missed, months judge the same thing, by the same rule and parameters."),
    (
        with_row("months", rule={"type": "proportional", "of": {"type": "incidents"}}, target=1),
        "more accidents score more",
    ),
    (
        with_row("months", weight_is_assumed=True),
        "The weights of months are assumptions (weight_is_assumed), 10 together.",
    ),
    ({**tree(), "title": "2029年"}, "The title says 2029, but year is 2030."),
    ({**tree(), "grades": [{"name": "A", "minimum": 101}, {"name": "B", "minimum": 0}]}, "Grade A begins at 101, but"),
]


@pytest.mark.parametrize(("changed", "sentence"), ODD, ids=[sentence[:40] for _, sentence in ODD])
def test_what_is_allowed_and_odd_is_pointed_out(changed: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "book.yaml"
    path.write_bytes(written(changed))

    outcome = check(str(path), XUNJIAN_LANG="en")

    odd = [line for line in outcome.stdout.splitlines() if line.startswith("  ! ")]
    assert outcome.exit_code == 0
    assert [sentence in line for line in odd] == [True]


def test_nothing_is_odd_about_the_rulebooks_but_the_weights_assumed() -> None:
    assert oddities(read(tree()), "zh") == []
    assert oddities(CHENGGONG, "zh") == []
    assert [odd.endswith("的分值是假定的（weight_is_assumed），合计 50。") for odd in oddities(MOF, "zh")] == [True]


# --- different ---------------------------------------------------------------------------------------------------

DIFFERENT = [
    (with_row("missed", weight=9), ["missed  level_3", "  分值：10 → 9"]),
    (with_row("missed", rule__backfill_days=4), ["missed  level_3", "  backfill_days：3 → 4"]),
    (with_row("missed", rule__systems=["lifts"]), ["missed  level_3", "  systems：pumps, lifts → lifts"]),
    (with_row("months", content="other"), ["months  level_3", "  指标内容：content → other"]),
    (with_row("months", weight_is_assumed=True), ["months  level_3", "  分值是假定的：否 → 是"]),
    (
        with_row("accidents", rule={"type": "proportional", "of": {"type": "incidents"}}),
        ["accidents  level_3", "  计分方式：扣分 → 按比例", "  per_incident：9 → 无"],
    ),
    (with_row("months", id="moons"), None),
    ({**tree(), "year": 2031}, ["年度：2030 → 2031"]),
    ({**tree(), "readings": ["two", "three"]}, ["只在 the first：读法 one", "只在 the second：读法 three"]),
    ({**tree(), "grades": [{"name": "差", "minimum": 0}]}, ["等级：优 ≥ 90, 差 ≥ 0 → 差 ≥ 0"]),
    ({**tree(), "project": {**tree()["project"], "unit": "v"}}, ["项目实施单位：u → v"]),
    (
        {**tree(), "indicators": tree()["indicators"][::-1]},
        [f"指标顺序：{', '.join(RULES)} → {', '.join(reversed(RULES))}"],
    ),
]


def balanced(changed: dict[str, Any]) -> dict[str, Any]:
    """A tree whose weights sum to 100 again, by the last row of it."""
    rest = sum(row["weight"] for row in changed["indicators"][:-1])
    changed["indicators"][-1]["weight"] = 100 - rest
    return changed


@pytest.mark.parametrize(("changed", "lines"), DIFFERENT)
def test_each_difference_is_one_line(changed: dict[str, Any], lines: list[str] | None) -> None:
    first, second = read(tree()), read(balanced(changed))

    said = [
        line.replace(first.sha256[:12], "the first").replace(second.sha256[:12], "the second")
        for line in differences(first, second, "zh")
    ]

    if lines is None:
        assert [line for line in said if "[" in line] == [
            "months  level_3  [只在 the first]",
            "moons  level_3  [只在 the second]",
        ]
    else:
        assert said[: len(lines)] == lines
        assert said[len(lines) :] in ([], ["budget  level_3", "  分值：10 → 11"])


def test_a_comment_changes_the_bytes_and_not_the_meaning() -> None:
    first, second = read_rulebook(TEXT.encode()), read_rulebook(b"# reviewed\n" + TEXT.encode())

    assert list(differences(first, second, "en")) == ["The same meaning; only the bytes differ (comments, spelling)."]
    assert list(differences(first, first, "en")) == ["Both have the same bytes."]


def test_several_files_are_compared_with_the_first() -> None:
    outcome = check("chenggong-2021", "mof-2020", "chenggong-2021")

    lines = outcome.stdout.splitlines()
    assert outcome.exit_code == 0
    assert "  budget_execution  预算执行率  [只在 mof-2020]" in lines[lines.index("chenggong-2021 → mof-2020") :]
    assert lines[lines.index("chenggong-2021 → chenggong-2021") + 1 :] == ["  两者字节相同。"]


# --- refused -----------------------------------------------------------------------------------------------------


def test_weights_that_do_not_add_up_are_refused_with_the_reason(tmp_path: Path) -> None:
    text = TEXT.replace("weight: 15", "weight: 14.99")

    assert refusal(tmp_path, text.encode()) == ["indicators: expected weights that sum to 100, not 99.99"]


def test_every_mistake_is_a_line_and_one_bad_file_is_enough(tmp_path: Path) -> None:
    text = TEXT.replace("backfill_days: 5", "backfill_days: soon").replace("year: 2021", "year: MMXXI")

    said = refusal(tmp_path, text.encode())
    beside_a_good_one = check("mof-2020", str(tmp_path / "book.yaml"))

    places = ["year", *(f"indicators[{number}].rule.backfill_days" for number in range(5))]
    assert [line.partition(": ")[0] for line in said] == places
    assert (beside_a_good_one.exit_code, beside_a_good_one.stdout) == (2, "")


BOMBS = [
    b"",
    b"\x00",
    b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    b"<<: {id: x}\n",
    b"? {a: b}\n: c\n",
    b"id: a\nid: b\n",
    b"year: " + b"9" * 5000,
    b"year: -0x" + b"f" * 5000,
    b'title: "\\UFFFFFFFF"',
    SMALL.replace(b'"title": "', b'"title": "\\ud800'),
    b"? " + b"x" * 3000 + b"\n: 1\n",
    b'"\\e[2J\\n\\r\\u2028": 1',
    b"[" * 20000,
    b"{a: " * 20000,
    b"- " * 20000,
    b"!!python/object/apply:os.system [id]",
    b"!!set {a, b}",
    b"%YAML 9.9\n---\nid: a\n",
    b"id: |\n" + b" x\n" * 100000,
    b"\xef\xbb\xbf\xff",
    SMALL.replace(b'"year": 2030', b'"year": 1e999'),
    SMALL.replace(b'"weight": 10', b'"weight": ' + b"1" * 4000, 1),
    SMALL.replace(b'"title": "', b'"title": "\\u001b[2J'),
    SMALL.replace(b'"id": "missed"', b'"id": "returned"'),
]


@pytest.mark.parametrize("text", BOMBS, ids=lambda text: repr(text[:20]))
def test_whatever_is_no_rulebook_is_refused_in_a_line_or_one_for_each_mistake(text: bytes, tmp_path: Path) -> None:
    said = refusal(tmp_path, text)

    malformed = said[0].startswith(("line ", "malformed YAML: "))
    assert malformed or all("expected" in line for line in said)
    assert len(said) == 1 or not malformed


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_bytes_make_it_stumble(tmp_path: Path, text: bytes) -> None:
    assert refusal(tmp_path, text)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, len(SMALL) - 1),
    length=st.integers(0, 12),
    new=st.one_of(
        st.binary(max_size=4), st.sampled_from([b"&a ", b"*a", b"!!x ", b'"', b"\\ud800", b"\n", b"{", b"9" * 5000])
    ),
)
def test_a_rulebook_that_was_damaged_is_explained_or_refused(
    tmp_path: Path, place: int, length: int, new: bytes
) -> None:
    path = tmp_path / "book.yaml"
    path.write_bytes(SMALL[:place] + new + SMALL[place + length :])

    outcome = check(str(path))

    assert outcome.exit_code in (0, 2), outcome.exception
    assert bool(outcome.stdout) == (outcome.exit_code == 0)
    assert bool(outcome.stderr) == (outcome.exit_code == 2)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    for name in (str(tmp_path), str(tmp_path / "none.yaml"), "no-such-name", "a" * 5000, "/dev/zero"):
        outcome = check(name)

        assert (outcome.exit_code, outcome.stdout, outcome.stderr.count("\n")) == (2, "", 1)
        assert "expected" in outcome.stderr
