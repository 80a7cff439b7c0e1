"""The forms of rulebooks, and of an assessment's life: what was signed, published and decided."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.scoring.publishing.seal import Statement
from shared.contracts import scoring
from shared.event import Moment
from shared.schema import Id, Money, Sha256, Year


@dataclass(frozen=True, kw_only=True)
class RulebookText(scoring.RulebookRef):
    """A rulebook with its text, a whole YAML file."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Published:
    """The result that was published, by the SHA-256 of its canonical JSON."""

    result_sha256: Sha256
    total: Money | None


@dataclass(frozen=True, kw_only=True)
class Signed(Published):
    """The result that was signed, and how many signatures stand under it now."""

    signatures: int


@dataclass(frozen=True, kw_only=True)
class Seal(scoring.Signature):
    """A statement, and the signature over its canonical JSON (RFC 8785)."""

    statement: Statement


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What stands published, with its seal and the heads of all ledgers that it rests on."""

    assessment_id: Id
    as_of: date
    known_at: Moment
    rulebook_sha256: Sha256
    heads: dict[str, scoring.Head]
    result_sha256: Sha256
    published_by: str
    seal: Seal | None
    total: Money | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Who decided what about the assessment, and when; `position` is its place in the ledger."""

    event: Literal[
        "assessment_opened",
        "official_rulebook_chosen",
        "assessment_signed",
        "assessment_published",
        "assessment_withdrawn",
    ]
    by: str
    at: Moment
    position: int
    as_of: date | None = None
    official: Id | None = None
    reason: str | None = None
    result_sha256: Sha256 | None = None
    rulebook_id: Id | None = None
    total: Money | None = None


@dataclass(frozen=True, kw_only=True)
class AssessmentStatus:
    """How a year's assessment stands; it is ready once nothing is missing."""

    assessment_id: Id
    year: Year
    official: Id
    rulebooks: tuple[scoring.RulebookRef, ...]
    status: Literal["open", "ready", "signed", "published"]
    missing: tuple[scoring.Code, ...]
    signatures_needed: int
    signatures: tuple[scoring.AssessmentSigned, ...]
    published: Publication | None
    history: tuple[Decision, ...]
