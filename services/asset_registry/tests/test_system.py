"""The rules of building systems and their points."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from services.asset_registry.aggregate import LONGEST_NAME, MOST_POINTS, System
from services.asset_registry.nameplates import MOST_DOCUMENTS
from shared.contracts.asset_registry import (
    Document,
    EquipmentDescribed,
    Expected,
    Nameplate,
    Point,
    PointRelocated,
    PointsAdded,
    PointsRetired,
    SystemDecommissioned,
    SystemRegistered,
)
from shared.errors import Invalid, Rejected

NOON = datetime(2021, 3, 9, 4, tzinfo=UTC)
REGISTERED = SystemRegistered(system_id="hvac", name="空调", category="空调", commissioned_on=date(2021, 1, 1))
DECOMMISSIONED = SystemDecommissioned(system_id="hvac", decommissioned_on=date(2021, 3, 31), reason="拆除")
RETIRED = PointsRetired(system_id="hvac", point_ids=("P-1",), reason="拆除")
DESCRIBED = EquipmentDescribed(system_id="hvac", equipment="室内机", nameplate=Nameplate(maker="甲"))


def points(*ids: str) -> tuple[Point, ...]:
    """Points with these ids."""
    return tuple(Point(point_id=id_, label=id_) for id_ in ids)


def added(*ids: str) -> PointsAdded:
    """A group of points."""
    return PointsAdded(system_id="hvac", equipment="室内机", points=points(*ids))


def test_a_system_in_commission_is_not_registered_again() -> None:
    system = System.replay("hvac", [REGISTERED])

    with pytest.raises(Rejected, match="in commission already"):
        system.register(REGISTERED, NOON)

    assert system.new_events == []


def test_a_system_out_of_commission_is_registered_anew_and_keeps_its_points() -> None:
    system = System.replay("hvac", [REGISTERED, added("P-1"), DECOMMISSIONED])

    system.register(REGISTERED, NOON)
    system.relocate_point("P-1", "二层", NOON)

    assert system.new_events == [(REGISTERED, NOON), (PointRelocated(point_id="P-1", location="二层"), NOON)]


def test_a_system_is_decommissioned_once() -> None:
    system = System.replay("hvac", [REGISTERED])

    system.decommission(date(2021, 3, 31), "拆除", NOON)

    assert system.new_events == [(DECOMMISSIONED, NOON)]
    with pytest.raises(Rejected, match="not in commission"):
        system.decommission(date(2021, 3, 31), "拆除", NOON)


def test_a_system_is_not_decommissioned_before_it_was_in_commission() -> None:
    system = System.replay("hvac", [REGISTERED])

    with pytest.raises(Invalid) as refused:
        system.decommission(date(2020, 12, 31), "拆除", NOON)

    assert list(refused.value.errors) == ["decommissioned_on"]
    system.decommission(date(2021, 1, 1), "误装", NOON)
    assert len(system.new_events) == 1


def test_points_are_added_while_the_system_is_in_commission() -> None:
    system = System.replay("hvac", [REGISTERED])

    system.add_points("室内机", points("P-1", "P-2"), NOON)

    assert system.new_events == [(added("P-1", "P-2"), NOON)]
    for never in (System.replay("hvac", [REGISTERED, DECOMMISSIONED]), System("hvac")):
        with pytest.raises(Rejected, match="not in commission"):
            never.add_points("室内机", points("P-1"), NOON)


def test_a_point_is_added_once() -> None:
    system = System.replay("hvac", [REGISTERED, added("P-1")])

    with pytest.raises(Rejected, match="already: P-1"):
        system.add_points("风口", points("P-2", "P-1"), NOON)

    assert system.new_events == []


@pytest.mark.parametrize("ids", [(), ("P-1", "P-2", "P-1"), tuple(f"P-{number}" for number in range(MOST_POINTS + 1))])
def test_a_group_has_some_points_not_too_many_and_each_once(ids: tuple[str, ...]) -> None:
    system = System.replay("hvac", [REGISTERED])

    with pytest.raises(Invalid) as refused:
        system.add_points("室内机", points(*ids), NOON)

    assert list(refused.value.errors) == ["points"]
    assert system.new_events == []


def test_the_id_of_a_retired_point_is_never_used_again() -> None:
    system = System.replay("hvac", [REGISTERED, added("P-1"), RETIRED])

    with pytest.raises(Rejected, match="already: P-1"):
        system.add_points("室内机", points("P-1"), NOON)

    assert system.new_events == []


def test_a_lower_limit_is_recorded_as_the_share_of_the_design_value_that_it_is() -> None:
    system = System.replay("hvac", [REGISTERED])
    expected = Expected(unit="MPa", design=Decimal("4.2"), low_percent=Decimal(90))

    system.add_points("瓶组", (Point(point_id="P-1", label="1", expected=expected),), NOON)

    ((event, _),) = system.new_events
    assert isinstance(event, PointsAdded)
    assert event.points[0].expected == replace(expected, low=Decimal("3.78"))


def test_what_is_wrong_with_points_is_named_point_by_point() -> None:
    system = System.replay("hvac", [REGISTERED])
    wrong = (
        Point(point_id="P-1", label=" ", location=""),
        Point(point_id="P-2", label="2", expected=Expected(unit="MPa", low=Decimal(2), high=Decimal(1))),
        Point(point_id="P-3", label="3", nameplate=Nameplate(maker=" ", installed_on=date(2021, 3, 11))),
    )

    with pytest.raises(Invalid) as refused:
        system.add_points("瓶组", wrong, NOON)

    assert set(refused.value.errors) == {
        "points[0].label",
        "points[0].location",
        "points[1].expected.high",
        "points[2].nameplate.maker",
        "points[2].nameplate.installed_on",
    }
    assert system.new_events == []


def test_the_name_of_a_group_is_not_too_long() -> None:
    system = System.replay("hvac", [REGISTERED])

    with pytest.raises(Invalid) as refused:
        system.add_points("机" * (LONGEST_NAME + 1), points("P-1"), NOON)

    assert list(refused.value.errors) == ["equipment"]
    system.add_points("机" * LONGEST_NAME, points("P-1"), NOON)
    assert len(system.new_events) == 1


def test_equipment_is_described_as_long_as_points_of_it_are_in_use() -> None:
    system = System.replay("hvac", [REGISTERED, added("P-1"), DECOMMISSIONED])

    system.describe_equipment(DESCRIBED, NOON)

    assert system.new_events == [(DESCRIBED, NOON)]
    with pytest.raises(Rejected, match="no equipment of hvac: 室内机"):
        System.replay("hvac", [REGISTERED, added("P-1"), RETIRED]).describe_equipment(DESCRIBED, NOON)


def test_a_description_names_at_most_so_many_documents() -> None:
    system = System.replay("hvac", [REGISTERED, added("P-1")])
    documents = tuple(Document(sha256=f"{number:064}", title="说明书") for number in range(MOST_DOCUMENTS + 1))

    with pytest.raises(Invalid) as refused:
        system.describe_equipment(replace(DESCRIBED, documents=documents), NOON)

    assert list(refused.value.errors) == ["documents"]
    system.describe_equipment(replace(DESCRIBED, documents=documents[1:]), NOON)
    assert len(system.new_events) == 1


def test_points_that_are_there_are_retired_and_then_are_there_no_more() -> None:
    system = System.replay("hvac", [REGISTERED, added("P-1", "P-2")])

    system.retire_points(("P-1",), "拆除", NOON)

    assert system.new_events == [(RETIRED, NOON)]
    for moved_on in (system, System.replay("hvac", [REGISTERED, added("P-1", "P-2"), RETIRED])):
        with pytest.raises(Rejected, match="no points of hvac: P-1"):
            moved_on.retire_points(("P-2", "P-1"), "拆除", NOON)
        with pytest.raises(Rejected, match="no points of hvac: P-1"):
            moved_on.relocate_point("P-1", "二层", NOON)


@pytest.mark.parametrize("ids", [(), ("P-1", "P-1")])
def test_some_points_are_retired_each_once(ids: tuple[str, ...]) -> None:
    system = System.replay("hvac", [REGISTERED, added("P-1")])

    with pytest.raises(Invalid) as refused:
        system.retire_points(ids, "拆除", NOON)

    assert list(refused.value.errors) == ["point_ids"]
    assert system.new_events == []


def test_a_point_of_another_system_is_not_relocated() -> None:
    system = System.replay("hvac", [REGISTERED, added("P-1")])

    with pytest.raises(Rejected, match="no points of hvac: P-9"):
        system.relocate_point("P-9", "二层", NOON)

    assert system.new_events == []
