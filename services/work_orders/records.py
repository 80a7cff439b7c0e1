"""The rules of what stands beside the work: requests, costs, incidents."""

from datetime import datetime

from services.work_orders.aggregate import must_have_come
from shared.aggregate import Aggregate
from shared.contracts.work_orders import (
    CostRecorded,
    CostReversed,
    IncidentConfirmed,
    IncidentDismissed,
    IncidentReported,
    WorkRequested,
    WorkRequestRejected,
)
from shared.errors import Invalid, Rejected
from shared.event import Event


class WorkRequest(Aggregate):
    """Somebody's wish that work be done."""

    category = "work-request"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.rejected = False

    def request(self, request: WorkRequested, at: datetime) -> None:
        """Make it once."""
        if self.exists:
            raise Rejected(f"request {self.id} is made already")
        self.record(request, at)

    def reject(self, reason: str, at: datetime) -> None:
        """Turn it down once."""
        if self.rejected:
            raise Rejected(f"request {self.id} is rejected already")
        self.record(WorkRequestRejected(request_id=self.id, reason=reason), at)

    def apply(self, event: Event) -> None:
        """Fold one event."""
        if isinstance(event, WorkRequestRejected):
            self.rejected = True


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
        if self.reversed:
            raise Rejected(f"cost {self.id} is reversed already")
        self.record(CostReversed(cost_id=self.id, reason=reason), at)

    def apply(self, event: Event) -> None:
        """Fold one event."""
        if isinstance(event, CostReversed):
            self.reversed = True


class Incident(Aggregate):
    """An accident that was reported, and what was found of it."""

    category = "incident"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
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
        if self.dismissed:
            raise Rejected(f"incident {self.id} was dismissed")
        if finding.occurred_at > at:
            raise Rejected(f"occurred_at {finding.occurred_at.isoformat()} lies in the future")
        self.record(finding, at)

    def dismiss(self, reason: str, at: datetime) -> None:
        """Dismiss it once, confirmed or not."""
        if self.dismissed:
            raise Rejected(f"incident {self.id} was dismissed")
        self.record(IncidentDismissed(incident_id=self.id, reason=reason), at)

    def apply(self, event: Event) -> None:
        """Fold one event."""
        if isinstance(event, IncidentDismissed):
            self.dismissed = True
