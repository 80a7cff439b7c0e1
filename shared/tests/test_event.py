"""An event means the same on whichever path it is read, and its bytes are canonical."""

import types
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

import shared.contracts  # noqa: F401  the events must be known
from shared import event as language
from shared.contracts.work_orders import CostRecorded, PointsInspected, WorkOrderAssigned, WorkPerformed, WorkStarted
from shared.errors import Invalid
from shared.event import Event, Recorded, canonical, check, check_data, event_types, read, timestamp, upcast
from shared.tests.given import assigned, envelope_of
from shared.tests.random_events import events_of

CLASSES = [cls for type_, cls in sorted(event_types().items())]


def refusal(envelope: Any) -> dict[str, Any]:
    with pytest.raises(Invalid) as refused:
        check(envelope)
    return dict(refused.value.errors)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: str(cls.type))
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_event_comes_back_equal_through_both_doors(cls: type[Event], data: st.DataObject) -> None:
    event = data.draw(events_of(cls))
    envelope = envelope_of(event)

    body = canonical(envelope)

    assert body == rfc8785.dumps(envelope)
    assert read(body).event == event
    assert check(orjson.loads(body)) == read(body)
    assert check_data(cls, orjson.loads(body)["data"]) == event
    assert read(canonical(envelope_of(read(body).event))) == read(body)


def test_a_type_is_service_event_and_version() -> None:
    assert WorkOrderAssigned.type == "work_orders.work_order_assigned.v1"
    assert WorkOrderAssigned.event_name == "work_order_assigned"
    assert event_types()["work_orders.work_order_assigned.v1"] is WorkOrderAssigned


def test_members_of_the_future_are_passed_over_by_both_doors() -> None:
    envelope = envelope_of(assigned(), traceparent="00-1", sequence={"of": [1.5, None]})
    envelope["data"] |= {"shift": "night", "crew": [{"name": "wang"}]}

    body = orjson.dumps(envelope)

    assert read(body).event == assigned()
    assert check(envelope).event == assigned()


@pytest.mark.parametrize(
    "type_",
    ["work_orders.work_order_assigned.v2", "work_orders.work_dreamt_of.v1", "billing.work_order_assigned.v1", "", "v1"],
)
def test_an_unknown_type_or_version_is_refused_by_name(type_: str) -> None:
    envelope = envelope_of(assigned(), type=type_)

    with pytest.raises(Invalid, match=f"'{type_}' is no known event type and version"):
        read(orjson.dumps(envelope))
    assert refusal(envelope) == {"type": [f"{type_!r} is no known event type and version"]}


def test_an_event_from_another_services_source_is_refused() -> None:
    assert "source" in refusal(envelope_of(assigned(), source="/scoring"))


def test_what_is_missing_of_the_envelope_is_named() -> None:
    envelope = envelope_of(assigned())
    del envelope["time"], envelope["facility"]

    assert refusal(envelope) == {"time": ["missing"], "facility": ["missing"]}


@pytest.mark.parametrize("envelope", [None, [], "x", 1, {"type": {}}])
def test_what_is_no_envelope_is_refused(envelope: Any) -> None:
    refusal(envelope)


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"\xff", b'{"id": "1"}', b'{"type": "x", "data": {}}'])
def test_bytes_that_are_no_envelope_are_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        read(body)


@pytest.mark.parametrize("member", ["time", "recordedat"])
@pytest.mark.parametrize("moment", ["2021-03-09T12:00:00", "2021-03-09", "noon", 1615262400, None])
def test_an_envelope_without_an_aware_time_is_refused_by_both_doors(member: str, moment: Any) -> None:
    envelope = envelope_of(assigned(), **{member: moment})

    assert member in str(refusal(envelope))
    with pytest.raises(Invalid, match=member):
        read(orjson.dumps(envelope))


def test_faults_between_fields_are_named() -> None:
    inspection = WorkPerformed(
        work_order_id="wo-1",
        kind="inspection",
        system_id="s-1",
        performed_at=datetime(2021, 3, 9, tzinfo=UTC),
        performed_by="li",
    )

    assert refusal(envelope_of(inspection)) == {"data.occurrence_id": ["expected the occurrence of the inspection"]}


def test_every_fault_is_named_by_its_path() -> None:
    results = [{"point_id": "p 1", "outcome": "normal"}, {"point_id": "p-2", "outcome": "odd", "photos": ["x"]}]
    envelope = envelope_of(PointsInspected(work_order_id="wo-1", system_id="s-1", results=()))
    envelope["data"] |= {"results": results, "system_id": None}

    assert set(refusal(envelope)) == {
        "data.system_id",
        "data.results[0].point_id",
        "data.results[1].outcome",
        "data.results[1].photos[0]",
    }


# --- old versions --------------------------------------------------------------------------------------------------


@contextmanager
def crews() -> Iterator[type[Any]]:
    """A third version of an event: v1 named a person, v2 a crew by one string, v3 by a list."""
    registries: list[dict[str, Any]] = [language._TYPES, language._UPCASTERS, language._READERS]
    before = [dict(registry) for registry in registries]
    space = {"__module__": "shared.contracts.work_orders", "__annotations__": {"members": tuple[str, ...]}}
    cls = types.new_class("CrewAssigned", (Event,), {"version": 3}, lambda body: body.update(space))

    @upcast("work_orders.crew_assigned.v1", "work_orders.crew_assigned.v2")
    def to_v2(data: dict[str, Any]) -> dict[str, Any]:
        data["crew"] = data.pop("person")
        return data

    @upcast("work_orders.crew_assigned.v2", "work_orders.crew_assigned.v3")
    def to_v3(data: dict[str, Any]) -> dict[str, Any]:
        return {"members": data["crew"].split(",")}

    try:
        yield cls
    finally:
        for registry, entries in zip(registries, before, strict=True):
            registry.clear()
            registry.update(entries)


