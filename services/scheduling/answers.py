"""What scheduling answers; words as in shared.contracts.scheduling, days are local dates of the facility."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from shared.contracts.scheduling import Activity, Days, WithdrawnBecause, Workdays
from shared.schema import Count, Id, Period, Year

OccurrenceStatus = Literal["planned", "performed", "overdue", "missed", "withdrawn"]


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One visit that the plans ask for, made already or expected; its window has both days included."""

    occurrence_id: Id
    system_id: Id
    plan_item_id: Id
    period: Period
    window_start: date
    window_end: date


@dataclass(frozen=True, kw_only=True)
class PlanWarning:
    """What whoever plans a year should know, though nothing of it is refused; with the duty or the system concerned."""

    code: Literal["unknown_workdays", "below_minimum"]
    message: str
    system_id: Id | None = None
    plan_item_id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class PlanChanges:
    """What a command changes, or would (`dry_run`): visits that are asked now and were not before, and the other way round."""

    added: tuple[Visit, ...]
    withdrawn: tuple[Visit, ...]
    warnings: tuple[PlanWarning, ...]


@dataclass(frozen=True, kw_only=True)
class ListedPlan:
    """A plan in the list, with its number of items."""

    facility: Id
    plan_id: Id
    year: Year
    items: Count


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """How a duty reads; null what was never said, and all of it once it is withdrawn."""

    rrule: str | None
    window_days: Days | None
    workdays: Workdays | None
    assignee: str | None
    withdrawn: bool


@dataclass(frozen=True, kw_only=True)
class ItemTerm(_Reading):
    """How a duty reads from a day on, null from the beginning, and why it was changed."""

    effective_on: date | None
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class ItemAsItReads(_Reading):
    """A duty as it reads today, with all its terms, oldest first."""

    plan_item_id: Id
    system_id: Id
    activity: Activity
    terms: tuple[ItemTerm, ...]


@dataclass(frozen=True, kw_only=True)
class PlanAsItReads:
    """A plan with its items as they read today, or before their first change as they were adopted."""

    plan_id: Id
    year: Year
    items: tuple[ItemAsItReads, ...]


@dataclass(frozen=True, kw_only=True)
class YearOfWorkdays:
    """In what the workdays of a year differ from Monday to Friday, as far as that is known.

    `version` counts how often it was adopted here; with 0 it is what the library says, or with `known` false nothing.
    """

    year: int
    known: bool
    source: str | None
    holidays: tuple[date, ...]
    make_up_workdays: tuple[date, ...]
    version: Count


@dataclass(frozen=True, kw_only=True)
class ListedOccurrence:
    """A visit that was made (应检周期): its window with both days included, how many points it has, and where it stands.

    `reason` is why it was withdrawn or excused as a whole, `because` what a withdrawal followed from.
    """

    facility: Id
    occurrence_id: Id
    plan_item_id: Id
    system_id: Id
    activity: Activity
    period: Period
    window_start: date
    window_end: date
    points: Count
    status: OccurrenceStatus
    excused: bool
    reason: str | None
    because: WithdrawnBecause | None
    assignee: str | None
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Excuse:
    """An excuse of a visit, or of these points of it."""

    point_ids: tuple[Id, ...] | None
    reason: str
    approved_by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class OccurrenceWithPoints(ListedOccurrence):
    """A visit with its points and every excuse, oldest first."""

    point_ids: tuple[Id, ...]
    excuses: tuple[Excuse, ...]


@dataclass(frozen=True, kw_only=True)
class VisitOfMonth:
    """A visit and what became of it; `expected` where it is planned and not made yet."""

    occurrence_id: Id
    activity: Activity
    status: Literal["planned", "performed", "overdue", "missed", "withdrawn", "expected"]
    excused: bool
    window_start: date
    window_end: date


@dataclass(frozen=True, kw_only=True)
class MonthOfVisits:
    """The visits that count for a month, by window."""

    period: Period
    occurrences: tuple[VisitOfMonth, ...]


@dataclass(frozen=True, kw_only=True)
class SystemInYear:
    """A system and the twelve months of a year."""

    system_id: Id
    name: str
    months: tuple[MonthOfVisits, ...]


@dataclass(frozen=True, kw_only=True)
class YearOfVisits:
    """A year by system and month, and what its plans lack."""

    year: int
    systems: tuple[SystemInYear, ...]
    warnings: tuple[PlanWarning, ...]
