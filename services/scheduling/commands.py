"""What callers may ask of scheduling."""

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


@dataclass(frozen=True, kw_only=True)
class ChangePlanItem:
    """Do a duty differently from a day on; what is left out stays as it is."""

    plan_id: Id
    plan_item_id: Id
    effective_on: date
    reason: Text
    rrule: str | None = None
    window_days: Days | None = None
    workdays: Workdays | None = None


@dataclass(frozen=True, kw_only=True)
class WithdrawPlanItem:
    """End a duty on a day."""

    plan_id: Id
    plan_item_id: Id
    effective_on: date
    reason: Text


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
