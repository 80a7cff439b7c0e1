"""The asset registry's commands on its ledger and views, on both databases."""

from typing import Any

import pytest

from services.asset_registry.tests.hall import HALL, HVAC, add, ids_of, listed
from shared.contracts.asset_registry import PointRelocated, PointsAdded
from shared.errors import Invalid, NotFound, Rejected
from shared.tests.alone import Alone
from shared.tests.given import assert_chain


def points_of(registry: Alone, system: str = "hvac") -> dict[str, Any]:
    """The points of a system as shown: (where, whether retired) by id."""
    shown = listed(registry, "points", system_id=system)
    return {point["point_id"]: (point["location"], point["retired"]) for point in shown}


def test_what_is_registered_is_shown(registry: Alone) -> None:
    add(registry, "P-1", "P-2")

    registry.ask("relocate_point", point_id="P-1", location="二层")
    registry.ask("retire_points", system_id="hvac", point_ids=["P-2"], reason="拆除")

    shown = {**HALL, "facility_id": registry.hall, "address": None, "floor_area_m2": None}
    assert registry.service.facility(registry.hall) == shown
    assert shown in registry.service.facilities(q=registry.hall)["items"]
    assert ids_of(registry, "systems", "system_id") == ["hvac", "water"]
    assert points_of(registry) == {"P-1": ("二层", False), "P-2": ("一层", True)}
    assert_chain(registry.ledger, registry.hall)


def test_what_is_not_there_is_not_found(registry: Alone) -> None:
    with pytest.raises(NotFound):
        registry.service.facility("elsewhere")
    with pytest.raises(NotFound):
        registry.ask("relocate_point", point_id="P-1", location="二层")
    with pytest.raises(NotFound):
        registry.ask("decommission_system", system_id="pumps", decommissioned_on="2021-03-31", reason="拆除")
    with pytest.raises(NotFound):
        add(registry, "P-1", system="pumps")
    with pytest.raises(NotFound):
        registry.ask("retire_points", system_id="pumps", point_ids=["P-1"], reason="拆除")

    assert len(registry.events()) == 3


def test_a_system_is_registered_only_in_a_registered_facility(registry: Alone) -> None:
    registry.hall = "elsewhere"

    with pytest.raises(NotFound, match="no facility elsewhere"):
        registry.ask("register_system", **HVAC)

    assert registry.events() == []


def test_the_id_of_a_point_is_taken_in_the_whole_facility_also_once_it_is_retired(registry: Alone) -> None:
    add(registry, "P-1", "P-2")
    registry.ask("retire_points", system_id="hvac", point_ids=["P-1"], reason="拆除")

    for system in ("water", "hvac"):
        with pytest.raises(Rejected, match=r"P-1"):
            add(registry, "P-3", "P-1", system=system)

    assert len(registry.events(PointsAdded)) == 1


def test_a_point_is_relocated_within_the_system_that_has_it(registry: Alone) -> None:
    add(registry, "P-1", system="water")

    registry.ask("relocate_point", point_id="P-1", location="二层")

    (relocated,) = registry.recorded(PointRelocated)
    assert relocated.subject == "system/water"


def test_a_system_registered_anew_is_shown_in_commission(registry: Alone) -> None:
    registry.ask("decommission_system", system_id="hvac", decommissioned_on="2021-03-31", reason="拆除")
    shown = {system["system_id"]: system["decommissioned_on"] for system in listed(registry, "systems")}

    registry.ask("register_system", **{**HVAC, "commissioned_on": "2021-06-01"})

    assert shown == {"hvac": "2021-03-31", "water": None}
    hvac, _ = listed(registry, "systems")
    assert (hvac["commissioned_on"], hvac["decommissioned_on"]) == ("2021-06-01", None)


def test_as_many_points_as_a_group_may_have_are_written_at_once(registry: Alone) -> None:
    ids = [f"P-{number}" for number in range(5000)]

    add(registry, *ids)
    registry.ask("retire_points", system_id="hvac", point_ids=ids, reason="拆除")

    assert set(points_of(registry).values()) == {("一层", True)}


def test_a_command_repeated_under_its_key_appends_nothing(registry: Alone) -> None:
    asked: dict[str, Any] = {"system_id": "hvac", "equipment": "室内机", "points": [{"point_id": "P-1", "label": "1"}]}
    registry.ask("add_points", key=f"again-{registry.hall}", **asked)

    registry.ask("add_points", key=f"again-{registry.hall}", **asked)

    assert len(registry.events(PointsAdded)) == 1


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("register_system", {**HVAC, "system_id": "泵"}, "system_id"),
    ("register_system", {**HVAC, "name": "  "}, "name"),
    ("register_system", {**HVAC, "commissioned_on": "2021-02-30"}, "commissioned_on"),
    ("register_system", {**HVAC, "colour": "red"}, "colour"),
    ("retire_points", {"system_id": "hvac", "point_ids": [], "reason": "拆除"}, "point_ids"),
    ("retire_points", {"system_id": "hvac", "point_ids": ["a b"], "reason": "拆除"}, "point_ids[0]"),
    ("add_points", {"system_id": "hvac", "equipment": "e", "points": [{"point_id": "P"}]}, "points[0].label"),
]


def test_what_is_wrong_with_a_command_is_named(registry: Alone) -> None:
    for command, asked, field in WRONG:
        with pytest.raises(Invalid) as refused:
            registry.ask(command, **asked)

        assert list(refused.value.errors) == [field]

    assert len(registry.events()) == 3
