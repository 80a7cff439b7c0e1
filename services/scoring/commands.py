"""What callers may ask of scoring; fields as of the events in shared.contracts.scoring."""

from dataclasses import dataclass
from datetime import date

from shared.contracts.scoring import Code, RulebookRef
from shared.event import Moment
from shared.schema import Count, Id, Money, Period, Sha256, Text, Year


@dataclass(frozen=True, kw_only=True)
class AddRulebook:
    """Make a rulebook known; `text` is the whole YAML file."""

    text: str


@dataclass(frozen=True, kw_only=True)
class ReportSatisfaction:
    """Report the visitors' ratings of a span; a report of the same id corrects the earlier one."""

    report_id: Id
    period_start: date
    period_end: date
    very_satisfied: Count
    satisfied: Count
    basically_satisfied: Count
    dissatisfied: Count
    very_dissatisfied: Count
    defaulted: Count
    overturned: Count


@dataclass(frozen=True, kw_only=True)
class RecordCostBaseline:
    """Say what a year's repair of fixed equipment cost."""

    year: Year
    amount: Money
    basis: Text


@dataclass(frozen=True, kw_only=True)
class RecordBudget:
    """Say how a year's budget stood on a day."""

    year: Year
    initial: Money
    annual: Money
    executed: Money
    as_of: date


@dataclass(frozen=True, kw_only=True)
class WaiveDeduction:
    """Let a deduction cost nothing; the caller approves it."""

    waiver_id: Id
    reason: Text
    event_id: Id | None = None
    occurrence_id: Id | None = None
    point_id: Id | None = None
    period: Period | None = None
    system_id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class OpenAssessment:
    """Open the self-assessment of a year by rulebooks that are known, one of them official."""

    assessment_id: Id
    year: Year
    rulebooks: tuple[RulebookRef, ...]
    official: Id


@dataclass(frozen=True, kw_only=True)
class ChooseOfficialRulebook:
    """Let another rulebook of an assessment count."""

    assessment_id: Id
    rulebook_id: Id
    reason: Text


@dataclass(frozen=True, kw_only=True)
class SignAssessment:
    """Stand for the result as of a local date, by what was recorded up to `known_at`.

    `known_at` is by default what the signature before was given for, else now. `acknowledged` names all that is missing.
    With `result_sha256`, only just that result is signed.
    """

    assessment_id: Id
    as_of: date
    known_at: Moment | None = None
    acknowledged: tuple[Code, ...] = ()
    result_sha256: Sha256 | None = None


@dataclass(frozen=True, kw_only=True)
class PublishAssessment:
    """Freeze and seal the result that was signed."""

    assessment_id: Id


@dataclass(frozen=True, kw_only=True)
class WithdrawAssessment:
    """Let a published result hold no longer."""

    assessment_id: Id
    reason: Text


@dataclass(frozen=True, kw_only=True)
class RecordReading:
    """Somebody was shown something: `what` was asked for."""

    what: Text


@dataclass(frozen=True, kw_only=True)
class RecordExport:
    """A file of evidence left the platform."""

    what: Text
    sha256: Sha256