@pytest.mark.parametrize(
    ("version", "data"), [(1, {"person": "li"}), (2, {"crew": "li"}), (3, {"members": ["li"], "shift": "night"})]
)
def test_an_old_version_is_read_as_the_newest_through_both_doors(version: int, data: dict[str, Any]) -> None:
    with crews() as crew_assigned:
        envelope = envelope_of(assigned(), type=f"work_orders.crew_assigned.v{version}", data=data)
        body = orjson.dumps(envelope)

        known = read(body)

        assert known.event == crew_assigned(members=("li",))
        assert known.type == f"work_orders.crew_assigned.v{version}"
        assert check(envelope) == known
        assert orjson.dumps(envelope) == body


def test_an_old_version_that_cannot_be_upcast_is_refused_through_both_doors() -> None:
    with crews():
        strange: list[Any] = [{}, {"person": 7}, {"person": None}, [], None]
        for data in strange:
            envelope = envelope_of(assigned(), type="work_orders.crew_assigned.v1", data=data)

            assert "data" in refusal(envelope)
            with pytest.raises(Invalid, match=r"cannot be read as work_orders\.crew_assigned\.v"):
                read(orjson.dumps(envelope))


def test_an_upcast_event_is_checked_like_a_new_one() -> None:
    with crews():
        envelope = envelope_of(assigned(), type="work_orders.crew_assigned.v1", data={"person": "a\0b"})

        assert set(refusal(envelope)) == {"data.members[0]"}


# --- canonical bytes -----------------------------------------------------------------------------------------------

SAFE = 2**53 - 1
NAMES = st.text(st.characters(max_codepoint=127), max_size=8)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["\0\x01\x1f\x7f\x80", '"\\/\b\f\n\r\t', "\u2028\u2029", "𝌆😀", "巡检", "\ufeff", "\ufffe\uffff"]
)
NUMBERS = st.integers(-SAFE, SAFE) | st.sampled_from([SAFE, -SAFE, 0, 2**31, -(2**31), 10**15])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=15,
)


@settings(max_examples=300, deadline=None)
@given(value=st.dictionaries(NAMES, JSON, max_size=6))
def test_canonical_bytes_are_those_of_rfc_8785(value: dict[str, Any]) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("number", [1.0, 0.1, float("nan"), float("inf"), 2**53, -(2**53), 2**63, 10**30])
def test_a_number_without_exact_canonical_form_is_refused(number: float) -> None:
    for value in ({"a": number}, {"a": {"b": [0, [number]]}}):
        with pytest.raises(TypeError, match="no exact canonical form"):
            canonical(value)


def test_half_a_surrogate_pair_has_no_canonical_form() -> None:
    with pytest.raises(TypeError):
        canonical({"a": "\ud800"})


# --- times ---------------------------------------------------------------------------------------------------------


def test_a_timestamp_is_utc_and_ends_in_z() -> None:
    noon = datetime(2021, 3, 9, 12, 0, 0, 500, tzinfo=timezone(timedelta(hours=8)))

    assert timestamp(noon) == "2021-03-09T04:00:00.000500Z"


def test_a_naive_timestamp_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        timestamp(datetime(2021, 3, 9, 12))  # noqa: DTZ001  that is the point


def test_an_event_with_a_naive_time_cannot_be_read_back() -> None:
    naive = WorkStarted(work_order_id="wo-1", at=datetime(2021, 3, 9, 12))  # noqa: DTZ001  that is the point

    with pytest.raises(Invalid, match="timezone"):
        read(canonical(envelope_of(naive)))


# --- what strangers send -------------------------------------------------------------------------------------------

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(
        ["wo-1", "2021-03-09", "2021-03-09T12:00:00+08:00", "120.00", "1e5", "１２.００", "\ud800", "\0"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(cls=st.sampled_from(CLASSES), data=st.data())
def test_whatever_a_stranger_sends_is_read_equal_or_refused_as_invalid(cls: type[Event], data: st.DataObject) -> None:
    envelope = envelope_of(data.draw(events_of(cls)))
    part: dict[str, Any] = data.draw(st.sampled_from([envelope, envelope["data"]]))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(ODD)

    try:
        accepted: Recorded = check(envelope)
    except Invalid:
        return

    written = canonical(envelope_of(accepted.event))
    assert read(orjson.dumps(envelope)) == accepted
    assert read(written).event == accepted.event
    assert check(orjson.loads(written)).event == accepted.event


@pytest.mark.parametrize(
    "amount", ["120", "120.0", "120.000", "1e2", " 1.00", "NaN", "１２.００", 120, 120.0, True, None]
)
def test_money_is_a_string_with_two_decimals(amount: Any) -> None:
    cost = {"cost_id": "c-1", "amount": amount, "category": "service", "incurred_on": "2021-03-09"}

    with pytest.raises(Invalid) as refused:
        check_data(CostRecorded, cost, path="data")

    assert set(refused.value.errors) == {"data.amount"}
