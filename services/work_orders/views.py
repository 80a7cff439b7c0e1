"""What work orders show: the list of orders, the cost book, the incidents."""

from typing import Any

from sqlalchemy import JSON, Column, Connection, Integer, String, Table, Text, delete, func, insert, select, update

from services.work_orders import assets, books
from services.work_orders.tables import NEVER, findings, metadata, order_points, sortable
from shared.contracts.asset_registry import (
    FacilityRegistered,
    PointRelocated,
    PointsAdded,
    PointsRetired,
    SystemDecommissioned,
    SystemRegistered,
)
from shared.contracts.scheduling import WorkdayCalendarAdopted
from shared.contracts.scoring import BudgetRecorded
from shared.contracts.work_orders import (
    PointResult,
    PointsInspected,
    WorkAccepted,
    WorkHeld,
    WorkOrderAssigned,
    WorkOrderCancelled,
    WorkOrderClosed,
    WorkOrderEscalated,
    WorkOrderOpened,
    WorkPerformed,
    WorkResumed,
    WorkReturned,
    WorkStarted,
)
from shared.event import Event, Recorded
from shared.views import Views

work_orders = Table(
    "work_order",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("work_order_id", String(80), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("system_id", String(80), nullable=False),
    Column("occurrence_id", String(80), index=True),
    Column("point_ids", JSON, nullable=False),
    Column("priority", String(10), nullable=False),
    Column("description", Text),
    Column("caused_by", String(80), index=True),
    Column("due_at", String(40)),
    Column("due_basis", String(20)),
    Column("escalates_at", String(40)),
    Column("escalated", Integer, nullable=False),
    Column("due_sort", String(40), nullable=False),
    Column("window_start", String(10)),
    Column("window_end", String(10)),
    Column("opened_at", String(40), nullable=False),
    Column("status", String(20), nullable=False, index=True),
    Column("assignee", Text),
    Column("performed_at", String(40)),
    Column("performed_by", Text),
    Column("omitted_point_ids", JSON, nullable=False),
    Column("flags", JSON, nullable=False),
    Column("results", Integer, nullable=False),
)
STATUS_AFTER: dict[type[Event], str] = {
    WorkOrderAssigned: "assigned",
    WorkStarted: "in_progress",
    WorkResumed: "in_progress",
    WorkReturned: "in_progress",
    WorkHeld: "on_hold",
    WorkPerformed: "performed",
    WorkAccepted: "accepted",
    WorkOrderClosed: "closed",
    WorkOrderCancelled: "cancelled",
}


def fold(connection: Connection, recorded: Recorded) -> None:
    """Bring the tables on by one event, of work_orders' own or heard of."""
    facility, event = recorded.facility, recorded.event
    match event:
        case _ if recorded.source == "/asset_registry":
            assets.fold(connection, recorded)
        case WorkOrderOpened():
            _open(connection, recorded, event)
        case WorkOrderAssigned():
            _change(connection, work_orders, facility, event.work_order_id, status="assigned", assignee=event.assignee)
        case WorkPerformed():
            _change(connection, work_orders, facility, event.work_order_id, status="performed", **_performance(event))
        case PointsInspected():
            _note_findings(connection, recorded, event)
        case WorkOrderEscalated():
            _change(connection, work_orders, facility, event.work_order_id, escalated=event.level)
        case _ if type(event) in STATUS_AFTER:
            work_order_id = event.data()["work_order_id"]
            _change(connection, work_orders, facility, work_order_id, status=STATUS_AFTER[type(event)])
        case _:
            books.fold(connection, recorded)


def _open(connection: Connection, recorded: Recorded, order: WorkOrderOpened) -> None:
    row = {
        "facility": recorded.facility,
        "status": "opened",
        "opened_at": sortable(recorded.time),
        "due_sort": sortable(order.due_at) if order.due_at else NEVER,
        "omitted_point_ids": [],
        "flags": [],
        "results": 0,
        "escalated": 0,
        **order.data(),
        "escalates_at": sortable(order.escalates_at) if order.escalates_at else None,
    }
    connection.execute(insert(work_orders).values(row))
    if order.point_ids:
        link = {"facility": recorded.facility, "work_order_id": order.work_order_id}
        connection.execute(insert(order_points), [{**link, "point_id": id_} for id_ in dict.fromkeys(order.point_ids)])


def _performance(done: WorkPerformed) -> dict[str, Any]:
    return {
        "performed_at": done.performed_at.isoformat(),
        "performed_by": done.performed_by,
        "omitted_point_ids": list(done.omitted_point_ids or ()),
        "flags": list(done.flags or ()),
    }


def _note_findings(connection: Connection, recorded: Recorded, event: PointsInspected) -> None:
    """Keep the last word on each point, and count the points of the order that there is a word on."""
    table = findings.c
    of_order = (table.facility == recorded.facility) & (table.work_order_id == event.work_order_id)
    told = {
        "facility": recorded.facility,
        "work_order_id": event.work_order_id,
        "at": recorded.time.isoformat(),
        "captured_at": event.captured_at and event.captured_at.isoformat(),
        "recorded_at": sortable(recorded.recordedat),
        "inspected_by": event.inspected_by,
    }
    rows = [{**told, **_found(result)} for result in {one.point_id: one for one in event.results}.values()]
    connection.execute(delete(findings).where(of_order, table.point_id.in_([row["point_id"] for row in rows])))
    if rows:
        connection.execute(insert(findings), rows)
    count = select(func.count()).select_from(findings).where(of_order).scalar_subquery()
    _change(connection, work_orders, recorded.facility, event.work_order_id, results=count)


def _found(result: PointResult) -> dict[str, Any]:
    return {
        "point_id": result.point_id,
        "outcome": result.outcome,
        "reading": None if result.reading is None else str(result.reading),
        "unit": result.unit,
        "note": result.note,
        "fixed_on_site": result.fixed_on_site,
        "photos": list(result.photos or ()),
    }


def _change(connection: Connection, table: Table, facility: str, id_: str, **values: Any) -> int:
    """Change one row, found by the table's key; returns how many there were."""
    key = list(table.primary_key.columns)
    statement = update(table).where(key[0] == facility, key[1] == id_).values(values)
    return connection.execute(statement).rowcount


VIEWS = Views(
    metadata=metadata,
    fold=fold,
    hears=(
        FacilityRegistered,
        SystemRegistered,
        SystemDecommissioned,
        PointsAdded,
        PointsRetired,
        PointRelocated,
        WorkdayCalendarAdopted,
        BudgetRecorded,
    ),
)
