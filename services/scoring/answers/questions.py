"""The forms of what is asked beyond a score: what is missing, what is at risk, what differs, and month by system."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.scoring.answers.result import Amount, Asked, DeductedFor, Measured, Totals
from services.scoring.questions import matrix
from shared.contracts.scoring import Code
from shared.event import Moment
from shared.schema import Id, Period, Year

# --- what is missing, and what is at risk ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Missing:
    """One thing that is missing before the year can be signed; `where` is the path of the command that supplies it."""

    code: Code
    about: str | None
    zh: str
    en: str
    where: str


@dataclass(frozen=True, kw_only=True)
class Threat(DeductedFor):
    """A deduction, the last day on which its work can be done, and the last to record that."""

    points: Amount
    window_end: date
    record_until: date


@dataclass(frozen=True, kw_only=True)
class ToDo:
    """A visit that is not made yet, or lacks results."""

    occurrence_id: Id
    system_id: Id
    window_start: date
    window_end: date
    record_until: date
    performed: bool
    points_left: int
    points_without_result: tuple[Id, ...]


@dataclass(frozen=True, kw_only=True)
class IndicatorAtRisk:
    """One indicator as of the day and as of the month's end, and what lies in between."""

    id: Id
    weight: Amount
    score_now: Amount | None
    score_then: Amount | None
    at_risk: Amount
    added: tuple[Threat, ...]
    still_mendable: tuple[Threat, ...]
    to_do: tuple[ToDo, ...]


@dataclass(frozen=True, kw_only=True)
class AtRisk(Asked):
    """The score if it were frozen on a day, and what the rest of the month costs if nothing more is done."""

    facility: Id
    until: date
    if_frozen: Totals
    if_nothing_is_done: Totals
    at_risk: Amount
    indicators: tuple[IndicatorAtRisk, ...]


# --- month by system ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Month:
    """One month of one system; the status is null where it was not in commission."""

    period: Period
    status: matrix.Status | None
    visits: int
    performed: int
    missed_inspections: int
    missed_points: int


@dataclass(frozen=True, kw_only=True)
class SystemYear:
    """One system and its twelve months."""

    system_id: Id
    name: str
    backfill_days: int
    months: tuple[Month, ...]


@dataclass(frozen=True, kw_only=True)
class InspectionMatrix:
    """What became of the inspections of each system in each month."""

    year: Year
    as_of: date
    known_at: Moment | None
    rulebook: Id
    simulated: bool
    systems: tuple[SystemYear, ...]


# --- what differs ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Named:
    """An event by its id and its place in its ledger; `simulated` is there, and true, only where it was simulated."""

    id: Id
    type: str
    source: str
    position: int
    subject: str
    time: Moment
    recordedat: Moment
    actor: str
    simulated: bool = False


@dataclass(frozen=True, kw_only=True)
class EventBecameKnown:
    """The event with which it turned; going back, it is not known yet."""

    kind: Literal["event"]
    known: bool
    event: Named


@dataclass(frozen=True, kw_only=True)
class DayCame:
    """The day with which it turned, and the events that are of that day; going back, it has not come yet."""

    kind: Literal["day"]
    day: date
    come: bool
    events: tuple[Named, ...]


Plain = int | str | bool | tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ReadDifferently:
    """What two rulebooks say of a weight, a target, a rule or a parameter."""

    what: str
    first: Plain | None
    second: Plain | None


@dataclass(frozen=True, kw_only=True)
class RulebookDiffers:
    """All that the two rulebooks read differently of the indicator."""

    kind: Literal["rulebook"]
    differs: tuple[ReadDifferently, ...]


@dataclass(frozen=True, kw_only=True)
class MemberChanged:
    """A member of the indicator's result that has another value."""

    what: Literal["weight", "target", "status", "actual", "actual_without_defaulted", "score"]
    before: int | str | None
    after: int | str | None


@dataclass(frozen=True, kw_only=True)
class DeductionChanged(DeductedFor):
    """A deduction that came, went, or has other points or other evidence."""

    what: Literal["appeared", "disappeared", "points", "evidence"]
    before: Amount | tuple[Id, ...] | None
    after: Amount | tuple[Id, ...] | None
    evidence: tuple[Id, ...]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One cause, all that it changed of an indicator, and what that did to its score."""

    leg: Literal["knowledge", "time", "rulebook"]
    cause: EventBecameKnown | DayCame | RulebookDiffers
    changes: tuple[MemberChanged | DeductionChanged, ...]
    score_change: Amount


@dataclass(frozen=True, kw_only=True)
class Different:
    """One indicator that the answers show differently; null on the side whose rulebook does not have it."""

    id: Id
    first: Measured | None
    second: Measured | None
    score_change: Amount
    explanations: tuple[Explanation, ...]


@dataclass(frozen=True, kw_only=True)
class Side(Asked, Totals):
    """One of the two answers."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two answers side by side, and what differs between them, each difference by its one cause."""

    facility: Id
    first: Side
    second: Side
    differ: bool
    indicators: tuple[Different, ...]
