"""The wiring of what stands beside the work: requests, costs, replacements, incidents."""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, get_args

from sqlalchemy import Column, Select, Table, select

from services.work_orders import books, commands
from services.work_orders import record_answers as forms
from services.work_orders.aggregate import WorkOrder
from services.work_orders.money import Budget, Spent, summary
from services.work_orders.records import Cost, Incident, WorkRequest
from services.work_orders.requests import faults
from shared import service
from shared.contracts.scoring import BudgetRecorded
from shared.contracts.work_orders import CostCategory, CostRecorded, IncidentConfirmed, IncidentReported, WorkRequested
from shared.errors import Invalid
from shared.event import Recorded
from shared.pages import Page, page
from shared.rpc import Peer
from shared.service import answers, command, query
from shared.subscription import subscribe
from shared.unit import Unit

REQUEST_STATES = ("reported", "approved", "rejected")
COST_STATES = ("booked", "reversed")
INCIDENT_STATES = ("reported", "confirmed", "dismissed")


class RecordKeeping(service.LedgerService):
    """Keeps what stands beside the work."""

    asset_registry = Peer("asset_registry")

    @command(commands.RequestWork)
    def request_work(self, do: Unit, asked: commands.RequestWork) -> None:
        """Ask for work to be done."""
        if faults(do, asked):
            self.must_have_heard(self.asset_registry, do.facility)
            if errors := faults(do, asked):
                raise Invalid(errors)
        request = WorkRequested(**vars(asked), requested_by=do.actor)
        do.find(WorkRequest, asked.request_id).make(request, do.now)

    @command(commands.RejectWorkRequest)
    def reject_work_request(self, do: Unit, asked: commands.RejectWorkRequest) -> None:
        """Turn a request down."""
        do.edit(WorkRequest, asked.request_id).reject(asked.reason, do.now)

    @answers(forms.BookedCost)
    @command(commands.RecordCost)
    def record_cost(self, do: Unit, asked: commands.RecordCost) -> dict[str, Any]:
        """Book money spent; answers {warnings: [{code, message, cost_id}]}: an invoice that is booked already is one."""
        if asked.work_order_id and not do.find(WorkOrder, asked.work_order_id).exists:
            raise Invalid({"work_order_id": [f"expected a work order of the facility, not {asked.work_order_id}"]})
        do.find(Cost, asked.cost_id).book(CostRecorded(**vars(asked)), do.now)
        return {"warnings": [_duplicate(asked, row.cost_id) for row in _same_invoice(do, asked)]}

    @command(commands.ReverseCost)
    def reverse_cost(self, do: Unit, asked: commands.ReverseCost) -> None:
        """Take back a cost."""
        do.edit(Cost, asked.cost_id).reverse(asked.reason, do.now)

    @command(commands.RecordReplacement)
    def record_replacement(self, do: Unit, asked: commands.RecordReplacement) -> None:
        """Say that equipment was replaced, and what stands there now."""
        work_order = do.edit(WorkOrder, asked.work_order_id)
        days = asked.requested_on, asked.replaced_on
        work_order.replace_equipment(asked.point_id, *days, do.now, nameplate=asked.nameplate)

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
        do.edit(Incident, asked.incident_id).dismiss(do.actor, asked.reason, do.now)

    @subscribe("scoring", BudgetRecorded)
    def on_budget_recorded(self, do: Unit, recorded: Recorded) -> None:
        """Know the budget of a year."""

    @answers(forms.ListedWorkRequest)
    @query
    def work_requests(self, facility: str, status: str | None = None, **paging: Any) -> Page:
        """The requests of a facility, by status; sorted by requested_at or request_id."""
        _must_be("status", status, REQUEST_STATES)
        table = books.work_requests.c
        order = {"requested_at": [table.requested_at, table.request_id], "request_id": [table.request_id]}
        wanted = _of(books.work_requests, facility, {table.status: status})
        return page(self.ledger.database, wanted, order, **paging)

    @answers(forms.ListedCost)
    @query
    def costs(
        self,
        facility: str,
        *,
        year: int | None = None,
        category: str | None = None,
        supplier: str | None = None,
        invoice: str | None = None,
        status: str | None = None,
        work_order_id: str | None = None,
        **paging: Any,
    ) -> Page:
        """The costs of a facility; sorted by incurred_on or cost_id; those that were reversed are `reversed`."""
        _must_be("category", category, get_args(CostCategory))
        _must_be("status", status, COST_STATES)
        table = books.costs.c
        equal = {
            table.category: category,
            table.supplier: supplier,
            table.invoice: invoice,
            table.status: status,
            table.work_order_id: work_order_id,
        }
        wanted = _in_year(_of(books.costs, facility, equal), table.incurred_on, year)
        order = {"incurred_on": [table.incurred_on, table.cost_id], "cost_id": [table.cost_id]}
        return page(self.ledger.database, wanted, order, **paging)

    @answers(forms.CostSummary)
    @query
    def cost_summary(self, facility: str, year: int) -> dict[str, Any]:
        """What was spent in a year against its budget (see `money.summary`), without what was reversed."""
        database, table = self.ledger.database, books.costs.c
        booked = _in_year(_of(books.costs, facility, {table.status: "booked"}), table.incurred_on, year)
        budgets = database.rows(_of(books.budgets, facility, {books.budgets.c.year: year}))
        return summary(year, _budget(budgets[0]) if budgets else None, [_spent(row) for row in database.rows(booked)])

    @answers(forms.ListedReplacement)
    @query
    def replacements(self, facility: str, year: int | None = None, **paging: Any) -> Page:
        """What was replaced, with `days` from request to replacement, both as dates; sorted by replaced_on or days."""
        table = books.replacements.c
        wanted = _in_year(_of(books.replacements, facility, {}), table.replaced_on, year)
        order = {
            "replaced_on": [table.replaced_on, table.replacement_id],
            "days": [table.days, table.replacement_id],
        }
        return page(self.ledger.database, wanted, order, **paging)

    @answers(forms.ListedIncident)
    @query
    def incidents(self, facility: str, status: str | None = None, **paging: Any) -> Page:
        """The incidents of a facility, each with its `report` and its `finding`, if there is one; sorted by occurred_at."""
        _must_be("status", status, INCIDENT_STATES)
        table = books.incidents.c
        order = {"occurred_at": [table.occurred_at, table.incident_id], "incident_id": [table.incident_id]}
        return page(self.ledger.database, _of(books.incidents, facility, {table.status: status}), order, **paging)


