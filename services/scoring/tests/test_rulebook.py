"""Rulebooks are read exactly, or every mistake is named by its path and what was expected."""

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest

from services.scoring.rulebooks.rulebook import Indicator, Rulebook, read_rulebook
from services.scoring.tests.histories import CHENGGONG, MOF, RULEBOOKS
from shared.errors import Invalid

SHEET = (Path(__file__).parent / "examples/performance-sheet.txt").read_text().splitlines()
TEXT = (RULEBOOKS / "chenggong-2021.yaml").read_text()


def with_change(old: str, new: str) -> bytes:
    """The rulebook with its first such words changed."""
    assert old in TEXT
    return TEXT.replace(old, new, 1).encode()


def test_a_rulebook_is_identified_by_the_sha256_of_its_bytes() -> None:
    text = TEXT.encode() + b"# a comment\n"

    assert CHENGGONG.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert read_rulebook(text).sha256 == hashlib.sha256(text).hexdigest()


def test_the_words_of_the_sheet_are_kept_verbatim_typos_included() -> None:
    def words(row: Indicator) -> list[str]:
        target = str(row.target).removesuffix(".00")
        return [row.level_3, row.comparator, target, row.unit, row.attribute, row.standard, row.content, row.basis]

    comparators = [number for number, line in enumerate(SHEET) if line in {">=", "="}]

    assert [words(row) for row in CHENGGONG.indicators] == [SHEET[number - 1 : number + 7] for number in comparators]
    assert "七氟丙烷扥" in CHENGGONG.indicators[0].content
    assert {row.level_1 for row in CHENGGONG.indicators} | {row.level_2 for row in CHENGGONG.indicators} <= set(SHEET)


def test_the_national_form_keeps_the_same_words_and_its_own_standards() -> None:
    for ours, national in zip(CHENGGONG.indicators, MOF.indicators, strict=False):
        assert (ours.level_3, ours.content, ours.basis, ours.unit) == (
            national.level_3,
            national.content,
            national.basis,
            national.unit,
        )
        assert ours.standard != national.standard


@pytest.mark.parametrize(
    ("rulebook", "weights"),
    [(CHENGGONG, [5, 5, 5, 5, 5, 10, 10, 20, 15, 20]), (MOF, [5, 5, 5, 5, 5, 10, 5, 10, 30, 10, 10])],
)
def test_the_weights_are_those_of_the_domain_and_sum_to_a_hundred(rulebook: Rulebook, weights: list[int]) -> None:
    assert [row.weight for row in rulebook.indicators] == weights
    assert sum(weights) == 100


def test_the_split_inside_output_is_marked_as_an_assumption() -> None:
    assumed = [row.id for row in MOF.indicators if row.weight_is_assumed]

    assert assumed == [row.id for row in MOF.indicators[:8]]
    assert not any(row.weight_is_assumed for row in CHENGGONG.indicators)


def test_numbers_are_read_exactly() -> None:
    rulebook = read_rulebook(with_change("limit_percent: 10", "limit_percent: 10.1"))

    assert rulebook.indicators[7].rule.parameters["limit_percent"] == Decimal("10.1")


