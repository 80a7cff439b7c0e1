"""How a result is written: the order of its rows, its numbers, its bytes (design.md, score --json)."""

import json
from datetime import date
from fractions import Fraction

import pytest

from services.scoring.evaluation import evaluate, half_up, result_bytes, result_sha256
from services.scoring.facts import Facts
from services.scoring.tests import histories as h

ASSESSABLE = [
    *(h.system(name, since="2021-12-01") for name in ("gas-suppression", "hvac", "fire-shutters", "lighting", "water")),
    h.baseline(),
    h.report(good=9, bad=1),
]


def test_the_ten_indicators_come_in_the_rulebooks_order() -> None:
    assert [row["id"] for row in h.score()["indicators"]] == [
        *("gas-suppression", "hvac", "fire-shutters", "lighting", "water"),
        *("quality", "timeliness", "cost", "incidents", "satisfaction"),
    ]


def test_deductions_are_sorted_by_period_occurrence_point_system_points_and_evidence_null_first() -> None:
    history = [
        h.visit("z", end="2021-03-10", points=["P2", "P10"]),
        h.performed("z"),
        h.visit("a", end="2021-03-10"),
        h.system(since="2021-01-01"),
        h.visit("f", period="2021-02", start="2021-02-01", end="2021-02-28"),
    ]

    found = h.row("hvac", *history, as_of="2021-03-31")

    assert [(one["period"], one["occurrence_id"], one["point_id"]) for one in found["deductions"]] == [
        ("2021-01", None, None),
        ("2021-02", "f", None),
        ("2021-03", "a", None),
        ("2021-03", "z", "P10"),
        ("2021-03", "z", "P2"),
    ]


def test_what_is_null_comes_before_every_name_and_systems_are_sorted_by_theirs() -> None:
    two = h.ruled("hvac", systems=["water", "hvac", "lift"])
    systems = [h.system("hvac", id_="b"), h.system("lift", id_="c"), h.system("water", id_="a")]

    found = h.row("hvac", *systems, h.visit("A", of="lift"), as_of="2021-03-31", rulebook=two)

    assert [(one["occurrence_id"], one["system_id"]) for one in found["deductions"]] == [
        (None, "hvac"),
        (None, "water"),
        ("A", "lift"),
    ]


def test_deductions_alike_are_sorted_by_points_and_then_by_evidence() -> None:
    history = [h.returned("wo", id_=name) for name in ("c", "a", "b")]

    found = h.row("quality", *history, h.waiver(event_id="c", id_="w"))

    assert [one["evidence"] for one in found["deductions"]] == [["c", "w"], ["a"], ["b"]]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0.004999", "0.00"),
        ("0.005", "0.01"),
        ("84.996", "85.00"),
        ("2.675", "2.68"),
        ("-0.005", "-0.01"),
        ("-0.001", "0.00"),
    ],
)
def test_rates_are_shown_to_two_decimals_half_up(value: str, shown: str) -> None:
    assert str(half_up(Fraction(value))) == shown


def test_a_result_says_what_was_asked_and_by_which_rulebook() -> None:
    asked = h.score(h.system(), as_of="2021-06-30")

    assert list(asked) == [
        *("facility", "year", "rulebook", "rulebook_sha256", "as_of", "known_at"),
        *("total", "provisional_total", "assessable_weight", "grade", "indicators"),
    ]
    assert [asked[name] for name in ("facility", "year", "rulebook", "rulebook_sha256", "as_of")] == [
        *("hall", 2021, "chenggong-2021", h.CHENGGONG.sha256, "2021-06-30"),
    ]


def test_known_at_is_echoed_as_given() -> None:
    given = "2021-07-01T18:00:00.50+08:00"

    echoed = evaluate(Facts("hall"), h.CHENGGONG, date(2021, 7, 1), h.local("2021-07-01"), known_at_given=given)

    assert echoed.as_json()["known_at"] == given
    assert h.score()["known_at"] is None
    assert h.score(known_at="2021-07-01 08:00")["known_at"] == "2021-07-01T00:00:00Z"


def test_the_results_bytes_are_canonical_json_and_its_sha256_is_bare_lower_case_hexadecimal() -> None:
    result = evaluate(Facts().extend(ASSESSABLE), h.CHENGGONG, date(2021, 12, 31))

    written = json.dumps(result.as_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    assert result_bytes(result) == written
    assert len(result_sha256(result)) == 64
    assert set(result_sha256(result) + h.CHENGGONG.sha256) <= set("0123456789abcdef")
