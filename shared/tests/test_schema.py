"""What a stranger sends is taken only in the form that the language states, and every fault is named by its path."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.event import Moment, flat
from shared.schema import Count, Id, Money, Period, Reading, Sha256, Sum, Text, Year, schema_of


@dataclass(frozen=True, kw_only=True)
class Part:
    """A member with members."""

    id: Id
    weight: Reading | None = None


@dataclass(frozen=True, kw_only=True)
class Form:
    """Every kind of value that the language knows."""

    id: Id | None = None
    text: str | None = None
    words: Text | None = None
    count: Count | None = None
    whole: int | None = None
    year: Year | None = None
    flag: bool | None = None
    day: date | None = None
    moment: Moment | None = None
    period: Period | None = None
    sha256: Sha256 | None = None
    money: Money | None = None
    sum: Sum | None = None
    reading: Reading | None = None
    choice: Literal["a", "b"] | None = None
    either: Count | Literal["all"] | None = None
    anything: Any = None
    parts: tuple[Part, ...] = ()
    named: dict[str, Part] | None = None


def faults(data: Any, cls: type = Form, *, strict: bool = False) -> dict[str, list[str]]:
    return flat(schema_of(cls, strict=strict).validate(data))


GOOD: list[tuple[str, Any, Any]] = [
    ("id", "A.z_0:-9", "A.z_0:-9"),
    ("id", "x" * 80, "x" * 80),
    ("text", "", ""),
    ("text", "巡检\n𝌆", "巡检\n𝌆"),
    ("words", "ok", "ok"),
    ("count", 0, 0),
    ("whole", -(2**53) + 1, -(2**53) + 1),
    ("year", 2021, 2021),
    ("flag", False, False),
    ("day", "2020-02-29", date(2020, 2, 29)),
    ("moment", "2021-03-09T12:00:00Z", datetime(2021, 3, 9, 12, tzinfo=UTC)),
    ("moment", "2021-03-09T12:00:00.25+08:00", datetime(2021, 3, 9, 12, 0, 0, 250000, timezone(timedelta(hours=8)))),
    ("period", "2021-12", "2021-12"),
    ("sha256", "0" * 64, "0" * 64),
    ("money", "-0.01", Decimal("-0.01")),
    ("money", "120.00", Decimal("120.00")),
    ("sum", "-1234567890123456.70", "-1234567890123456.70"),
    ("reading", "0.350", Decimal("0.350")),
    ("reading", 0.1, Decimal("0.1")),
    ("reading", 7, Decimal(7)),
    ("choice", "b", "b"),
    ("either", 3, 3),
    ("either", "all", "all"),
    ("anything", [{"a": None}, 1.5], [{"a": None}, 1.5]),
    ("anything", None, None),
]


@pytest.mark.parametrize(("member", "value", "meaning"), GOOD)
def test_a_value_in_its_form_is_taken(member: str, value: Any, meaning: Any) -> None:
    assert faults({member: value}) == {}
    assert getattr(msgspec.convert({member: value}, Form), member) == meaning


BAD: dict[str, list[Any]] = {
    "id": ["", "x" * 81, "a b", "巡", "a\n", 7, True, ["a"], {}],
    "text": [7, True, ["a"], {}, "a\0b", "\ud800", "a\udfff"],
    "words": ["", " \n\u3000", 7],
    "count": [-1, True, False, 1.0, "1", 2**53, 10**40, float("nan"), float("inf")],
    "whole": [True, 1.5, "1", 2**53, -(2**53), float("nan")],
    "year": [1899, 3000, True, "2021", 2021.0],
    "flag": [0, 1, "true", "", []],
    "day": ["2021-02-29", "2021-13-01", "2021-00-10", "1899-12-31", "3000-01-01", "0000-01-01", "20210309", "2021-3-9"],
    "moment": [
        "2021-03-09T12:00:00",
        "2021-03-09",
        "2021-03-09 12:00:00Z",
        "2021-03-09T24:00:00Z",
        "2021-03-09T12:00:60Z",
        "2021-03-09T12:00:00+99:00",
        "2021-02-29T12:00:00Z",
        "0001-01-01T00:00:00+08:00",
        "9999-12-31T23:59:59-08:00",
        "２021-03-09T12:00:00Z",
        1615262400,
    ],
    "period": ["2021-00", "2021-13", "2021-1", "2021-01-01", "2021-01\n", 202101],
    "sha256": ["0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n"],
    "money": [
        "1",
        "1.0",
        "1.000",
        "1e2",
        "NaN",
        "Infinity",
        "+1.00",
        " 1.00",
        "１.00",
        "1_0.00",
        "9" * 16 + ".00",
        1,
        1.0,
    ],
    "sum": ["1", "1.0", "1e2", "９.00", "+1.00", "1.00\n", 1],
    "reading": [
        "",
        "NaN",
        "inf",
        "-Infinity",
        "1_0",
        " 1",
        "１",
        "1e999",
        "9" * 31,
        True,
        2**53,
        float("nan"),
        float("inf"),
    ],
    "choice": ["c", "", 1, ["a"], {}],
    "either": [-1, "none", 1.5, True, [], {}],
    "parts": ["x", {}, 7, None],
    "named": ["x", [], 7],
}


@pytest.mark.parametrize(("member", "value"), [(member, value) for member, values in BAD.items() for value in values])
def test_a_value_in_another_form_is_refused_by_its_name(member: str, value: Any) -> None:
    found = faults({member: value})

    assert set(found) == {member}
    assert all(why for whys in found.values() for why in whys)


def test_a_fault_deep_inside_is_named_by_its_whole_path() -> None:
    parts = [{"id": "p-1"}, {"weight": "much"}, "p-3", {"id": "p-4", "weight": None}]

    found = faults({"parts": parts, "named": {"left": {"id": "a b"}}})

    assert set(found) == {"parts[1].id", "parts[1].weight", "parts[2]", "named.left.id"}


def test_members_of_the_future_are_passed_over_unless_they_are_a_callers_mistake() -> None:
    form = {"tomorrow": 1, "parts": [{"id": "p-1", "tomorrow": 2}]}

    assert faults(form) == {}
    assert set(faults(form, strict=True)) == {"tomorrow", "parts[0].tomorrow"}


def test_a_member_without_default_is_required_and_null_is_no_value() -> None:
    assert faults({}, Part) == {"id": ["missing"]}
    assert set(faults({"id": None}, Part)) == {"id"}


@given(cents=st.integers(-(10**15), 10**15), offset=st.integers(-14 * 60, 14 * 60), moment=st.datetimes())
@example(cents=0, offset=0, moment=datetime(1900, 1, 1))  # noqa: DTZ001  the zone is added below
def test_what_we_write_is_what_we_take(cents: int, offset: int, moment: datetime) -> None:
    aware = moment.replace(year=2021, day=1, tzinfo=timezone(timedelta(minutes=offset)))
    money = str(Decimal(cents).scaleb(-2).quantize(Decimal("0.01")))

    assert faults({"money": money, "moment": aware.isoformat(), "day": aware.date().isoformat()}) == {}


@given(st.from_regex(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?", fullmatch=True))
@example("10e99")
@example("0.1e-99")
@example(f"{'1' * 30}.{'1' * 30}e50")
def test_a_reading_that_is_taken_is_taken_again_as_we_write_it(reading: str) -> None:
    if faults({"reading": reading}) == {}:
        assert faults({"reading": str(msgspec.convert({"reading": reading}, Form).reading)}) == {}
