"""The wiring of work orders."""

import hashlib
from typing import Any

from sqlalchemy import select
from uuid_utils import uuid7

from services.work_orders import commands, views
from services.work_orders.aggregate import UNFINISHED, WorkOrder
from services.work_orders.records import Cost, Incident, WorkRequest
from shared import service
from shared.contracts.scheduling import OccurrenceScheduled, OccurrenceWithdrawn
from shared.contracts.work_orders import (
    CostRecorded,
    IncidentConfirmed,
    IncidentReported,
    PointResult,
    WorkKind,
    WorkOrderOpened,
    WorkRequested,
)
from shared.errors import Invalid, NotFound
from shared.event import Recorded
from shared.service import command, query
from shared.subscription import subscribe
from shared.unit import Unit

PLANNED, MENDING = "wo:", "mend:"
"""How the ids of work orders begin that occurrences or faults opened, and no other."""


class WorkOrders(service.LedgerService):
    """Opens work orders and sees them through to acceptance."""

    name = "work_orders"
    fold = staticmethod(views.fold)

    @command(commands.OpenWorkOrder)
    def open_work_order(self, do: Unit, asked: commands.OpenWorkOrder) -> dict[str, str]:
        """Open a job that no plan asked for; answers {work_order_id}."""
        id_ = asked.work_order_id or str(uuid7())
        if id_.startswith((PLANNED, MENDING)):
            expected = (
                f"expected an id that does not begin with {PLANNED} or {MENDING}, as those that open by themselves"
            )
            raise Invalid({"work_order_id": [expected]})
        do.find(WorkOrder, id_).open(WorkOrderOpened(**{**vars(asked), "work_order_id": id_}), do.now)
        return {"work_order_id": id_}

    @command(commands.Assign)
    def assign(self, do: Unit, asked: commands.Assign) -> None:
        """Give a job to somebody."""
        do.edit(WorkOrder, asked.work_order_id).assign(asked.assignee, do.now)

    @command(commands.Start)
    def start(self, do: Unit, asked: commands.Start) -> None:
        """Begin the work."""
        do.edit(WorkOrder, asked.work_order_id).start(asked.at, do.now)

    @command(commands.Hold)
    def hold(self, do: Unit, asked: commands.Hold) -> None:
        """Let the work rest."""
        do.edit(WorkOrder, asked.work_order_id).hold(asked.at, asked.reason, do.now)

    @command(commands.Resume)
    def resume(self, do: Unit, asked: commands.Resume) -> None:
        """Go on with the work."""
        do.edit(WorkOrder, asked.work_order_id).resume(asked.at, do.now)

    @command(commands.Inspect)
    def inspect(self, do: Unit, asked: commands.Inspect) -> dict[str, list[str]]:
        """Say what was found; a fault not fixed on site opens a corrective order; answers {opened: [work_order_id]}."""
        work_order = do.edit(WorkOrder, asked.work_order_id)
        work_order.inspect(asked.results, do.now)
        faults = [result for result in asked.results if result.outcome == "fault" and not result.fixed_on_site]
        return {"opened": [id_ for fault in faults if (id_ := _open_corrective(do, work_order, fault))]}

    @command(commands.Perform)
    def perform(self, do: Unit, asked: commands.Perform) -> None:
        """Say that the job is done."""
        do.edit(WorkOrder, asked.work_order_id).perform(asked.performed_at, do.actor, asked.summary, do.now)

    @command(commands.Accept)
    def accept(self, do: Unit, asked: commands.Accept) -> None:
        """Find the work up to standard."""
        do.edit(WorkOrder, asked.work_order_id).accept(do.actor, do.now)

    @command(commands.Return)
    def return_work(self, do: Unit, asked: commands.Return) -> None:
        """Find the work not up to standard."""
        do.edit(WorkOrder, asked.work_order_id).return_work(do.actor, asked.reason, do.now)

    @command(commands.Finish)
    def close(self, do: Unit, asked: commands.Finish) -> None:
        """Close accepted work."""
        do.edit(WorkOrder, asked.work_order_id).close(asked.reason, do.now)

    @command(commands.Finish)
    def cancel(self, do: Unit, asked: commands.Finish) -> None:
        """Call off work that is not done yet."""
        do.edit(WorkOrder, asked.work_order_id).cancel(asked.reason, do.now)

    @command(commands.RecordReplacement)
    def record_replacement(self, do: Unit, asked: commands.RecordReplacement) -> None:
        """Say that equipment was replaced."""
        work_order = do.edit(WorkOrder, asked.work_order_id)
        work_order.replace_equipment(asked.point_id, asked.requested_on, asked.replaced_on, do.now)

    @command(commands.RequestWork)
    def request_work(self, do: Unit, asked: commands.RequestWork) -> None:
        """Ask for work to be done."""
        request = WorkRequested(**vars(asked), requested_by=do.actor)
        do.find(WorkRequest, asked.request_id).request(request, do.now)

    @command(commands.RejectWorkRequest)
    def reject_work_request(self, do: Unit, asked: commands.RejectWorkRequest) -> None:
        """Turn a request down."""
        do.edit(WorkRequest, asked.request_id).reject(asked.reason, do.now)

    @command(commands.RecordCost)
    def record_cost(self, do: Unit, asked: commands.RecordCost) -> None:
        """Book money spent."""
        do.find(Cost, asked.cost_id).book(CostRecorded(**vars(asked)), do.now)

    @command(commands.ReverseCost)
    def reverse_cost(self, do: Unit, asked: commands.ReverseCost) -> None:
        """Take back a cost."""
        do.edit(Cost, asked.cost_id).reverse(asked.reason, do.now)

    @command(commands.ReportIncident)
    def report_incident(self, do: Unit, asked: commands.ReportIncident) -> None:
        """Report an accident."""
        report = IncidentReported(**vars(asked), reported_by=do.actor)
        do.find(Incident, asked.incident_id).report(report, do.now)

    @command(commands.ConfirmIncident)
    def confirm_incident(self, do: Unit, asked: commands.ConfirmIncident) -> None:
        """Confirm an accident."""
        do.edit(Incident, asked.incident_id).confirm(IncidentConfirmed(**vars(asked)), do.now)

    @command(commands.DismissIncident)
    def dismiss_incident(self, do: Unit, asked: commands.DismissIncident) -> None:
        """Dismiss what was reported."""
        do.edit(Incident, asked.incident_id).dismiss(asked.reason, do.now)

    @subscribe("scheduling", OccurrenceScheduled)
    def on_occurrence_scheduled(self, do: Unit, recorded: Recorded) -> None:
        """Open the work order for a planned occurrence; a periodic test by others is maintenance to us."""
        occurrence = recorded.event
        if not isinstance(occurrence, OccurrenceScheduled):
            return
        id_ = work_order_of(occurrence.occurrence_id)
        kind: WorkKind = "maintenance" if occurrence.activity == "test" else occurrence.activity
        order = WorkOrderOpened(
            work_order_id=id_,
            kind=kind,
            occurrence_id=occurrence.occurrence_id,
            system_id=occurrence.system_id,
            point_ids=occurrence.point_ids,
            priority="normal",
        )
        do.find(WorkOrder, id_).open(order, do.now)

    @subscribe("scheduling", OccurrenceWithdrawn)
    def on_occurrence_withdrawn(self, do: Unit, recorded: Recorded) -> None:
        """Cancel the work order of an occurrence that is not due after all."""
        withdrawn = recorded.event
        if isinstance(withdrawn, OccurrenceWithdrawn):
            work_order = do.find(WorkOrder, work_order_of(withdrawn.occurrence_id))
            if work_order.exists and work_order.status in UNFINISHED:
                work_order.cancel(withdrawn.reason, do.now)

    @query
    def work_orders(
        self,
        facility: str,
        status: str | None = None,
        occurrence_id: str | None = None,
        system_id: str | None = None,
    ) -> list[dict[str, Any]]:
        """The work orders of a facility, filtered by status, occurrence and system."""
        table = views.work_orders.c
        wanted = select(views.work_orders).where(table.facility == facility)
        for column, value in (
            (table.status, status),
            (table.occurrence_id, occurrence_id),
            (table.system_id, system_id),
        ):
            if value is not None:
                wanted = wanted.where(column == value)
        return self.ledger.database.mappings(wanted.order_by(table.work_order_id))

    @query
    def work_order(self, facility: str, work_order_id: str) -> dict[str, Any]:
        """One work order; raises NotFound."""
        table = views.work_orders.c
        wanted = select(views.work_orders).where(table.facility == facility, table.work_order_id == work_order_id)
        found = self.ledger.database.mappings(wanted)
        if not found:
            raise NotFound(f"no work order {work_order_id} in {facility}")
        return found[0]


def work_order_of(occurrence_id: str) -> str:
    """The id of the work order that an occurrence opens; with its end hashed where it would not fit."""
    whole = PLANNED + occurrence_id
    return whole if len(whole) <= 80 else f"{whole[:47]}:{_hash(whole)}"


def corrective_of(work_order_id: str, point_id: str) -> str:
    """The id of the work order that mends what an order found at a point; hashed, as both ids may hold any separator."""
    return f"{MENDING}{point_id[:42]}:{_hash(work_order_id, point_id)}"


def _hash(*parts: str) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:32]


def _open_corrective(do: Unit, found_by: WorkOrder, fault: PointResult) -> str | None:
    """Open the order that mends a fault, linked to the order that found it; None if that was done before."""
    id_ = corrective_of(found_by.id, fault.point_id)
    corrective = do.find(WorkOrder, id_)
    if corrective.exists:
        return None
    order = WorkOrderOpened(
        work_order_id=id_,
        kind="corrective",
        system_id=found_by.order.system_id,
        point_ids=(fault.point_id,),
        priority="high",
        description=fault.note,
        caused_by=found_by.id,
    )
    corrective.open(order, do.now)
    return id_
