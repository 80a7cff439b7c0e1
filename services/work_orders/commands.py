"""What callers may ask of work orders; words as in shared.contracts.work_orders, times RFC 3339 with offset."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from shared.contracts.asset_registry import Nameplate
from shared.contracts.work_orders import CostCategory, Harm, PointResult, Priority, Shift
from shared.event import Moment
from shared.schema import Count, Id, Money, Text


@dataclass(frozen=True, kw_only=True)
class OpenWorkOrder:
    """Open a job that no plan asked for; an inspection is only ever opened by its occurrence."""

    kind: Literal["maintenance", "corrective", "emergency", "service"]
    system_id: Id
    point_ids: tuple[Id, ...]
    priority: Priority
    work_order_id: Id | None = None
    description: Text | None = None
    caused_by: Id | None = None
    due_at: Moment | None = None


@dataclass(frozen=True, kw_only=True)
class Assign:
    """Give a job to somebody."""

    work_order_id: Id
    assignee: Text


@dataclass(frozen=True, kw_only=True)
class Start:
    """Begin the work."""

    work_order_id: Id
    at: Moment


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Let the work rest."""

    work_order_id: Id
    at: Moment
    reason: Text


@dataclass(frozen=True, kw_only=True)
class Resume:
    """Go on with the work."""

    work_order_id: Id
    at: Moment


@dataclass(frozen=True, kw_only=True)
class Inspect:
    """Say what was found at points; may be said in parts, the last word on a point holds."""

    work_order_id: Id
    results: tuple[PointResult, ...]
    at: Moment | None = None
    captured_at: Moment | None = None


@dataclass(frozen=True, kw_only=True)
class Perform:
    """Say that the job is done."""

    work_order_id: Id
    performed_at: Moment
    summary: Text | None = None
    captured_at: Moment | None = None
    omitted_point_ids: tuple[Id, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Accept:
    """Find the work up to standard."""

    work_order_id: Id


@dataclass(frozen=True, kw_only=True)
class AcceptMany:
    """Find the work of several jobs up to standard, all of it or none."""

    work_order_ids: tuple[Id, ...]


@dataclass(frozen=True, kw_only=True)
class KeepPhoto:
    """Keep a photo, base64, so that results can name it; what it is follows from its bytes, not from `media_type`."""

    file: Text
    media_type: str | None = None


@dataclass(frozen=True, kw_only=True)
class Return:
    """Find the work not up to standard."""

    work_order_id: Id
    reason: Text


@dataclass(frozen=True, kw_only=True)
class Finish:
    """Close or cancel a job."""

    work_order_id: Id
    reason: Text | None = None


@dataclass(frozen=True, kw_only=True)
class RecordReplacement:
    """Say that equipment was replaced."""

    work_order_id: Id
    point_id: Id
    requested_on: date
    replaced_on: date
    nameplate: Nameplate | None = None


@dataclass(frozen=True, kw_only=True)
class RequestWork:
    """Ask for work to be done."""

    request_id: Id
    description: Text
    system_id: Id | None = None
    point_id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class ApproveWorkRequest:
    """Grant a request by an order; without a description it has the request's."""

    request_id: Id
    kind: Literal["maintenance", "corrective", "emergency", "service"]
    priority: Priority
    system_id: Id
    point_ids: tuple[Id, ...]
    work_order_id: Id | None = None
    description: Text | None = None


@dataclass(frozen=True, kw_only=True)
class RejectWorkRequest:
    """Turn a request down."""

    request_id: Id
    reason: Text


@dataclass(frozen=True, kw_only=True)
class RecordCost:
    """Book money spent, in CNY."""

    cost_id: Id
    amount: Money
    category: CostCategory
    incurred_on: date
    work_order_id: Id | None = None
    supplier: Text | None = None
    invoice: Text | None = None


@dataclass(frozen=True, kw_only=True)
class ReverseCost:
    """Take back a cost booked by mistake."""

    cost_id: Id
    reason: Text


@dataclass(frozen=True, kw_only=True)
class ReportIncident:
    """Say that an accident happened."""

    incident_id: Id
    occurred_at: Moment
    description: Text


@dataclass(frozen=True, kw_only=True)
class ConfirmIncident:
    """Find that an accident happened, and whom and what it harmed."""

    incident_id: Id
    occurred_at: Moment
    harms: tuple[Harm, ...]
    visitors_affected: bool
    description: Text


@dataclass(frozen=True, kw_only=True)
class DismissIncident:
    """Find that what was reported was no accident."""

    incident_id: Id
    reason: Text


@dataclass(frozen=True, kw_only=True)
class AdoptServiceLevels:
    """Say within how many working hours jobs of each priority are due, and when people work."""

    low: Count
    normal: Count
    high: Count
    urgent: Count
    shifts: tuple[Shift, ...]
