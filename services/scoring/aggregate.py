"""The rules of what scoring records itself: reports, baselines, budgets, waivers, assessments."""

from datetime import date, datetime

from shared.aggregate import Aggregate
from shared.contracts.scoring import (
    AssessmentOpened,
    AssessmentPublished,
    AssessmentWithdrawn,
    DeductionWaived,
    SatisfactionReported,
)
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Event


class Record(Aggregate):
    """Something that is told, and may be told anew: each telling must only agree with itself."""

    def tell(self, event: Event, at: datetime) -> None:
        """Record it if its fields agree with each other."""
        if faults := {field: [why] for field, why in event.faults()}:
            raise Invalid(faults)
        self.record(event, at)

    def apply(self, event: Event) -> None:
        """Fold; no later decision depends on it."""


class SatisfactionReport(Record):
    """Ratings of a span; the newest telling holds."""

    category = "satisfaction-report"

    def report(self, report: SatisfactionReported, today: date, at: datetime) -> None:
        """Report a span that is over."""
        if report.period_end > today:
            raise Rejected(f"period_end {report.period_end} lies in the future")
        self.tell(report, at)


class CostBaseline(Record):
    """The baseline of a year; the newest telling holds."""

    category = "cost-baseline"


class Budget(Record):
    """The budget of a year; the newest as_of holds."""

    category = "budget"


class Waiver(Record):
    """One waived deduction."""

    category = "waiver"

    def waive(self, waiver: DeductionWaived, at: datetime) -> None:
        """Waive it once."""
        if self.exists:
            raise Rejected(f"waiver {self.id} is recorded already")
        self.tell(waiver, at)


class Assessment(Aggregate):
    """The self-assessment of one year (自评)."""

    category = "assessment"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.opened: AssessmentOpened | None = None
        self.published = False

    def open(self, opening: AssessmentOpened, at: datetime) -> None:
        """Open it once."""
        if self.exists:
            raise Rejected(f"assessment {self.id} is open already")
        if faults := {field: [why] for field, why in opening.faults()}:
            raise Invalid(faults)
        self.record(opening, at)

    @property
    def official_sha256(self) -> str:
        """The hash of the official rulebook."""
        if self.opened is None:
            raise NotFound(f"no assessment {self.id}")
        return next(book.sha256 for book in self.opened.rulebooks if book.rulebook_id == self.opened.official)

    def publish(self, publication: AssessmentPublished, at: datetime) -> None:
        """Publish it; a published one must be withdrawn first."""
        if self.published:
            raise Rejected(f"assessment {self.id} is published; withdraw it before publishing another result")
        self.record(publication, at)

    def withdraw(self, reason: str, at: datetime) -> None:
        """Withdraw what was published."""
        if not self.published:
            raise Rejected(f"assessment {self.id} is not published")
        self.record(AssessmentWithdrawn(assessment_id=self.id, reason=reason), at)

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event:
            case AssessmentOpened():
                self.opened = event
            case AssessmentPublished():
                self.published = True
            case AssessmentWithdrawn():
                self.published = False
