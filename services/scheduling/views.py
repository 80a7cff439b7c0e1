"""What scheduling shows, and what it knows of the assets that its plans are about."""

from typing import Any

from sqlalchemy import Boolean, Column, Connection, Integer, MetaData, String, Table, Text, insert, select, update
from sqlalchemy.sql import Delete, Insert, Update
from sqlalchemy.sql.selectable import Select

from shared.contracts.asset_registry import PointsAdded
from shared.contracts.scheduling import (
    OccurrenceExcused,
    OccurrenceMissed,
    OccurrenceOverdue,
    OccurrencePerformed,
    OccurrenceScheduled,
    OccurrenceWithdrawn,
    PlanAdopted,
)
from shared.event import Recorded

metadata = MetaData()
halls = Table(
    "hall",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("timezone", String(80), nullable=False),
)
systems = Table(
    "system",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("system_id", String(80), primary_key=True),
    Column("commissioned_on", String(10), nullable=False),
    Column("decommissioned_on", String(10)),
)
points = Table(
    "point",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("point_id", String(80), primary_key=True),
    Column("system_id", String(80), nullable=False),
)
plans = Table(
    "plan",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("plan_id", String(80), primary_key=True),
    Column("year", Integer, nullable=False),
    Column("items", Integer, nullable=False),
)
occurrences = Table(
    "occurrence",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("occurrence_id", String(80), primary_key=True),
    Column("plan_item_id", String(80), nullable=False),
    Column("system_id", String(80), nullable=False),
    Column("activity", String(20), nullable=False),
    Column("period", String(7), nullable=False),
    Column("window_start", String(10), nullable=False),
    Column("window_end", String(10), nullable=False),
    Column("points", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("excused", Boolean, nullable=False),
    Column("reason", Text),
)


def fold(connection: Connection, recorded: Recorded) -> None:
    """Bring the tables on by one of scheduling's own events."""
    facility, event = recorded.facility, recorded.event
    match event:
        case PlanAdopted():
            row = {"facility": facility, "plan_id": event.plan_id, "year": event.year, "items": len(event.items)}
            connection.execute(insert(plans).values(row))
        case OccurrenceScheduled():
            made: dict[str, Any] = event.data()
            made |= {"facility": facility, "points": len(made.pop("point_ids")), "status": "planned", "excused": False}
            connection.execute(insert(occurrences).values(made))
        case OccurrencePerformed():
            connection.execute(_change(facility, event.occurrence_id, status="performed"))
        case OccurrenceOverdue():
            connection.execute(_change(facility, event.occurrence_id, status="overdue"))
        case OccurrenceMissed():
            connection.execute(_change(facility, event.occurrence_id, status="missed"))
        case OccurrenceWithdrawn():
            connection.execute(_change(facility, event.occurrence_id, status="withdrawn", reason=event.reason))
        case OccurrenceExcused() if not event.point_ids:
            connection.execute(_change(facility, event.occurrence_id, excused=True, reason=event.reason))


def _change(facility: str, occurrence_id: str, **values: Any) -> Update:
    table = occurrences.c
    return update(occurrences).where(table.facility == facility, table.occurrence_id == occurrence_id).values(values)


def add_points(facility: str, added: PointsAdded) -> Insert:
    """Remember the points of a system."""
    return insert(points).values(
        [{"facility": facility, "point_id": point.point_id, "system_id": added.system_id} for point in added.points]
    )


def drop_points(facility: str, point_ids: tuple[str, ...]) -> Delete:
    """Forget points; occurrences that were made with them keep them."""
    return points.delete().where(points.c.facility == facility, points.c.point_id.in_(point_ids))


def waiting(facility: str) -> Select[Any]:
    """The occurrences on which the clock may still have to judge, oldest window first."""
    table = occurrences.c
    still = table.status.in_(("planned", "overdue"))
    return select(occurrences).where(table.facility == facility, still).order_by(table.window_end, table.occurrence_id)
