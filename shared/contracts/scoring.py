"""What scoring publishes: the facts recorded with it, waivers, and assessments."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import msgspec

from shared.event import Event, Moment
from shared.schema import Count, Id, Money, Period, Sha256, Year

Code = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9._:-]{1,200}$", description="a code: 1–200 of A–Z a–z 0–9 . _ : -")
]
"""What is missing, by name: `no_ratings:2021-03`."""


@dataclass(frozen=True, kw_only=True)
class RulebookRef:
    """A rulebook, by the SHA-256 of its bytes."""

    rulebook_id: Id
    sha256: Sha256


@dataclass(frozen=True, kw_only=True)
class Head:
    """How far a ledger had come: its last position and that event's hash; `root` is its tree hash (RFC 6962)."""

    position: int
    hash: str
    root: str | None = None


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Who says so: `signature` (base64) by the key whose public half in DER has the SHA-256 `key_id`."""

    algorithm: Literal["Ed25519", "SM2"]
    key_id: Sha256
    signature: str


class AssessmentOpened(Event):
    """The self-assessment of a year was opened (自评); `official` is the rulebook that counts."""

    assessment_id: Id
    year: Year
    rulebooks: tuple[RulebookRef, ...]
    official: Id

    def faults(self) -> Iterator[tuple[str, str]]:
        """The official rulebook is one of those named."""
        if self.official not in {rulebook.rulebook_id for rulebook in self.rulebooks}:
            yield "official", "expected the rulebook_id of one of the rulebooks"


class SatisfactionReported(Event):
    """Ratings of visitors in a span (好差评); `defaulted` ⊆ basically_satisfied, `overturned` ⊆ the last two."""

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

    def faults(self) -> Iterator[tuple[str, str]]:
        """Parts are no greater than what they are part of."""
        if self.period_end < self.period_start:
            yield "period_end", f"expected a day on or after period_start {self.period_start}"
        if self.defaulted > self.basically_satisfied:
            yield "defaulted", "expected at most basically_satisfied"
        if self.overturned > self.dissatisfied + self.very_dissatisfied:
            yield "overturned", "expected at most dissatisfied + very_dissatisfied"


class CostBaselineRecorded(Event):
    """What a year's repair of fixed equipment cost; next year is measured by it."""

    year: Year
    amount: Money
    basis: str


class BudgetRecorded(Event):
    """The budget of a year as it stood on a day."""

    year: Year
    initial: Money
    annual: Money
    executed: Money
    as_of: date


class DeductionWaived(Event):
    """A deduction costs nothing: of an event, of an occurrence (or one point of it), or of a period (of a system)."""

    waiver_id: Id
    reason: str
    approved_by: str
    event_id: Id | None = None
    occurrence_id: Id | None = None
    point_id: Id | None = None
    period: Period | None = None
    system_id: Id | None = None

    def faults(self) -> Iterator[tuple[str, str]]:
        """It names just one of event, occurrence and period; a point only with an occurrence, a system with a period."""
        if sum(name is not None for name in (self.event_id, self.occurrence_id, self.period)) != 1:
            yield "event_id", "expected exactly one of event_id, occurrence_id and period"
        if self.point_id is not None and self.occurrence_id is None:
            yield "point_id", "expected only beside occurrence_id"
        if self.system_id is not None and self.period is None:
            yield "system_id", "expected only beside period"


class OfficialRulebookChosen(Event):
    """Another of an assessment's rulebooks was made the official one; what was signed by the one before is void."""

    assessment_id: Id
    rulebook_id: Id
    rulebook_sha256: Sha256
    reason: str
    chosen_by: str


class AssessmentSigned(Event):
    """Somebody stands for a result, and for what was missing when they did (`acknowledged`)."""

    assessment_id: Id
    as_of: date
    known_at: Moment
    rulebook_sha256: Sha256
    result_sha256: Sha256
    acknowledged: tuple[Code, ...]
    signed_by: str
    total: Money | None = None


class AssessmentPublished(Event):
    """An assessment's result was frozen, with the heads of all ledgers that it rests on, and sealed.

    `seal` is over the canonical statement that services/scoring/seal.py makes of the other fields and the envelope.
    """

    assessment_id: Id
    as_of: date
    known_at: Moment
    rulebook_sha256: Sha256
    heads: dict[str, Head]
    result_sha256: Sha256
    published_by: str
    total: Money | None = None
    seal: Signature | None = None


class AssessmentWithdrawn(Event):
    """A published assessment no longer holds."""

    assessment_id: Id
    reason: str


class EvidenceRead(Event):
    """An auditor was shown something of the facility; `what` is what was asked for."""

    what: str
    read_by: str


class EvidenceExported(Event):
    """Evidence left the platform; `sha256` is of its bytes, where it left as a file."""

    what: str
    exported_by: str
    sha256: Sha256 | None = None