MISTAKES = [
    ("year: 2021", "year: twenty", "year: expected an integer from 1900 to 2999"),
    ("year: 2021", "year: 2021-01-01", "year: expected an integer from 1900 to 2999"),
    ("year: 2021", "yaer: 2021", "yaer: no such key, expected one of id, title, year"),
    ("year: 2021", "", "year: missing, expected an integer"),
    ("    weight: 5\n", "    weight: 6\n", "indicators: expected weights that sum to 100, not 101.00"),
    (
        "    weight: 5\n",
        "    weight: 5.001\n",
        "indicators[0].weight: expected a number from 0, of at most two decimals",
    ),
    ("    weight: 5\n", "    weight: true\n", "indicators[0].weight: expected a number from 0"),
    ("    weight: 5\n", "    weight: -5\n", "indicators[0].weight: expected a number from 0"),
    ("    weight: 5\n", "    weight: 0\n", "indicators[0].weight: expected more than 0"),
    (
        "    weight: 5\n",
        "    weight: 5\n    wieght: 5\n",
        "indicators[0].wieght: no such key, expected one of id, level_1",
    ),
    (
        "type: missed_inspections",
        "type: missing",
        "indicators[0].rule: expected a mapping with a type, one of missed_insp",
    ),
    ("systems: [gas-suppression]", "systems: []", "indicators[0].rule.systems: expected at least one"),
    ("systems: [gas-suppression]", "systems: [a, a]", "indicators[0].rule.systems: expected each only once"),
    ("systems: [gas-suppression]", "systems: [a b]", "indicators[0].rule.systems[0]: expected an id"),
    ("systems: [gas-suppression]", "systems: gas", "indicators[0].rule.systems: expected a list"),
    ("backfill_days: 5", "backfill_days: 5.5", "indicators[0].rule.backfill_days: expected an integer from 0 to 366"),
    ("per_missed_point: 5", "per_point: 5", "indicators[0].rule.per_missed_point: missing, expected a number"),
    (
        "kinds: [inspection,",
        "kinds: [inspektion,",
        "indicators[5].rule.kinds[0]: expected one of inspection, maintenance",
    ),
    ("category: fixed_equipment", "category: fixed", "indicators[7].rule.category: expected one of fixed_equipment"),
    ('comparator: ">="', 'comparator: "<"', "indicators[0].comparator: expected one of >=, ="),
    ("target: 12", "target: 12.5", "indicators[0].target: expected an integer, missed_inspections counts"),
    ('title: "', 'title: "" #', "title: expected text"),
    ("id: hvac", "id: gas-suppression", "indicators: expected each id only once"),
    ("minimum: 80", "minimum: 95", "grades: expected falling minima that end with 0"),
    ("minimum: 0", "minimum: 1", "grades: expected falling minima that end with 0"),
    ("year: 2021", "year: 2021\nyear: 2022", "line 7, column 1: expected each key only once, and as text: 'year'"),
    ("year: 2021", "year: 2021\n1: 2", "expected each key only once, and as text: 1"),
    ("year: 2021", "year: &y 2021\nsource: *y", "line 7, column 9: expected the value itself, not an alias"),
    ("year: 2021", "year: !!int '2021'", "line 6, column 7: expected a value without a tag"),
    ("year: 2021", "year: [2021", "line 7, column 7: while parsing a flow sequence, expected ',' or ']'"),
    ("year: 2021", "year: 2021\n---\nyear: 2022", "expected a single document"),
]


@pytest.mark.parametrize(("old", "new", "complaint"), MISTAKES)
def test_a_mistake_is_named_by_its_path_and_what_was_expected(old: str, new: str, complaint: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_rulebook(with_change(old, new))

    assert complaint in str(refusal.value)


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        read_rulebook(TEXT.replace("backfill_days: 5", "backfill_days: no").encode())

    assert list(refusal.value.errors) == [f"indicators[{number}].rule.backfill_days" for number in range(5)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "expected a mapping"),
        (b"- a\n", "expected a mapping"),
        (b"id: x\n", "indicators: missing, expected a list"),
        (b"a: \xff\n", "expected UTF-8, see line 1"),
        (b"a: \x00\n", "malformed YAML"),
        (b"[" * 5000, "expected a tree of a few levels"),
    ],
)
def test_what_is_no_rulebook_is_refused(text: bytes, complaint: str) -> None:
    with pytest.raises(Invalid, match=complaint):
        read_rulebook(text)


def test_a_proportional_rule_takes_no_amounts_to_deduct() -> None:
    text = (RULEBOOKS / "mof-2020.yaml").read_bytes()

    for of in (b"{type: incidents, per_incident: 15}", b"{type: proportional}", b"{type: budget_execution}", b"7"):
        with pytest.raises(Invalid, match=r"^indicators\[8\]\.rule\.of"):
            read_rulebook(text.replace(b"{type: incidents}", of))


def test_the_budgets_target_is_the_whole_of_it() -> None:
    text = (RULEBOOKS / "mof-2020.yaml").read_text()
    head, _, tail = text.rpartition("target: 100")

    with pytest.raises(Invalid, match="target: expected 100, the whole of the budget"):
        read_rulebook(f"{head}target: 95{tail}".encode())
