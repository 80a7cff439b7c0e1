"""The rules of building systems and their points."""

from datetime import UTC, date, datetime

import pytest

from services.asset_registry.aggregate import MOST_POINTS, System
from shared.contracts.asset_registry import (
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


def test_points_that_are_there_are_retired_and_then_are_there_no_more() -> None:
    system = System.replay("hvac", [REGISTERED, added("P-1", "P-2")])

    system.retire_points(("P-1",), "拆除", NOON)

    assert system.new_events == [(RETIRED, NOON)]
    for moved_on in (system, System.replay("hvac", [REGISTERED, added("P-1", "P-2"), RETIRED])):
        with pytest.raises(Rejected, match="no points of hvac: P-1"):
            moved_on.retire_points(("P-2", "P-1"), "拆除", NOON)
        with pytest.raises(Rejected, match="no point of hvac: P-1"):
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

    with pytest.raises(Rejected, match="no point of hvac: P-9"):
        system.relocate_point("P-9", "二层", NOON)

    assert system.new_events == []
