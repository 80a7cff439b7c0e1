"""The JSON Schema says what the reader reads: neither takes what the other refuses, but for three rules between rows."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from services.scoring.rulebooks.rulebook import read_rulebook, rulebook_schema
from services.scoring.tests.histories import RULEBOOKS
from services.scoring.tests.small_rulebook import RULES, tree, with_row, written
from shared.errors import Invalid
from shared.strict_yaml import read_yaml

SCHEMA = rulebook_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
KEPT = Path(__file__).parents[1] / "rulebooks" / "rulebook.schema.json"
PAGE = (Path(__file__).parents[3] / "docs/rulebook-format.md").read_text()

BETWEEN_ROWS = re.compile(
    r"indicators: expected weights that sum to 100, not [0-9.]+|indicators: expected each id only once|"
    r"grades: expected falling minima that end with 0"
)
"""What no JSON Schema can say."""

WORDS = [
    *["", " ", "\u3000", "a", "a b", "a\n", "a\nb", "\x07a", "a\x85", "a\r", "x" * 80, "x" * 81, ">=", "=", "定量指标"],
    *[
        "inspection",
        "other",
        "0",
        "00",
        "0.0",
        "0.01",
        "5",
        "5.00",
        "5.5",
        "5.001",
        "5\n",
        "12.00",
        "12.50",
        "1e1",
        "+5",
    ],
    *["100", "100.0", "100.00\n", "0100", "0000100", "999999.99", "1000000", "٥"],
]
NUMBERS = [-1, 0, 1, 5, 12, 100, 101, 366, 367, 1899, 2021, 3000, 999999, 1000000]
RULE_VALUES: list[Any] = [*RULES.values(), *({"type": "proportional", "of": rule} for rule in RULES.values())]
VALUES = st.sampled_from(
    [*WORDS, *NUMBERS, None, True, False, [], {}, ["a"], ["a", "a"], ["service"], [1], [None], *RULE_VALUES]
)
LISTS = [[], ["a"], ["a", "a"], ["a b"], ["service"], ["service", "service"], [1], [None], [""], ["\x07"], {}]
PLACED = [
    *(
        (key, one)
        for key in ("year", "title", "id", "weight", "target", "budget")
        for one in (*WORDS, *NUMBERS, True, None)
    ),
    *((key, one) for key in ("systems", "kinds", "readings") for one in (*LISTS, "a", 1, None)),
    *(("category", one) for one in ("service", "services", "other", 1, None, ["other"])),
    *(("backfill_days", one) for one in (*NUMBERS, "3", True, None)),
    *(("weight_is_assumed", one) for one in (True, False, "true", 1, 0, None)),
]
NAMES = st.sampled_from(["of", "type", "points", "weight", "target", "weight_is_assumed", "per_return", "systems", "x"])


def holders(value: Any) -> Iterator[Any]:
    """Every mapping and list in a tree."""
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from holders(inner)


@st.composite
def changed_trees(draw: st.DrawFn) -> dict[str, Any]:
    """The small rulebook, changed in one to three places: a value, a key more, one less, an item twice."""
    changed = tree()
    for _ in range(draw(st.integers(1, 3))):
        holder = draw(st.sampled_from(list(holders(changed))))
        keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
        match draw(st.sampled_from(["set", "set", "set", "add", "remove"])):
            case "add" if isinstance(holder, dict):
                holder[draw(NAMES)] = deepcopy(draw(VALUES))
            case "add":
                holder.append(deepcopy(draw(st.sampled_from([*holder, 1]))))
            case "remove" if keys:
                del holder[draw(st.sampled_from(keys))]
            case _ if keys:
                holder[draw(st.sampled_from(keys))] = deepcopy(draw(VALUES))
    return changed


def mistakes(text: bytes) -> list[str]:
    """What the reader says against a rulebook."""
    try:
        read_rulebook(text)
    except Invalid as refusal:
        return [f"{field}: {why}" for field, whys in refusal.errors.items() for why in whys]
    return []


@settings(max_examples=80, deadline=None)
@given(changed_trees())
def test_schema_and_reader_never_disagree_but_for_three_rules_between_rows(changed: dict[str, Any]) -> None:
    said = mistakes(written(changed))

    assert VALIDATOR.is_valid(changed) == all(BETWEEN_ROWS.fullmatch(one) for one in said), said


def few_rows() -> dict[str, Any]:
    """The small rulebook with five of its rows, which is read in half the time."""
    few = tree()
    few["indicators"] = [
        {**row, "weight": 20}
        for row in few["indicators"]
        if row["id"] in ("missed", "returned", "costs", "rated-costs", "budget")
    ]
    return few


@pytest.mark.parametrize(("key", "value"), PLACED, ids=repr)
def test_every_kind_of_value_is_taken_by_both_or_by_neither(key: str, value: Any) -> None:
    changed = few_rows()
    missed, returned, costs, _, budget = changed["indicators"]
    holder = {"year": changed, "title": changed, "readings": changed, "kinds": returned["rule"], "budget": budget}.get(
        key
    )
    if holder is None:
        holder = next(one for one in (missed["rule"], costs["rule"], missed) if key in one)
    holder["target" if key == "budget" else key] = value

    said = mistakes(written(changed))

    assert VALIDATOR.is_valid(changed) == all(BETWEEN_ROWS.fullmatch(one) for one in said), said


def test_every_key_is_needed_by_both_but_for_what_may_be_left_out() -> None:
    needless = set()
    for number, whole in enumerate(holders(few_rows())):
        for key in whole if isinstance(whole, dict) else ():
            changed = few_rows()
            del list(holders(changed))[number][key]

            taken = VALIDATOR.is_valid(changed)
            assert taken == (mistakes(written(changed)) == []), key
            needless |= {key} if taken else set()

    assert needless == {"project", "weight_is_assumed"}


@pytest.mark.parametrize(
    ("id_", "target", "taken"),
    [
        ("missed", "12.5", False),
        ("rated-missed", "12.5", False),
        ("rated-missed", "12.00", True),
        ("rated-returned", "90.5", True),
        ("budget", "0100.0", True),
        ("budget", 99, False),
    ],
)
def test_a_target_is_a_whole_number_where_the_rule_counts_and_the_whole_for_the_budget(
    id_: str, target: Any, taken: bool
) -> None:
    changed = with_row(id_, target=target)

    assert (VALIDATOR.is_valid(changed), mistakes(written(changed)) == []) == (taken, taken)


def test_the_schema_is_one_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", sorted(RULEBOOKS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_rulebooks_that_are_shipped_keep_to_it(path: Path) -> None:
    assert list(VALIDATOR.iter_errors(read_yaml(path.read_bytes()))) == []


def test_the_file_that_is_kept_is_the_schema_as_it_is_printed() -> None:
    assert json.loads(KEPT.read_text()) == SCHEMA, (
        "xunjian rulebook schema > services/scoring/rulebooks/rulebook.schema.json"
    )


def test_every_mapping_is_closed_and_every_key_described() -> None:
    mappings = [one for one in holders(SCHEMA) if isinstance(one, dict) and one.get("type") == "object"]

    assert len(mappings) > len(RULES)
    for mapping in mappings:
        assert mapping["additionalProperties"] is False
        told = {name: one for name, one in mapping["properties"].items() if "const" not in one}
        assert all(one["description"].strip() for one in told.values()), told


def test_a_rulebook_is_written_and_read_again_with_the_same_meaning() -> None:
    first = read_rulebook(written(tree()))

    again = read_rulebook(written(first.as_json()))

    assert first.as_json() == again.as_json()
    assert VALIDATOR.is_valid(first.as_json())
    assert (first.indicators, first.grades, first.project) == (again.indicators, again.grades, again.project)


def test_a_plain_decimal_of_another_yaml_reader_is_taken_by_the_schema_an_editor_uses() -> None:
    changed = tree()
    changed["indicators"][3]["rule"]["limit_percent"] = 7.25

    assert VALIDATOR.is_valid(changed)


def test_the_page_names_every_key_and_every_word_that_one_of_them_takes() -> None:
    mappings = [one for one in holders(SCHEMA) if isinstance(one, dict) and one.get("type") == "object"]
    keys = {name for mapping in mappings for name in mapping["properties"]}
    words = {word for one in holders(SCHEMA) if isinstance(one, dict) for word in one.get("enum", ())}
    types = {one["const"] for one in holders(SCHEMA) if isinstance(one, dict) and isinstance(one.get("const"), str)}

    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    named = set(re.findall(r"`\"?([^`\"]+)\"?`", prose))
    assert (keys | words | types) - named == set()


def test_the_example_of_the_page_is_a_rulebook() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

    assert [row.id for row in read_rulebook(example.encode()).indicators] == ["gas-suppression", "satisfaction"]
