"""The rules of what scoring records itself: reports, baselines, budgets, waivers, assessments."""

from datetime import date, datetime

from shared.aggregate import Aggregate
from shared.contracts.scoring import (
    AssessmentOpened,
    AssessmentPublished,
    AssessmentSigned,
    AssessmentWithdrawn,
    DeductionWaived,
    OfficialRulebookChosen,
    RulebookRef,
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


class AuditAccess(Record):
    """One look that an auditor took, or one file of evidence that left."""

    category = "audit-access"


SIGNATURES = 2
"""How many people stand for a result before it is published."""


class Assessment(Aggregate):
    """The self-assessment of one year (自评): opened, signed by two people, published, perhaps withdrawn."""

    category = "assessment"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.opened: AssessmentOpened | None = None
        self.official = ""
        self.signatures: list[AssessmentSigned] = []
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
        return self._rulebook(self.official).sha256

    @property
    def signed(self) -> AssessmentSigned:
        """What all signatures stand for; raises Rejected while there are too few."""
        if len(self.signatures) < SIGNATURES:
            raise Rejected(
                f"assessment {self.id} has {len(self.signatures)} of the {SIGNATURES} signatures that it needs"
            )
        return self.signatures[0]

    def choose_official(self, rulebook_id: str, reason: str, by: str, at: datetime) -> None:
        """Make another of its rulebooks the official one; what was signed is void then."""
        self._must_be_open()
        if all(rulebook.rulebook_id != rulebook_id for rulebook in self._must_exist().rulebooks):
            known = ", ".join(rulebook.rulebook_id for rulebook in self._must_exist().rulebooks)
            raise Invalid({"rulebook_id": [f"expected one of the rulebooks that it was opened by: {known}"]})
        if rulebook_id == self.official:
            raise Rejected(f"{rulebook_id} is the official rulebook already")
        self.record(
            OfficialRulebookChosen(
                assessment_id=self.id,
                rulebook_id=rulebook_id,
                rulebook_sha256=self._rulebook(rulebook_id).sha256,
                reason=reason,
                chosen_by=by,
            ),
            at,
        )

    def sign(self, signature: AssessmentSigned, at: datetime) -> None:
        """Stand for a result; each person once. A signature under another result leaves those before it void."""
        self._must_be_open()
        if any(_same(one, signature) and one.signed_by == signature.signed_by for one in self.signatures):
            raise Rejected(f"{signature.signed_by} has signed this result; another person has to sign it, too")
        self.record(signature, at)

    def publish(self, publication: AssessmentPublished, at: datetime) -> None:
        """Publish what was signed; a published one must be withdrawn first."""
        self._must_be_open()
        signed = self.signed
        if publication.result_sha256 != signed.result_sha256:
            raise Rejected(
                "the result is not the one that was signed any more: events recorded before "
                f"{signed.known_at.isoformat()} were heard of since; it has to be signed anew"
            )
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
                self.opened, self.official = event, event.official
            case OfficialRulebookChosen():
                self.official, self.signatures = event.rulebook_id, []
            case AssessmentSigned():
                same = self.signatures and _same(self.signatures[0], event)
                self.signatures = [*self.signatures, event] if same else [event]
            case AssessmentPublished():
                self.published = True
            case AssessmentWithdrawn():
                self.published, self.signatures = False, []

    def _must_exist(self) -> AssessmentOpened:
        if self.opened is None:
            raise NotFound(f"no assessment {self.id}")
        return self.opened

    def _must_be_open(self) -> None:
        self._must_exist()
        if self.published:
            raise Rejected(f"assessment {self.id} is published; withdraw it before it is changed or published again")

    def _rulebook(self, rulebook_id: str) -> RulebookRef:
        return next(book for book in self._must_exist().rulebooks if book.rulebook_id == rulebook_id)


def _same(one: AssessmentSigned, other: AssessmentSigned) -> bool:
    """Whether two signatures stand for the same result, with the same gaps."""
    return (one.result_sha256, one.acknowledged) == (other.result_sha256, other.acknowledged)
