"""What work orders know of the assets that work is about, as the asset registry told it."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from services.work_orders.tables import halls, points, systems
from shared.contracts.asset_registry import (
    Expected,
    FacilityRegistered,
    PointRelocated,
    PointsAdded,
    PointsRetired,
    SystemDecommissioned,
    SystemRegistered,
)
from shared.errors import Unavailable
from shared.event import Recorded
from shared.unit import Unit


def fold(connection: Connection, recorded: Recorded) -> None:
    """Bring the tables on by what the asset registry told."""
    facility, event = recorded.facility, recorded.event
    match event:
        case FacilityRegistered():
            connection.execute(insert(halls).values(facility=facility, name=event.name, timezone=event.timezone))
        case SystemRegistered():
            row = {"facility": facility, "system_id": event.system_id, "name": event.name}
            connection.execute(delete(systems).where(_system(facility, event.system_id)))
            connection.execute(insert(systems).values(row))
        case SystemDecommissioned():
            ended = update(systems).values(decommissioned_on=event.decommissioned_on.isoformat())
            connection.execute(ended.where(_system(facility, event.system_id)))
        case PointsAdded():
            _add_points(connection, facility, event)
        case PointsRetired():
            connection.execute(update(points).where(_points(facility, event.point_ids)).values(retired=True))
        case PointRelocated():
            moved = update(points).where(_points(facility, [event.point_id]))
            connection.execute(moved.values(location=event.location))


def zone_of(do: Unit) -> ZoneInfo:
    """The facility's time zone, by which a day ends; raises Unavailable until the asset registry told it."""
    rows = do.rows(select(halls.c.timezone).where(halls.c.facility == do.facility))
    if not rows:
        raise Unavailable(f"the time zone of {do.facility} is not known yet")
    return ZoneInfo(rows[0].timezone)


def expectations(do: Unit, point_ids: Sequence[str]) -> dict[str, Expected | None]:
    """The expected readings of those of some points that are known; None where a point has none."""
    rows = do.rows(select(points.c.point_id, points.c.expected).where(_points(do.facility, point_ids)))
    return {row.point_id: msgspec.convert(row.expected, Expected | None) for row in rows}


def faults(do: Unit, system_id: str, point_ids: Sequence[str]) -> dict[str, list[str]]:
    """Why new work cannot be about a system and points, by field: unknown, out of commission, retired, named twice."""
    rows = do.rows(select(systems.c.decommissioned_on).where(_system(do.facility, system_id)))
    if not rows:
        return {"system_id": [f"expected a registered system, not {system_id}"]}
    found: dict[str, list[str]] = {}
    if (ended := rows[0].decommissioned_on) and ended < do.today(zone_of(do).key).isoformat():
        found["system_id"] = [f"{system_id} went out of commission on {ended}"]
    known = {row.point_id: row for row in do.rows(select(points).where(_points(do.facility, point_ids)))}
    seen: set[str] = set()
    for number, id_ in enumerate(point_ids):
        if id_ not in known or known[id_].system_id != system_id:
            found[f"point_ids[{number}]"] = [f"expected a point of system {system_id}, not {id_}"]
        elif known[id_].retired:
            found[f"point_ids[{number}]"] = [f"{id_} is retired"]
        elif id_ in seen:
            found[f"point_ids[{number}]"] = [f"{id_} is twice"]
        seen.add(id_)
    return found


def _add_points(connection: Connection, facility: str, added: PointsAdded) -> None:
    group = {"facility": facility, "system_id": added.system_id, "equipment": added.equipment, "retired": False}
    rows = [
        {
            **group,
            "point_id": point.point_id,
            "label": point.label,
            "location": point.location,
            "expected": None if point.expected is None else _limits(point.expected),
        }
        for point in added.points
    ]
    connection.execute(delete(points).where(_points(facility, [point.point_id for point in added.points])))
    if rows:
        connection.execute(insert(points), rows)


def _limits(expected: Expected) -> dict[str, str | None]:
    """Numbers as text, exact as they were told."""
    low, high = expected.low, expected.high
    return {
        "unit": expected.unit,
        "low": None if low is None else str(low),
        "high": None if high is None else str(high),
    }


def _system(facility: str, system_id: str) -> ColumnElement[bool]:
    return (systems.c.facility == facility) & (systems.c.system_id == system_id)


def _points(facility: str, point_ids: Sequence[str]) -> ColumnElement[bool]:
    return (points.c.facility == facility) & points.c.point_id.in_(point_ids)
