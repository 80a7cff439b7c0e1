"""Mapping files: what is found in an event, how it is converted, and every fault of either named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.integration.inbound.conversions import Conversion, Unusable
from services.integration.inbound.facts import FACTS
from services.integration.inbound.mapping import SourceMapping, fact_in
from services.integration.inbound.mapping_file import MOST_BYTES, read_mapping
from services.integration.tests.office import FINANCE, HAOCHAPING, SECURITY, event, rating
from shared.errors import Invalid

START = "source: urn:x\nevents:\n  t.v1:\n    fact: cost_recorded\n    fields:\n"
REST = "      amount: {from: data.a, as: money, unit: yuan}\n      category: {constant: other}\n      incurred_on: data.d\n"
ID = "      cost_id: data.id\n"

CHINA = "Asia/Shanghai"


def faults_of(text: str) -> dict[str, list[str]]:
    """What is wrong with a mapping file."""
    with pytest.raises(Invalid) as refused:
        read_mapping(text)
    return {place: list(whys) for place, whys in refused.value.errors.items()}


def read_as(found: Any, **conversion: Any) -> Any:
    """A value as it is read."""
    return Conversion(**conversion)(found)


@pytest.mark.parametrize("text", [HAOCHAPING, FINANCE, SECURITY, START + ID + REST])
def test_the_examples_can_be_read(text: str) -> None:
    mapping = read_mapping(text)

    assert mapping.events
    assert all(meaning.fact in FACTS for meaning in mapping.events.values())


@pytest.mark.parametrize(
    ("level", "counted"),
    [
        (5, "very_satisfied"),
        (4, "satisfied"),
        (3, "basically_satisfied"),
        (2, "dissatisfied"),
        (1, "very_dissatisfied"),
    ],
)
def test_each_level_of_the_standard_is_one_of_ours(level: int, counted: str) -> None:
    for told in (level, str(level), float(level)):
        _, data = fact_in(read_mapping(HAOCHAPING), rating(1, told))  # type: ignore[arg-type]  # as platforms tell it

        assert {name for name, value in data.items() if value == 1} == {counted}


def test_a_daily_summary_is_one_report_of_all_levels() -> None:
    counts = {"level5": 90, "level4": 5, "level3": 3, "level2": 1, "level1": 1}
    told = {"date": "2021-03-19", "counts": counts, "defaulted": 2, "overturned": 1}

    fact, data = fact_in(read_mapping(HAOCHAPING), event({"type": "cn.gov.haochaping.daily.v1"}, told))

    assert fact == "satisfaction_reported"
    assert (data["report_id"], data["very_satisfied"], data["defaulted"]) == ("hcp-daily-2021-03-19", 90, 2)


@given(
    st.dictionaries(
        st.sampled_from(["ratingId", "satisfaction", "evaluateTime", "isDefault", "appealGranted"]),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.integers()),
    )
)
def test_whatever_an_event_says_it_gives_a_fact_or_names_its_faults_always_the_same(data: dict[str, Any]) -> None:
    mapping = read_mapping(HAOCHAPING)

    first, again = (_tried(mapping, data) for _ in range(2))

    assert first == again
    assert set(first) <= set(FACTS["satisfaction_reported"].names)


def _tried(mapping: SourceMapping, data: dict[str, Any]) -> dict[str, Any]:
    try:
        _, found = fact_in(mapping, event({"type": "cn.gov.haochaping.rating.v1"}, data))
    except Invalid as fault:
        return dict(fault.errors)
    assert FACTS["satisfaction_reported"].faults(found) == {}
    return found


def test_a_fault_of_an_event_names_type_field_expression_and_what_was_found() -> None:
    with pytest.raises(Invalid) as refused:
        fact_in(read_mapping(HAOCHAPING), rating("号", 7, when="19/03/2021"))

    errors = refused.value.errors
    assert errors["very_satisfied"] == [
        "expected one of 5, 4, 3, 2, 1, found 7 at data.satisfaction (cn.gov.haochaping.rating.v1)"
    ]
    assert errors["period_start"] == [
        'expected a time like 2021-03-09 10:40:00 (%Y-%m-%d %H:%M:%S), found "19/03/2021" at data.evaluateTime'
        " (cn.gov.haochaping.rating.v1)"
    ]
    assert "found \"hcp-号\" at join('-', ['hcp', to_string(data.ratingId)])" in errors["report_id"][0]


def test_fields_that_disagree_with_each_other_are_named() -> None:
    told = {"date": "2021-03-19", "counts": dict.fromkeys([f"level{n}" for n in range(1, 6)], 1)}

    with pytest.raises(Invalid, match="defaulted: expected at most basically_satisfied, found 2"):
        fact_in(
            read_mapping(HAOCHAPING),
            event({"type": "cn.gov.haochaping.daily.v1"}, {**told, "defaulted": 2, "overturned": 0}),
        )


def test_what_an_event_does_not_say_is_left_out_or_missed() -> None:
    mapping = read_mapping(START + ID + REST + "      supplier: data.s\n")

    with pytest.raises(Invalid) as refused:
        fact_in(mapping, event({"type": "t.v1"}, {"id": "c", "d": "2021-03-09"}))
    _, data = fact_in(mapping, event({"type": "t.v1"}, {"id": "c", "d": "2021-03-09", "a": 1}))

    assert refused.value.errors == {"amount": ["missing, found nothing at data.a (t.v1)"]}
    assert data == {"cost_id": "c", "amount": "1.00", "category": "other", "incurred_on": "2021-03-09"}


def test_a_function_that_cannot_take_what_it_finds_is_a_fault_of_the_field() -> None:
    mapping = read_mapping(START + "      cost_id: {from: \"join('-', data.id)\"}\n" + REST)

    with pytest.raises(Invalid, match=r"cost_id: the expression join\('-', data.id\) fails: In function join"):
        fact_in(mapping, event({"type": "t.v1"}, {"id": 5, "a": 1, "d": "2021-03-09"}))


@pytest.mark.parametrize(
    ("found", "unit", "expected"),
    [
        (1280.5, "yuan", "1280.50"),
        ("1280.50", "yuan", "1280.50"),
        (0.1, "yuan", "0.10"),
        (128050, "fen", "1280.50"),
        (-5, "fen", "-0.05"),
        (90, "wanyuan", "900000.00"),
        ("31.25505", "wanyuan", "312550.50"),
    ],
)
def test_money_is_read_exactly_in_its_unit(found: Any, unit: str, expected: str) -> None:
    assert read_as(found, kind="money", unit=unit) == expected


@pytest.mark.parametrize(
    ("found", "unit"),
    [
        (12.345, "yuan"),
        ("12.345", "yuan"),
        (12.5, "fen"),
        ("0.0000001", "wanyuan"),
        ("1,280.50", "yuan"),
        (True, "yuan"),
        (None, "yuan"),
        (1234567890123.456, "yuan"),
        ("１２", "yuan"),
        ("1e3", "yuan"),
    ],
)
def test_money_that_is_not_exact_is_refused(found: Any, unit: str) -> None:
    with pytest.raises(Unusable, match="expected"):
        read_as(found, kind="money", unit=unit)


@pytest.mark.parametrize(
    ("found", "how", "expected"),
    [
        ("2021-03-09", {"kind": "date"}, "2021-03-09"),
        (20210309, {"kind": "date", "format": "%Y%m%d"}, "2021-03-09"),
        ("2021-03-09T17:00:00Z", {"kind": "date", "format": "rfc3339", "timezone": CHINA}, "2021-03-10"),
        (
            "2021-03-09 10:40",
            {"kind": "timestamp", "format": "%Y-%m-%d %H:%M", "timezone": CHINA},
            "2021-03-09T10:40:00+08:00",
        ),
        (
            "2021-03-09T10:40:00+0900",
            {"kind": "timestamp", "format": "%Y-%m-%dT%H:%M:%S%z"},
            "2021-03-09T10:40:00+09:00",
        ),
        ("2021-03-09T10:40:00Z", {"kind": "timestamp"}, "2021-03-09T10:40:00+00:00"),
        ("12", {"kind": "integer"}, 12),
        (12.0, {"kind": "integer"}, 12),
        (1382345678901234567, {"kind": "text"}, "1382345678901234567"),
    ],
)
def test_dates_times_numbers_and_text_are_read_as_declared(found: Any, how: dict[str, Any], expected: Any) -> None:
    assert read_as(found, **how) == expected


@pytest.mark.parametrize(
    ("found", "how"),
    [
        ("2021-02-30", {"kind": "date"}),
        ("0001-01-01T00:00:00Z", {"kind": "date", "format": "rfc3339", "timezone": CHINA}),
        ("0001-01-01", {"kind": "date"}),
        ("2021-03-09T10:40:00", {"kind": "timestamp"}),
        ("2021-13-09T10:40:00Z", {"kind": "timestamp"}),
        (None, {"kind": "date"}),
        (12.5, {"kind": "integer"}),
        (True, {"kind": "integer"}),
        ("zwölf", {"kind": "integer"}),
        ([1], {"kind": "text"}),
        (1.5, {"kind": "text"}),
    ],
)
def test_what_cannot_be_read_as_declared_is_named(found: Any, how: dict[str, Any]) -> None:
    with pytest.raises(Unusable, match=r"expected .*, found"):
        read_as(found, **how)


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("[]", "line 1", "expected a mapping of keys to values"),
        ("a: 1", "line 1, a", "unknown key, expected one of source, events, facility, file"),
        ("source: 5\nevents: {}", "line 1, source", "expected the URI by which the source calls itself"),
        ("source: urn:x\nevents: {}", "line 2, events", "expected a mapping of keys to values"),
        ("source: urn:x\n", "line 1", "expected events"),
        (f"facility: a b\n{START}{ID}{REST}", "line 1, facility", "expected an id"),
        (START.replace("cost_recorded", "joy") + ID, "line 4, events.t.v1.fact", "expected one of satisfaction_reported, "),
        (START + REST, "line 5, events.t.v1.fields", "expected cost_id too"),
        (START + ID + REST + "      joy: data.j\n", "line 10, events.t.v1.fields.joy", "expected one of cost_id, amount"),
        (START + "      cost_id: 'data.['\n", "line 6, events.t.v1.fields.cost_id", "expected a JMESPath expression, found 'data.['"),
        (START + "      cost_id: f(data)\n", "line 6, events.t.v1.fields.cost_id", "expected a function of JMESPath, found f()"),
        (START + "      cost_id: 5\n", "line 6, events.t.v1.fields.cost_id", "expected a mapping of keys to values"),
        (START + "      cost_id: {as: text}\n", "line 6, events.t.v1.fields.cost_id", "expected either from, an expression, or constant"),
        (START + "      cost_id: {from: a, as: words}\n", "line 6, events.t.v1.fields.cost_id.as", "expected one of text, integer, money"),
        (START + "      cost_id: {from: a, constant: b}\n", "line 6, events.t.v1.fields.cost_id", "expected either from"),
        (START + "      cost_id: {constant: b, as: text}\n", "line 6, events.t.v1.fields.cost_id.as", "expected nothing beside constant"),
        (START + "      cost_id: {from: a, unit: fen}\n", "line 6, events.t.v1.fields.cost_id.unit", "expected only beside as: money"),
        (START + "      amount: {from: a, as: money}\n", "line 6, events.t.v1.fields.amount.unit", "expected one of yuan, fen, wanyuan"),
        (START + "      amount: {from: a, otherwise: 1}\n", "line 6, events.t.v1.fields.amount.otherwise", "expected only beside values"),
        (START + "      amount: {from: a, values: {x: 1}, as: text}\n", "line 6, events.t.v1.fields.amount.as", "expected either values or as"),
        (START + "      amount: {from: a, values: []}\n", "line 6, events.t.v1.fields.amount.values", "expected a mapping"),
        (START + "      incurred_on: {from: a, as: date, format: '%m-%d'}\n", "line 6, events.t.v1.fields.incurred_on.format", "expected rfc3339, or a format with the whole date"),
        (START + "      incurred_on: {from: a, as: date, format: rfc3339}\n", "line 6, events.t.v1.fields.incurred_on", "expected timezone too"),
        (START + "      incurred_on: {from: a, as: date, timezone: Mars}\n", "line 6, events.t.v1.fields.incurred_on.timezone", "expected the name of a time zone"),
        (START + ID + REST + "file: {type: [t]}\n", "line 10, file.type", "expected a type under events: t.v1"),
        (START + ID + REST + "file: {type: t.v1, time: data.d}\n", "line 10, file.time", "expected as: timestamp"),
        (START + ID + REST + "file: {type: t.v1, id: ' '}\n", "line 10, file.id", "expected the heading of a column"),
    ],
)  # fmt: skip
def test_every_fault_of_a_mapping_is_named_by_line_and_path(text: str, place: str, why: str) -> None:
    (found,) = faults_of(text).get(place, [""])[:1]

    assert found.startswith(why), faults_of(text)


def test_all_faults_of_a_mapping_are_named_at_once() -> None:
    text = START.replace("urn:x", "'a b'") + "      cost_id: {from: 'a.[', as: x}\n      amount: {from: a, as: money}\n"

    assert list(faults_of(text)) == [
        "line 6, events.t.v1.fields.cost_id.from",
        "line 6, events.t.v1.fields.cost_id.as",
        "line 7, events.t.v1.fields.amount.unit",
        "line 5, events.t.v1.fields",
        "line 1, source",
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 1\na: 2", "line 2, column 1: expected each key only once"),
        ("\ta", "line 1, column 1"),
        ("a: &x 1\nb: *x", "alias"),
        ("5: a", "as text: 5"),
        ("a: " + "[" * 2000, ""),
        ("x" * (MOST_BYTES + 1), f"expected at most {MOST_BYTES} bytes"),
        ("a: \ud800", "expected UTF-8"),
    ],
)
def test_a_file_that_is_no_yaml_of_ours_is_refused(text: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_mapping(text)

    assert why in str(refused.value)
