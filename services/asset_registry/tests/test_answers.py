"""Every answer has a form of its own; the registry under test is held to them (shared.tests.answered) in every test."""

from datetime import date
from typing import Any

from services.asset_registry.service import AssetRegistry
from services.asset_registry.tests.hall import HALL, add, describe, listed, on
from shared.contracts.work_orders import EquipmentReplaced
from shared.tests.alone import Alone
from shared.tests.answered import without_a_form

DOWNLOADS = {"document", "export_assets", "labels"}
"""What answers a file needs no form."""


def test_every_answer_has_a_form_but_those_that_are_files() -> None:
    assert without_a_form(AssetRegistry) == DOWNLOADS


def test_a_hall_of_which_everything_is_known_is_answered_in_its_form(registry: Alone) -> None:
    hall = registry.new_hall()
    registry.ask("register_facility", facility_id=hall, **HALL, address="昆明市呈贡区", floor_area_m2=12_629)
    registry.ask("register_system", system_id="s", name="电梯", category="lift", commissioned_on="2020-01-01")
    registry.ask("decommission_system", system_id="s", decommissioned_on="2021-02-01", reason="拆除")

    found = registry.service.facility(hall)

    assert (found["address"], found["floor_area_m2"]) == ("昆明市呈贡区", 12_629)
    assert [system["decommissioned_on"] for system in listed(registry, "systems")] == ["2021-02-01"]


def test_whatever_is_said_of_a_point_is_answered_in_its_form(registry: Alone) -> None:
    expected: dict[str, Any] = {"unit": "MPa", "design": "4.20", "low_percent": 90, "high": 5.3}
    add(registry, "P-1", "P-2", location=None, expected=expected)
    describe(registry, maker="甲", model="M", serial="1", supplier="乙", installed_on="2020-01-01")
    describe(registry, "P-1", maker="丙", warranty_until="2024-01-01")
    registry.ask("relocate_point", point_id="P-1", location="二层")
    asked, done = date(2021, 2, 1), date(2021, 2, 20)
    replaced = EquipmentReplaced(work_order_id="w", point_id="P-1", requested_on=asked, replaced_on=done)
    registry.tell("work-order/w", replaced)
    registry.follow()
    on(registry, "2021-03-02")
    registry.ask("retire_points", system_id="hvac", point_ids=["P-1"], reason="拆除")

    found = registry.service.point(registry.hall, "P-1")

    assert [one["what"] for one in found["history"]] == [
        "points_added",
        "equipment_described",
        "equipment_described",
        "point_relocated",
        "point_replaced",
        "points_retired",
    ]
    assert found["expected"] == {"unit": "MPa", "low": "3.78", "high": "5.3", "design": "4.20", "low_percent": "90"}
