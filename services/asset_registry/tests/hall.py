"""A hall with two systems, hvac and water, and what is commonly asked of its registry."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.tests.alone import Alone

HALL: dict[str, Any] = {
    "name": "政务中心",
    "uscc": "11530121MB198972XH",
    "region_code": "530114",
    "timezone": "Asia/Shanghai",
}
HVAC = {"system_id": "hvac", "name": "空调", "category": "空调", "commissioned_on": "2021-01-01"}
MARCH_1 = datetime(2021, 3, 1, 9, tzinfo=ZoneInfo(HALL["timezone"])).astimezone(UTC)


def open_hall(registry: Alone) -> Alone:
    """A hall that nothing else is known of, on the morning of 2021-03-01."""
    registry.set_time(MARCH_1)
    registry.ask("register_facility", **HALL, facility_id=registry.new_hall())
    registry.ask("register_system", **HVAC)
    registry.ask("register_system", **{**HVAC, "system_id": "water", "name": "给排水", "category": "给排水"})
    return registry


def on(registry: Alone, day: str, hour: int = 9) -> None:
    """Let it be some hour of a local day."""
    registry.set_time(datetime.fromisoformat(day).replace(hour=hour, tzinfo=ZoneInfo(HALL["timezone"])))


def add(registry: Alone, *ids: str, system: str = "hvac", equipment: str = "室内机", **members: Any) -> None:
    """Add points on the first floor to a system."""
    points = [{"point_id": id_, "label": id_, "location": "一层", **members} for id_ in ids]
    registry.ask("add_points", system_id=system, equipment=equipment, points=points)


def describe(registry: Alone, *ids: str, equipment: str = "室内机", documents: Any = (), **nameplate: str) -> None:
    """Say what a group of hvac is, or what stands at these points of it."""
    registry.ask(
        "describe_equipment",
        system_id="hvac",
        equipment=equipment,
        nameplate=nameplate,
        documents=documents,
        point_ids=ids or None,
    )


def listed(registry: Alone, what: str, **asked: Any) -> list[dict[str, Any]]:
    """All items of a list, however many pages it has."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        found = getattr(registry.service, what)(registry.hall, cursor=cursor, **asked)
        items += found["items"]
        if (cursor := found["next"]) is None:
            return items


def ids_of(registry: Alone, what: str = "points", member: str = "point_id", **asked: Any) -> list[str]:
    """One member of each item of a list."""
    return [item[member] for item in listed(registry, what, **asked)]
