"""What scheduling shows, and what it knows of the assets that its plans are about and of the work done for them."""

from typing import Any
from zoneinfo import ZoneInfo

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
    false,
    insert,
    select,
    update,
)
from sqlalchemy.sql import Update
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
    OccurrenceWithdrawalDeferred,
    OccurrenceWithdrawn,
    PlanAdopted,
)
from shared.contracts.work_orders import WorkOrderAssigned, WorkOrderOpened, WorkPerformed
from shared.event import Recorded, timestamp
from shared.views import Views

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
    Column("occurrence_id", String(80), nullable=False, index=True),
    Column("doer", Text, nullable=False),
    Column("given", Boolean, nullable=False, server_default=false()),  # the work; else they did it
)
ZONE = "Asia/Shanghai"
"""The time zone of a facility that was not told of yet."""


def fold(connection: Connection, recorded: Recorded) -> None:
    """Bring the tables on by one event, of scheduling's own or heard of."""
    match recorded.source:
        case "/asset_registry":
            _learn_of_assets(connection, recorded)
        case "/work_orders":
            _learn_of_work(connection, recorded)
        case _:
            _fold_own(connection, recorded)


def _fold_own(connection: Connection, recorded: Recorded) -> None:
    facility, event = recorded.facility, recorded.event
    match event:
        case PlanAdopted():
            row = {"facility": facility, "plan_id": event.plan_id, "year": event.year, "items": len(event.items)}
            connection.execute(insert(plans).values(row))
            here = {"facility": facility, "plan_id": event.plan_id, "year": event.year}
            connection.execute(
                insert(plan_items), [{**here, "plan_item_id": item.plan_item_id} for item in event.items]
            )
        case OccurrenceScheduled():
            _schedule(connection, recorded, event)
        case OccurrencePerformed():
            _change(connection, recorded, event.occurrence_id, status="performed")
        case OccurrenceOverdue():
            _change(connection, recorded, event.occurrence_id, status="overdue")
        case OccurrenceMissed():
            _change(connection, recorded, event.occurrence_id, status="missed")
        case OccurrenceWithdrawn():
            why = {"reason": event.reason, "because": event.because}
            _change(connection, recorded, event.occurrence_id, status="withdrawn", **why)
        case OccurrenceWithdrawalDeferred():
            connection.execute(insert(leaving).values(facility=facility, **event.data()))
        case OccurrenceExcused() if not event.point_ids:
            _change(connection, recorded, event.occurrence_id, excused=True, reason=event.reason)


def _schedule(connection: Connection, recorded: Recorded, event: OccurrenceScheduled) -> None:
    """Show a visit; it belongs to whom its work was given last, whether that is heard before or after."""
    made: dict[str, Any] = {
        **event.data(),
        "facility": recorded.facility,
        "points": len(event.point_ids),
        "status": "planned",
        "excused": False,
        "changed_at": timestamp(recorded.recordedat),
    }
    del made["point_ids"]
    given = doers_of(recorded.facility, event.occurrence_id).where(doers.c.given).order_by(doers.c.position.desc())
    if given_to := connection.execute(given.limit(1)).scalar():
        made["assignee"] = given_to
    connection.execute(insert(occurrences).values(made))


def _learn_of_work(connection: Connection, recorded: Recorded) -> None:
    """Know whose work each visit is."""
    facility, event = recorded.facility, recorded.event
    match event:
        case WorkOrderOpened(occurrence_id=str() as visit):
            row = {"facility": facility, "work_order_id": event.work_order_id, "occurrence_id": visit}
            connection.execute(insert(jobs).values(row))
        case WorkOrderAssigned():
            of_job = (jobs.c.facility == facility) & (jobs.c.work_order_id == event.work_order_id)
            for visit in connection.execute(select(jobs.c.occurrence_id).where(of_job)).scalars().all():
                _name_doer(connection, recorded, visit, event.assignee, given=True)
                connection.execute(_of(facility, visit).values(assignee=event.assignee))
        case WorkPerformed(occurrence_id=str() as visit):
            _name_doer(connection, recorded, visit, event.performed_by, given=False)


def _name_doer(connection: Connection, recorded: Recorded, visit: str, doer: str, *, given: bool) -> None:
    """Remember who was given the work of a visit, or did it."""
    row = {"facility": recorded.facility, "position": recorded.position, "occurrence_id": visit}
    connection.execute(insert(doers).values(**row, doer=doer, given=given))


def _learn_of_assets(connection: Connection, recorded: Recorded) -> None:
    """Know facilities, systems and points.

    Points that are retired are forgotten; occurrences that were made with them keep them.
    """
    facility, event = recorded.facility, recorded.event
    match event:
        case FacilityRegistered():
            connection.execute(insert(halls).values(facility=facility, name=event.name, timezone=event.timezone))
        case SystemRegistered():
            row = {name: getattr(event, name) for name in ("system_id", "name", "category")}
            row |= {"commissioned_on": event.commissioned_on.isoformat(), "told_on": _told_on(connection, recorded)}
            connection.execute(systems.delete().where(*_system(facility, event.system_id)))
            connection.execute(insert(systems).values(facility=facility, **row))
        case SystemDecommissioned():
            ended = {
                "decommissioned_on": event.decommissioned_on.isoformat(),
                "told_on": _told_on(connection, recorded),
            }
            connection.execute(update(systems).where(*_system(facility, event.system_id)).values(ended))
        case PointsAdded():
            here = {"facility": facility, "system_id": event.system_id}
            connection.execute(insert(points), [{**here, "point_id": point.point_id} for point in event.points])
        case PointsRetired():
            connection.execute(
                points.delete().where(points.c.facility == facility, points.c.point_id.in_(event.point_ids))
            )


def _told_on(connection: Connection, recorded: Recorded) -> str:
    """The local day on which an event was recorded."""
    zone = connection.execute(select(halls.c.timezone).where(halls.c.facility == recorded.facility)).scalar()
    return recorded.recordedat.astimezone(ZoneInfo(zone or ZONE)).date().isoformat()


def _change(connection: Connection, recorded: Recorded, occurrence_id: str, **values: Any) -> None:
    changed_at = timestamp(recorded.recordedat)
    connection.execute(_of(recorded.facility, occurrence_id).values(**values, changed_at=changed_at))


def _of(facility: str, occurrence_id: str) -> Update:
    return update(occurrences).where(occurrences.c.facility == facility, occurrences.c.occurrence_id == occurrence_id)


def doers_of(facility: str, occurrence_id: str) -> Select[Any]:
    """Whoever the work of an occurrence was ever given to, or did it."""
    return select(doers.c.doer).where(doers.c.facility == facility, doers.c.occurrence_id == occurrence_id)


def _system(facility: str, system_id: str) -> tuple[ColumnElement[bool], ...]:
    return systems.c.facility == facility, systems.c.system_id == system_id


def waiting(facility: str) -> Select[Any]:
    """The occurrences on which the clock may still have to judge, oldest window first."""
    table = occurrences.c
    still = table.status.in_(("planned", "overdue"))
    return select(occurrences).where(table.facility == facility, still).order_by(table.window_end, table.occurrence_id)


VIEWS = Views(
    metadata=metadata,
    fold=fold,
    version=2,
    hears=(
        FacilityRegistered,
        SystemRegistered,
        SystemDecommissioned,
        PointsAdded,
        PointsRetired,
        WorkOrderOpened,
        WorkOrderAssigned,
        WorkPerformed,
    ),
)
