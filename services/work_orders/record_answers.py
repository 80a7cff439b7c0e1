"""What work orders answer about what stands beside the work: requests, costs, replacements, incidents; money in CNY."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from shared.contracts.asset_registry import Nameplate
from shared.contracts.work_orders import CostCategory, Harm
from shared.schema import Count, Id, Money, Period, Sum


@dataclass(frozen=True, kw_only=True)
class ListedWorkRequest:
    """A wish that work be done (报修申请): the order that grants it, or why it was turned down."""

    facility: Id
    request_id: Id
    status: Literal["reported", "approved", "rejected"]
    description: str
    requested_by: str
    requested_at: datetime
    system_id: Id | None
    point_id: Id | None
    work_order_id: Id | None
    rejected_because: str | None


@dataclass(frozen=True, kw_only=True)
class ListedCost:
    """Money that was spent, or that was booked by mistake and taken back."""

    facility: Id
    cost_id: Id
    amount: Money
    category: CostCategory
    incurred_on: date
    work_order_id: Id | None
    supplier: str | None
    invoice: str | None
    status: Literal["booked", "reversed"]
    reversed_because: str | None


@dataclass(frozen=True, kw_only=True)
class CostWarning:
    """The invoice of a cost is booked already, as another cost."""

    code: Literal["duplicate_invoice"]
    message: str
    cost_id: Id


@dataclass(frozen=True, kw_only=True)
class BookedCost:
    """A cost was booked; what is odd about it."""

    warnings: tuple[CostWarning, ...]


@dataclass(frozen=True, kw_only=True)
class YearBudget:
    """The budget of a year (年初预算数, 全年预算数) as it stood on a day."""

    initial: Money
    annual: Money
    as_of: date


@dataclass(frozen=True, kw_only=True)
class SpentOnCategory:
    """What was spent on one category."""

    category: CostCategory
    amount: Sum


@dataclass(frozen=True, kw_only=True)
class PaidToSupplier:
    """What one supplier was paid; null stands for the costs that name none."""

    supplier: str | None
    amount: Sum


@dataclass(frozen=True, kw_only=True)
class SpentInMonth:
    """What was spent in a month."""

    month: Period
    amount: Sum


@dataclass(frozen=True, kw_only=True)
class CostSummary:
    """What was spent in a year, without what was reversed; `remaining` is of the annual budget, null without one.

    The lists are without categories, suppliers and months that cost nothing.
    """

    year: int
    budget: YearBudget | None
    spent: Sum
    remaining: Sum | None
    by_category: tuple[SpentOnCategory, ...]
    by_supplier: tuple[PaidToSupplier, ...]
    by_month: tuple[SpentInMonth, ...]


@dataclass(frozen=True, kw_only=True)
class ListedReplacement:
    """Equipment that was replaced: how many `days` that took from the request, and what stands there now, if told."""

    facility: Id
    replacement_id: Id
    work_order_id: Id
    point_id: Id
    requested_on: date
    replaced_on: date
    days: Count
    nameplate: Nameplate | None


@dataclass(frozen=True, kw_only=True)
class IncidentReport:
    """What somebody said that happened."""

    occurred_at: datetime
    description: str
    reported_by: str


@dataclass(frozen=True, kw_only=True)
class IncidentFinding:
    """What was found to have happened."""

    occurred_at: datetime
    harms: tuple[Harm, ...]
    visitors_affected: bool
    description: str


@dataclass(frozen=True, kw_only=True)
class ListedIncident:
    """An accident (安全事故): `occurred_at` and the harms are as found, before that as reported; null is not known yet."""

    facility: Id
    incident_id: Id
    status: Literal["reported", "confirmed", "dismissed"]
    occurred_at: datetime
    harms: tuple[Harm, ...]
    visitors_affected: bool | None
    report: IncidentReport
    finding: IncidentFinding | None
    dismissed_because: str | None
