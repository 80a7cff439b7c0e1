"""What work orders show: the list of orders, the cost book, the incidents."""

from typing import Any

from sqlalchemy import JSON, Column, Connection, Integer, MetaData, String, Table, Text, insert, update

from shared.contracts.work_orders import (
    CostRecorded,
    CostReversed,
    IncidentConfirmed,
    IncidentDismissed,
    IncidentReported,
    PointsInspected,
    WorkAccepted,
    WorkHeld,
    WorkOrderAssigned,
    WorkOrderCancelled,
    WorkOrderClosed,
    WorkOrderOpened,
    WorkPerformed,
    WorkResumed,
    WorkReturned,
    WorkStarted,
)
from shared.event import Event, Recorded

metadata = MetaData()
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
    Column("caused_by", String(80)),
    Column("due_at", String(40)),
    Column("status", String(20), nullable=False, index=True),
    Column("assignee", Text),
    Column("performed_at", String(40)),
    Column("results", Integer, nullable=False),
)
costs = Table(
    "cost",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("cost_id", String(80), primary_key=True),
    Column("amount", String(20), nullable=False),
    Column("category", String(20), nullable=False),
    Column("incurred_on", String(10), nullable=False),
    Column("work_order_id", String(80)),
    Column("supplier", Text),
    Column("invoice", Text),
    Column("status", String(10), nullable=False),
)
incidents = Table(
    "incident",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("incident_id", String(80), primary_key=True),
    Column("occurred_at", String(40), nullable=False),
    Column("description", Text, nullable=False),
    Column("status", String(10), nullable=False),
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
    """Bring the tables on by one event."""
    facility, event = recorded.facility, recorded.event
    match event:
        case WorkOrderOpened():
            row = {"status": "opened", "results": 0, **event.data(), "facility": facility}
            connection.execute(insert(work_orders).values(row))
        case WorkOrderAssigned():
            _change(connection, work_orders, facility, event.work_order_id, status="assigned", assignee=event.assignee)
        case WorkPerformed():
            done = event.performed_at.isoformat()
            _change(connection, work_orders, facility, event.work_order_id, status="performed", performed_at=done)
        case PointsInspected():
            count = work_orders.c.results + len(event.results)
            _change(connection, work_orders, facility, event.work_order_id, results=count)
        case CostRecorded():
            connection.execute(insert(costs).values({**event.data(), "facility": facility, "status": "booked"}))
        case CostReversed():
            _change(connection, costs, facility, event.cost_id, status="reversed")
        case IncidentReported() | IncidentConfirmed():
            _incident(connection, facility, event)
        case IncidentDismissed():
            _change(connection, incidents, facility, event.incident_id, status="dismissed")
        case _ if type(event) in STATUS_AFTER:
            work_order_id = event.data()["work_order_id"]
            _change(connection, work_orders, facility, work_order_id, status=STATUS_AFTER[type(event)])


def _incident(connection: Connection, facility: str, event: IncidentReported | IncidentConfirmed) -> None:
    row = {
        "occurred_at": event.occurred_at.isoformat(),
        "description": event.description,
        "status": "reported" if isinstance(event, IncidentReported) else "confirmed",
    }
    if not _change(connection, incidents, facility, event.incident_id, **row):
        connection.execute(insert(incidents).values(facility=facility, incident_id=event.incident_id, **row))


def _change(connection: Connection, table: Table, facility: str, id_: str, **values: Any) -> int:
    """Change one row, found by the table's key; returns how many there were."""
    key = list(table.primary_key.columns)
    statement = update(table).where(key[0] == facility, key[1] == id_).values(values)
    return connection.execute(statement).rowcount
