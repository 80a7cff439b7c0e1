"""Lists of systems and points: searched, filtered, sorted, and in pages."""

import pytest

from services.asset_registry.tests.hall import add, describe, ids_of, listed
from shared.errors import Invalid
from shared.tests.alone import Alone


@pytest.fixture
def stocked(registry: Alone) -> Alone:
    """A registry with a few points that differ."""
    add(registry, "P-1", label="内机 甲", location="三层 大厅")
    add(registry, "P-2", label="内机 乙", location="三层 100%_room")
    add(registry, "p-3", label="内机 丙", location=None, nameplate={"serial": "SN-77", "warranty_until": "2022-05-01"})
    add(registry, "W-1", system="water", equipment="水泵", label="泵", nameplate={"maker": "Grundfos", "model": "CR 5"})
    describe(registry, maker="格力", warranty_until="2023-01-01")
    return registry


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("P-", ["P-1", "P-2", "p-3"]),
        ("p-3", ["p-3"]),
        ("内机", ["P-1", "P-2", "p-3"]),
        ("大厅", ["P-1"]),
        ("sn-7", ["p-3"]),
        ("GRUND", ["W-1"]),
        ("cr 5", ["W-1"]),
        ("格力", ["P-1", "P-2"]),
        ("100%_", ["P-2"]),
        ("%", ["P-2"]),
        ("_", ["P-2"]),
        ("\\", []),
        ("/", []),
        ("'; DROP TABLE point; --", []),
    ],
)
def test_points_are_found_by_what_names_them_or_their_equipment(stocked: Alone, q: str, found: list[str]) -> None:
    assert ids_of(stocked, q=q) == found


def test_points_are_filtered(stocked: Alone) -> None:
    stocked.ask("retire_points", system_id="hvac", point_ids=["P-2"], reason="拆除")

    assert ids_of(stocked, system_id="water") == ["W-1"]
    assert ids_of(stocked, equipment="室内机") == ["P-1", "P-2", "p-3"]
    assert ids_of(stocked, location="三层") == ["P-1", "P-2"]
    assert ids_of(stocked, location="ROOM") == ["P-2"]
    assert ids_of(stocked, retired=True) == ["P-2"]
    assert ids_of(stocked, retired=False) == ["P-1", "W-1", "p-3"]
    assert ids_of(stocked, warranty_before="2022-05-01") == []
    assert ids_of(stocked, warranty_before="2022-05-02") == ["p-3"]
    assert ids_of(stocked, warranty_before="2024-01-01", retired=False) == ["P-1", "p-3"]
    assert ids_of(stocked, system_id="water", equipment="室内机") == []
    with pytest.raises(Invalid) as refused:
        ids_of(stocked, warranty_before="soon")
    assert list(refused.value.errors) == ["warranty_before"]


def test_points_come_in_pages_each_once(stocked: Alone) -> None:
    for sort, expected in (
        ("point_id", ["P-1", "P-2", "W-1", "p-3"]),
        ("-point_id", ["p-3", "W-1", "P-2", "P-1"]),
        ("label", ["p-3", "P-2", "P-1", "W-1"]),
        ("-label", ["W-1", "P-1", "P-2", "p-3"]),
    ):
        assert ids_of(stocked, sort=sort, limit=1) == ids_of(stocked, sort=sort, limit=3) == expected


def test_a_page_of_points_shows_all_of_each(stocked: Alone) -> None:
    (pump,) = listed(stocked, "points", system_id="water")

    assert pump == {
        "point_id": "W-1",
        "system_id": "water",
        "equipment": "水泵",
        "label": "泵",
        "location": "一层",
        "retired": False,
        "expected": None,
        "maker": "Grundfos",
        "model": "CR 5",
        "serial": None,
        "supplier": None,
        "installed_on": None,
        "warranty_until": None,
    }


def test_systems_are_searched_filtered_and_sorted(stocked: Alone) -> None:
    stocked.ask("register_system", system_id="a-lift", name="电梯", category="电梯", commissioned_on="2020-01-01")

    assert ids_of(stocked, "systems", "system_id") == ["a-lift", "hvac", "water"]
    assert ids_of(stocked, "systems", "system_id", q="HVA") == ["hvac"]
    assert ids_of(stocked, "systems", "system_id", q="排水") == ["water"]
    assert ids_of(stocked, "systems", "system_id", category="电梯") == ["a-lift"]
    assert ids_of(stocked, "systems", "system_id", sort="-commissioned_on", limit=1) == ["water", "hvac", "a-lift"]
    assert ids_of(stocked, "systems", "name", sort="name") == sorted(["电梯", "空调", "给排水"])


def test_an_unknown_order_is_named(stocked: Alone) -> None:
    for what in ("systems", "points", "equipment"):
        with pytest.raises(Invalid) as refused:
            listed(stocked, what, sort="colour")
        assert list(refused.value.errors) == ["sort"]
