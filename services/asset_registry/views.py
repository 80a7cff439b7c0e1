"""What the asset registry shows: facilities, systems, and points as they stand now."""

from sqlalchemy import BigInteger, Boolean, Column, Connection, MetaData, String, Table, Text, insert, update

from shared.contracts.asset_registry import (
    FacilityRegistered,
    PointRelocated,
    PointsAdded,
    PointsRetired,
    SystemDecommissioned,
    SystemRegistered,
)
from shared.event import Recorded

metadata = MetaData()
facilities = Table(
    "facility",
    metadata,
    Column("facility_id", String(80), primary_key=True),
    Column("name", Text, nullable=False),
    Column("uscc", String(18), nullable=False),
    Column("region_code", String(12), nullable=False),
    Column("address", Text),
    Column("floor_area_m2", BigInteger),
    Column("timezone", String(80), nullable=False),
)
systems = Table(
    "system",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("system_id", String(80), primary_key=True),
    Column("name", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("commissioned_on", String(10), nullable=False),
    Column("decommissioned_on", String(10)),
)
points = Table(
    "point",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("point_id", String(80), primary_key=True),
    Column("system_id", String(80), nullable=False),
    Column("equipment", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("location", Text),
    Column("retired", Boolean, nullable=False),
)


def fold(connection: Connection, recorded: Recorded) -> None:
    """Bring the tables on by one event."""
    facility, event = recorded.facility, recorded.event
    match event:
        case FacilityRegistered():
            connection.execute(insert(facilities).values(event.data()))
        case SystemRegistered():
            row = {"decommissioned_on": None, **event.data(), "facility": facility}
            known = (systems.c.facility == facility) & (systems.c.system_id == event.system_id)
            if connection.execute(update(systems).where(known).values(row)).rowcount == 0:
                connection.execute(insert(systems).values(row))
        case SystemDecommissioned():
            known = (systems.c.facility == facility) & (systems.c.system_id == event.system_id)
            connection.execute(update(systems).where(known).values(decommissioned_on=str(event.decommissioned_on)))
        case PointsAdded():
            connection.execute(insert(points), [_point(facility, event, number) for number in range(len(event.points))])
        case PointsRetired():
            retired = (points.c.facility == facility) & points.c.point_id.in_(event.point_ids)
            connection.execute(update(points).where(retired).values(retired=True))
        case PointRelocated():
            moved = (points.c.facility == facility) & (points.c.point_id == event.point_id)
            connection.execute(update(points).where(moved).values(location=event.location))


def _point(facility: str, added: PointsAdded, number: int) -> dict[str, object]:
    point = added.points[number]
    return {
        "facility": facility,
        "point_id": point.point_id,
        "system_id": added.system_id,
        "equipment": added.equipment,
        "label": point.label,
        "location": point.location,
        "retired": False,
    }
