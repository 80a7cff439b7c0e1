"""What callers may ask of scheduling. With `dry_run` a command answers what it would change, and changes nothing."""

from dataclasses import dataclass
from datetime import date

from shared.contracts.scheduling import Days, PlanItem, Workdays
from shared.schema import Id, Text, Year


@dataclass(frozen=True, kw_only=True)
class AdoptPlan:
    """Let a year's plan hold."""

    plan_id: Id
    year: Year
    items: tuple[PlanItem, ...]
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class ChangePlanItem:
    """Do a duty differently on nominal dates from a day on; what is left out stays as it is."""

    plan_id: Id
    plan_item_id: Id
    effective_on: date
    reason: Text
    rrule: str | None = None
    window_days: Days | None = None
    workdays: Workdays | None = None
    assignee: Text | None = None
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class WithdrawPlanItem:
    """End a duty on a day."""

    plan_id: Id
    plan_item_id: Id
    effective_on: date
    reason: Text
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class AmendWorkdays:
    """Say anew which days of a year are worked: whole lists, as far as days differ from Monday to Friday."""

    year: Year
    holidays: tuple[date, ...]
    make_up_workdays: tuple[date, ...]
    source: Text
    reason: Text
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class ExcuseOccurrence:
    """Excuse a visit, or with `point_ids` only these points of it; the caller approves it."""

    occurrence_id: Id
    reason: Text
    point_ids: tuple[Id, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class WithdrawOccurrence:
    """Ask a visit no more."""

    occurrence_id: Id
    reason: Text
