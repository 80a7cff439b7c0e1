"""The registry as it stood on any day: one question answers for then and for now."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, String, Table, create_engine, select, true

from services.asset_registry.days import change, holds
from services.asset_registry.tests.hall import HVAC, add, describe, ids_of, listed, on
from shared.errors import Invalid, NotFound
from shared.tests.alone import Alone


def there(registry: Alone, as_of: str | None = None) -> dict[str, Any]:
    """Where each point was, whether it was retired, and who made it."""
    shown = listed(registry, "points", as_of=as_of)
    return {point["point_id"]: (point["location"], point["retired"], point["maker"]) for point in shown}


def commissioned(registry: Alone, as_of: str | None = None) -> dict[str, Any]:
    """Since when and until when each system was in commission, as far as had come to pass."""
    shown = listed(registry, "systems", as_of=as_of)
    return {system["system_id"]: (system["commissioned_on"], system["decommissioned_on"]) for system in shown}


def test_points_stand_as_they_stood_on_each_day(registry: Alone) -> None:
    add(registry, "P-1", "P-2")
    on(registry, "2021-03-05")
    registry.ask("relocate_point", point_id="P-1", location="二层")
    describe(registry, maker="甲")
    on(registry, "2021-03-09")
    registry.ask("retire_points", system_id="hvac", point_ids=["P-2"], reason="拆除")
    describe(registry, "P-1", maker="乙")

    before = {"P-1": ("一层", False, None), "P-2": ("一层", False, None)}
    described = {"P-1": ("二层", False, "甲"), "P-2": ("一层", False, "甲")}
    now = {"P-1": ("二层", False, "乙"), "P-2": ("一层", True, "甲")}
    days = ["2021-02-28", "2021-03-01", "2021-03-04", "2021-03-05", "2021-03-08", "2021-03-09", "2999-01-01", None]
    assert [there(registry, day) for day in days] == [{}, before, before, described, described, now, now, now]


def test_the_day_of_a_change_is_that_of_the_halls_time_zone(registry: Alone) -> None:
    on(registry, "2021-03-05", hour=0)  # still March 4 in UTC

    add(registry, "P-1")

    assert ids_of(registry, as_of="2021-03-04") == []
    assert ids_of(registry, as_of="2021-03-05") == ["P-1"]


def test_of_two_changes_on_a_day_the_last_one_holds(registry: Alone) -> None:
    add(registry, "P-1")

    for location in ("二层", "三层"):
        registry.ask("relocate_point", point_id="P-1", location=location)

    assert there(registry) == there(registry, "2021-03-01") == {"P-1": ("三层", False, None)}


def test_systems_stand_as_they_were_in_commission(registry: Alone) -> None:
    registry.ask("decommission_system", system_id="hvac", decommissioned_on="2021-03-31", reason="拆除")
    registry.ask("register_system", **{**HVAC, "name": "新空调", "commissioned_on": "2021-06-01"})

    first, ended, anew = ("2021-01-01", None), ("2021-01-01", "2021-03-31"), ("2021-06-01", None)
    days = ["2020-12-31", "2021-01-01", "2021-03-30", "2021-03-31", "2021-05-31", "2021-06-01", None]
    shown = [commissioned(registry, day).get("hvac") for day in days]
    assert shown == [None, first, first, ended, ended, anew, anew]
    assert listed(registry, "systems", as_of="2021-05-01")[0]["name"] == "空调"


def test_a_system_that_was_registered_anew_from_an_earlier_day_was_never_out_of_commission_since(
    registry: Alone,
) -> None:
    registry.ask("decommission_system", system_id="hvac", decommissioned_on="2021-03-31", reason="拆除")

    registry.ask("register_system", **{**HVAC, "commissioned_on": "2021-02-01"})

    assert commissioned(registry, "2021-01-31")["hvac"] == ("2021-01-01", None)
    assert commissioned(registry, "2021-04-30")["hvac"] == commissioned(registry)["hvac"] == ("2021-02-01", None)


def test_other_equipment_stands_at_a_point_since_the_day_that_it_was_replaced_on(registry: Alone) -> None:
    add(registry, "P-1", "P-2")
    describe(registry, maker="甲", serial="1")
    on(registry, "2021-03-20")

    registry.ask("replace_equipment", point_id="P-1", replaced_on="2021-03-10", nameplate={"maker": "乙"})
    registry.ask("replace_equipment", point_id="P-1", replaced_on="2021-03-05")  # told late: nobody knows what it was

    days = ["2021-03-04", "2021-03-05", "2021-03-09", "2021-03-10", None]
    assert [there(registry, day)["P-1"][2] for day in days] == ["甲", None, None, "乙", "乙"]
    assert registry.service.point(registry.hall, "P-1")["serial"] is None
    assert there(registry)["P-2"] == ("一层", False, "甲")


def test_a_replacement_told_late_does_not_undo_the_next_one_although_that_was_described_the_same_day(
    registry: Alone,
) -> None:
    add(registry, "P-1")
    on(registry, "2021-03-10")
    registry.ask("replace_equipment", point_id="P-1", replaced_on="2021-03-10")
    describe(registry, "P-1", maker="乙")

    registry.ask("replace_equipment", point_id="P-1", replaced_on="2021-03-05", nameplate={"maker": "甲"})

    assert [there(registry, day)["P-1"][2] for day in ("2021-03-09", "2021-03-10")] == ["甲", "乙"]


def test_the_history_of_a_point_ends_with_the_day_asked_about(registry: Alone) -> None:
    add(registry, "P-1", "P-2")
    describe(registry, maker="甲")
    describe(registry, "P-2", maker="丙")
    add(registry, "D-1", equipment="风口")
    describe(registry, equipment="风口", maker="丁")
    registry.ask("relocate_point", point_id="P-2", location="二层")
    on(registry, "2021-03-05")
    registry.ask("relocate_point", point_id="P-1", location="二层")
    registry.ask("retire_points", system_id="hvac", point_ids=["P-2", "P-1"], reason="拆除")

    told = registry.service.point(registry.hall, "P-1")["history"]
    then = registry.service.point(registry.hall, "P-1", as_of="2021-03-01")

    assert [one["what"] for one in told] == [
        "points_added",
        "equipment_described",
        "point_relocated",
        "points_retired",
    ]
    assert told[0]["data"]["points"] == [{"point_id": "P-1", "label": "P-1", "location": "一层"}]
    assert told[3] == {
        "time": "2021-03-05T01:00:00Z",
        "recordedat": "2021-03-05T01:00:00Z",
        "actor": "user:chen",
        "what": "points_retired",
        "data": {"system_id": "hvac", "point_ids": ["P-1"], "reason": "拆除"},
    }
    assert (then["history"], then["location"], then["retired"]) == (told[:2], "一层", False)


def test_a_point_is_not_found_before_it_was_added(registry: Alone) -> None:
    add(registry, "P-1")

    with pytest.raises(NotFound, match="no point P-1"):
        registry.service.point(registry.hall, "P-1", as_of="2021-02-28")


@pytest.mark.parametrize("day", ["", "2021-02-30", "20210301", "2021-3-1", "now"])
def test_what_is_no_day_is_named(registry: Alone, day: str) -> None:
    for ask in (registry.service.systems, registry.service.points, registry.service.equipment):
        with pytest.raises(Invalid) as refused:
            ask(registry.hall, as_of=day)

        assert list(refused.value.errors) == ["as_of"]


SAID = Table(
    "said",
    MetaData(),
    Column("valid_from", String, primary_key=True),
    Column("valid_until", String),
    Column("place", String),
    Column("maker", String),
)
CHANGE = st.tuples(
    st.sampled_from(["place", "maker"]), st.sampled_from("abc"), st.integers(8, 20), st.none() | st.integers(1, 5)
)


@settings(max_examples=50, deadline=None)
@given(st.lists(CHANGE, max_size=8))
def test_the_newest_word_about_a_day_holds(said: list[tuple[str, str, int, int | None]]) -> None:
    expected: dict[int, dict[str, str | None]] = {day: {"place": None, "maker": None} for day in range(10, 31)}
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        SAID.create(connection)
        connection.execute(SAID.insert().values(valid_from="2021-03-10"))
        for column, word, since, length in said:
            until = None if length is None else since + length
            named = None if until is None else f"2021-03-{until:02}"
            change(connection, SAID, true(), {column: word}, day=f"2021-03-{since:02}", until=named)
            for day in range(max(since, 10), until or 31):
                expected[day][column] = word
        asked = {day: select(SAID.c.place, SAID.c.maker).where(holds(SAID, f"2021-03-{day}")) for day in expected}
        found = {day: connection.execute(wanted).mappings().all() for day, wanted in asked.items()}
    engine.dispose()

    assert {day: [dict(row) for row in rows] for day, rows in found.items()} == {
        day: [values] for day, values in expected.items()
    }