def _must_be(field: str, value: str | None, words: Collection[str]) -> None:
    if value is not None and value not in words:
        raise Invalid({field: [f"expected one of {', '.join(words)}"]})


def _of(table: Table, facility: str, equal: Mapping[Column[Any], Any]) -> Select[Any]:
    """The rows of a facility whose columns are equal to the values that are given."""
    wanted = select(table).where(table.c.facility == facility)
    return wanted.where(*(column == value for column, value in equal.items() if value is not None))


def _in_year(wanted: Select[Any], day: Column[Any], year: int | None) -> Select[Any]:
    return wanted if year is None else wanted.where(day.between(f"{year:04}-01-01", f"{year:04}-12-31"))


def _same_invoice(do: Unit, asked: commands.RecordCost) -> Any:
    """Costs that were booked for the same invoice of the same supplier, and not reversed."""
    if asked.supplier is None or asked.invoice is None:
        return ()
    table = books.costs.c
    equal = {table.supplier: asked.supplier, table.invoice: asked.invoice, table.status: "booked"}
    return do.rows(_of(books.costs, do.facility, equal).order_by(table.cost_id))


def _duplicate(asked: commands.RecordCost, cost_id: str) -> dict[str, str]:
    message = f"invoice {asked.invoice} of {asked.supplier} is booked already, as cost {cost_id}"
    return {"code": "duplicate_invoice", "message": message, "cost_id": cost_id}


def _budget(row: Any) -> Budget:
    return Budget(initial=Decimal(row.initial), annual=Decimal(row.annual), as_of=date.fromisoformat(row.as_of))


def _spent(row: Any) -> Spent:
    day = date.fromisoformat(row.incurred_on)
    return Spent(amount=Decimal(row.amount), category=row.category, incurred_on=day, supplier=row.supplier)
