"""What scheduling shows, and what it knows of the assets that its plans are about."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.sql import Insert, Update
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.selectable import Select

from shared.contracts.asset_registry import (
    FacilityRegistered,
    PointsAdded,
    PointsRetired,
    SystemDecommissioned,
    SystemRegistered,
)
from shared.contracts.scheduling import (
    OccurrenceExcused,
    OccurrenceMissed,
    OccurrenceOverdue,
    OccurrencePerformed,
    OccurrenceScheduled,
    OccurrenceWithdrawn,
    PlanAdopted,
)
from shared.event import Event, Recorded, timestamp

metadata = MetaData()
halls = Table(
    "hall",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("name", Text, nullable=False),
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
    Column("told_on", String(10), nullable=False),  # the local day of the event that said so
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
plan_items = Table(  # an item stands in one plan of a year only, also where two are adopted at the same time
    "plan_item",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("plan_item_id", String(80), primary_key=True),
    Column("plan_id", String(80), nullable=False),
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
    Column("because", String(20)),
    Column("assignee", Text),
    Column("changed_at", String(40), nullable=False),
)
leaving = Table(  # begun visits that a system out of commission takes away, unless work in them turns out to be done
    "leaving",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("occurrence_id", String(80), primary_key=True),
    Column("told_on", String(10), nullable=False),
    Column("reason", Text, nullable=False),
)
jobs = Table(
    "job",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("work_order_id", String(80), primary_key=True),
    Column("occurrence_id", String(80), nullable=False),
)
doers = Table(
    "doer",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("position", BigInteger, primary_key=True),  # of the event in the ledger of work_orders that named them
    Column("occurrence_id", String(80), nullable=False),
    Column("doer", Text, nullable=False),
)


def fold(connection: Connection, recorded: Recorded) -> None:
    """Bring the tables on by one of scheduling's own events."""
    facility, event = recorded.facility, recorded.event
    match event:
        case PlanAdopted():
            row = {"facility": facility, "plan_id": event.plan_id, "year": event.year, "items": len(event.items)}
            connection.execute(insert(plans).values(row))
            here = {"facility": facility, "plan_id": event.plan_id, "year": event.year}
            connection.execute(
                insert(plan_items).values([{**here, "plan_item_id": item.plan_item_id} for item in event.items])
            )
        case OccurrenceScheduled():
            made: dict[str, Any] = {**event.data(), "facility": facility, "changed_at": timestamp(recorded.recordedat)}
            made |= {"points": len(made.pop("point_ids")), "status": "planned", "excused": False}
            connection.execute(insert(occurrences).values(made))
        case OccurrencePerformed():
            _change(connection, recorded, event.occurrence_id, status="performed")
        case OccurrenceOverdue():
            _change(connection, recorded, event.occurrence_id, status="overdue")
        case OccurrenceMissed():
            _change(connection, recorded, event.occurrence_id, status="missed")
        case OccurrenceWithdrawn():
            why = {"reason": event.reason, "because": event.because}
            _change(connection, recorded, event.occurrence_id, status="withdrawn", **why)
        case OccurrenceExcused() if not event.point_ids:
            _change(connection, recorded, event.occurrence_id, excused=True, reason=event.reason)


def _change(connection: Connection, recorded: Recorded, occurrence_id: str, **values: Any) -> None:
    changed_at = timestamp(recorded.recordedat)
    connection.execute(_of(recorded.facility, occurrence_id).values(**values, changed_at=changed_at))


def _of(facility: str, occurrence_id: str) -> Update:
    return update(occurrences).where(occurrences.c.facility == facility, occurrences.c.occurrence_id == occurrence_id)


def leave(facility: str, occurrence_id: str, told_on: date, reason: str) -> Insert:
    """Remember that a visit is to be withdrawn, as of a day, once it is known whether its work was done."""
    row = {"facility": facility, "occurrence_id": occurrence_id, "told_on": told_on.isoformat(), "reason": reason}
    return insert(leaving).values(row)


def open_job(facility: str, work_order_id: str, occurrence_id: str) -> Insert:
    """Remember which occurrence a work order is for."""
    return insert(jobs).values(facility=facility, work_order_id=work_order_id, occurrence_id=occurrence_id)


def job(facility: str, work_order_id: str) -> Select[Any]:
    """The occurrence that a work order is for, if it is for one."""
    return select(jobs.c.occurrence_id).where(jobs.c.facility == facility, jobs.c.work_order_id == work_order_id)


def name_doer(facility: str, position: int, occurrence_id: str, doer: str) -> Insert:
    """Remember who was given the work of an occurrence, or did it, by the event at a position of work_orders."""
    return insert(doers).values(facility=facility, position=position, occurrence_id=occurrence_id, doer=doer)


def assign(facility: str, occurrence_id: str, assignee: str) -> Update:
    """Show who has the work of an occurrence now."""
    return _of(facility, occurrence_id).values(assignee=assignee)


def doers_of(facility: str, occurrence_id: str) -> Select[Any]:
    """Whoever the work of an occurrence was ever given to, or did it."""
    return select(doers.c.doer).where(doers.c.facility == facility, doers.c.occurrence_id == occurrence_id)


def told(facility: str, event: Event, told_on: date) -> Iterator[Executable]:
    """What changes in the tables by an event of the assets, recorded on a local day.

    Points that are retired are forgotten; occurrences that were made with them keep them.
    """
    match event:
        case FacilityRegistered():
            yield insert(halls).values(facility=facility, name=event.name, timezone=event.timezone)
        case SystemRegistered():
            row = {name: getattr(event, name) for name in ("system_id", "name", "category")}
            since = event.commissioned_on.isoformat()
            yield systems.delete().where(*_system(facility, event.system_id))
            yield insert(systems).values(facility=facility, **row, commissioned_on=since, told_on=told_on.isoformat())
        case SystemDecommissioned():
            until = event.decommissioned_on.isoformat()
            this = update(systems).where(*_system(facility, event.system_id))
            yield this.values(decommissioned_on=until, told_on=told_on.isoformat())
        case PointsAdded():
            here = {"facility": facility, "system_id": event.system_id}
            yield insert(points).values([{**here, "point_id": point.point_id} for point in event.points])
        case PointsRetired():
            yield points.delete().where(points.c.facility == facility, points.c.point_id.in_(event.point_ids))


def _system(facility: str, system_id: str) -> tuple[ColumnElement[bool], ...]:
    return systems.c.facility == facility, systems.c.system_id == system_id


def waiting(facility: str) -> Select[Any]:
    """The occurrences on which the clock may still have to judge, oldest window first."""
    table = occurrences.c
    still = table.status.in_(("planned", "overdue"))
    return select(occurrences).where(table.facility == facility, still).order_by(table.window_end, table.occurrence_id)
