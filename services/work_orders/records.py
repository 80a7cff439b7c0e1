"""The rules of what stands beside the work: requests, costs, incidents."""

from datetime import datetime
from typing import Literal

from services.work_orders.aggregate import must_have_come
from shared.aggregate import Aggregate
from shared.contracts.work_orders import (
    CostRecorded,
    CostReversed,
    IncidentConfirmed,
    IncidentDismissed,
    IncidentReported,
    WorkRequestApproved,
    WorkRequested,
    WorkRequestRejected,
)
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Event


class WorkRequest(Aggregate):
    """Somebody's wish that work be done (报修申请): reported, then approved or rejected for good."""

    category = "work-request"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.made: WorkRequested | None = None
        self.status: Literal["reported", "approved", "rejected"] = "reported"

    @property
    def request(self) -> WorkRequested:
        """What was asked for."""
        if self.made is None:
            raise NotFound(f"no request {self.id}")
        return self.made

    def make(self, request: WorkRequested, at: datetime) -> None:
        """Make it once."""
        if self.exists:
            raise Rejected(f"request {self.id} is made already")
        self.record(request, at)

    def approve(self, by: str, work_order_id: str, at: datetime) -> None:
        """Grant it by an order; whoever made it may not grant it."""
        request = self._open_request("approved")
        if by == request.requested_by:
            raise Rejected("a request is approved by someone other than who made it")
        self.record(WorkRequestApproved(request_id=self.id, work_order_id=work_order_id), at)

    def reject(self, reason: str, at: datetime) -> None:
        """Turn it down."""
        self._open_request("rejected")
        self.record(WorkRequestRejected(request_id=self.id, reason=reason), at)

    def _open_request(self, done: str) -> WorkRequested:
        if self.status != "reported":
            raise Rejected(f"request {self.id} is {self.status} already and cannot be {done}")
        return self.request

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event:
            case WorkRequested():
                self.made = event
            case WorkRequestApproved():
                self.status = "approved"
            case WorkRequestRejected():
                self.status = "rejected"


class Cost(Aggregate):
    """Money spent once; a reversal takes it back for good."""

    category = "cost"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.reversed = False

    def book(self, cost: CostRecorded, at: datetime) -> None:
        """Book it once; an amount is not negative, a reversal takes back."""
        if self.exists:
            raise Rejected(f"cost {self.id} is booked already; reverse it and book another")
        if cost.amount < 0:
            raise Invalid({"amount": ["expected an amount of 0.00 or more; reverse a cost to take it back"]})
        must_have_come("incurred_on", cost.incurred_on, at)
        self.record(cost, at)

    def reverse(self, reason: str, at: datetime) -> None:
        """Take it back once."""
        if not self.exists:
            raise NotFound(f"no cost {self.id}")
        if self.reversed:
            raise Rejected(f"cost {self.id} is reversed already")
        self.record(CostReversed(cost_id=self.id, reason=reason), at)

    def apply(self, event: Event) -> None:
        """Fold one event."""
        if isinstance(event, CostReversed):
            self.reversed = True


class Incident(Aggregate):
    """An accident (安全事故) that was reported, and what was found of it: confirmed, or dismissed for good."""

    category = "incident"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.reported_by: str | None = None
        self.dismissed = False

    def report(self, report: IncidentReported, now: datetime) -> None:
        """Report it once, after it happened."""
        if self.exists:
            raise Rejected(f"incident {self.id} is reported already")
        if report.occurred_at > now:
            raise Rejected(f"occurred_at {report.occurred_at.isoformat()} lies in the future")
        self.record(report, now)

    def confirm(self, finding: IncidentConfirmed, at: datetime) -> None:
        """Confirm it, or correct what was found; not once it was dismissed."""
        self._must_stand()
        if finding.occurred_at > at:
            raise Rejected(f"occurred_at {finding.occurred_at.isoformat()} lies in the future")
        self.record(finding, at)

    def dismiss(self, by: str, reason: str, at: datetime) -> None:
        """Dismiss it, confirmed or not; whoever reported it may not unsay it alone."""
        self._must_stand()
        if by == self.reported_by:
            raise Rejected("an incident is dismissed by someone other than who reported it")
        self.record(IncidentDismissed(incident_id=self.id, reason=reason), at)

    def _must_stand(self) -> None:
        if not self.exists:
            raise NotFound(f"no incident {self.id}")
        if self.dismissed:
            raise Rejected(f"incident {self.id} was dismissed")

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event:
            case IncidentReported():
                self.reported_by = event.reported_by
            case IncidentDismissed():
                self.dismissed = True
