"""The tables of what stands beside the work: requests, costs, replacements, incidents; workdays and budgets heard of."""

from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, Integer, String, Table, Text, delete, insert, select, update

from services.work_orders.tables import metadata, sortable
from shared.contracts.scheduling import WorkdayCalendarAdopted
from shared.contracts.scoring import BudgetRecorded
from shared.contracts.work_orders import (
    CostRecorded,
    CostReversed,
    EquipmentReplaced,
    IncidentConfirmed,
    IncidentDismissed,
    IncidentReported,
    WorkRequestApproved,
    WorkRequested,
    WorkRequestRejected,
)
from shared.event import Recorded

work_requests = Table(
    "work_request",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("request_id", String(80), primary_key=True),
    Column("status", String(10), nullable=False),
    Column("description", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", String(40), nullable=False),
    Column("system_id", String(80)),
    Column("point_id", String(80)),
    Column("work_order_id", String(80)),
    Column("rejected_because", Text),
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
    Column("reversed_because", Text),
)
replacements = Table(
    "replacement",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("replacement_id", String(80), primary_key=True),
    Column("work_order_id", String(80), nullable=False),
    Column("point_id", String(80), nullable=False),
    Column("requested_on", String(10), nullable=False),
    Column("replaced_on", String(10), nullable=False),
    Column("days", Integer, nullable=False),
    Column("nameplate", JSON(none_as_null=True)),
)
incidents = Table(
    "incident",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("incident_id", String(80), primary_key=True),
    Column("status", String(10), nullable=False),
    Column("occurred_at", String(40), nullable=False),
    Column("harms", JSON, nullable=False),
    Column("visitors_affected", Boolean),
    Column("report", JSON, nullable=False),
    Column("finding", JSON(none_as_null=True)),
    Column("dismissed_because", Text),
)
workday_calendars = Table(
    "workday_calendar",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("holidays", JSON, nullable=False),
    Column("make_up_workdays", JSON, nullable=False),
)
budgets = Table(
    "budget",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("initial", String(20), nullable=False),
    Column("annual", String(20), nullable=False),
    Column("as_of", String(10), nullable=False),
    Column("recorded_at", String(40), nullable=False),
    Column("event_id", String(80), nullable=False),
)


def fold(connection: Connection, recorded: Recorded) -> None:
    """Bring the tables on by one event of what stands beside the work; any other changes nothing."""
    facility, event = recorded.facility, recorded.event
    match event:
        case WorkRequested():
            row = {**event.data(), "status": "reported", "requested_at": sortable(recorded.time)}
            connection.execute(insert(work_requests).values(facility=facility, **row))
        case WorkRequestApproved():
            granted = {"status": "approved", "work_order_id": event.work_order_id}
            _change(connection, work_requests, facility, event.request_id, **granted)
        case WorkRequestRejected():
            refused = {"status": "rejected", "rejected_because": event.reason}
            _change(connection, work_requests, facility, event.request_id, **refused)
        case CostRecorded():
            connection.execute(insert(costs).values({**event.data(), "facility": facility, "status": "booked"}))
        case CostReversed():
            _change(connection, costs, facility, event.cost_id, status="reversed", reversed_because=event.reason)
        case EquipmentReplaced():
            days = (event.replaced_on - event.requested_on).days
            row = {**event.data(), "facility": facility, "replacement_id": recorded.id, "days": days}
            connection.execute(insert(replacements).values(row))
        case IncidentReported() | IncidentConfirmed() | IncidentDismissed():
            _incident(connection, facility, event)
        case WorkdayCalendarAdopted():
            _calendar(connection, facility, event)
        case BudgetRecorded():
            _budget(connection, recorded, event)


def _calendar(connection: Connection, facility: str, event: WorkdayCalendarAdopted) -> None:
    """The last word on a year holds."""
    table = workday_calendars.c
    days = {name: event.data()[name] for name in ("holidays", "make_up_workdays")}
    connection.execute(delete(workday_calendars).where(table.facility == facility, table.year == event.year))
    connection.execute(insert(workday_calendars).values(facility=facility, year=event.year, **days))


def _budget(connection: Connection, recorded: Recorded, event: BudgetRecorded) -> None:
    """The budget that stood last holds, as scoring's does."""
    table = budgets.c
    of_year = (table.facility == recorded.facility) & (table.year == event.year)
    row = {"as_of": str(event.as_of), "recorded_at": sortable(recorded.recordedat), "event_id": recorded.id}
    known = connection.execute(select(table.as_of, table.recorded_at, table.event_id).where(of_year)).one_or_none()
    if known is None or tuple(known) < tuple(row.values()):
        money = {"initial": str(event.initial), "annual": str(event.annual)}
        connection.execute(delete(budgets).where(of_year))
        connection.execute(insert(budgets).values(facility=recorded.facility, year=event.year, **money, **row))


def _incident(
    connection: Connection, facility: str, event: IncidentReported | IncidentConfirmed | IncidentDismissed
) -> None:
    """What was reported and what was found of it stand side by side; `occurred_at` is as found, before that as reported."""
    told = {name: value for name, value in event.data().items() if name != "incident_id"}
    match event:
        case IncidentReported():
            row = {"status": "reported", "occurred_at": sortable(event.occurred_at), "harms": [], "report": told}
            connection.execute(insert(incidents).values(facility=facility, incident_id=event.incident_id, **row))
        case IncidentConfirmed():
            found = {"harms": told["harms"], "visitors_affected": event.visitors_affected, "finding": told}
            at = sortable(event.occurred_at)
            _change(connection, incidents, facility, event.incident_id, status="confirmed", occurred_at=at, **found)
        case IncidentDismissed():
            why = {"status": "dismissed", "dismissed_because": event.reason}
            _change(connection, incidents, facility, event.incident_id, **why)


def _change(connection: Connection, table: Table, facility: str, id_: str, **values: Any) -> None:
    """Change one row, found by the table's key."""
    key = list(table.primary_key.columns)
    connection.execute(update(table).where(key[0] == facility, key[1] == id_).values(values))
