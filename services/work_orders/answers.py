"""What work orders answer about the work: orders, rounds, records; words as in shared.contracts.work_orders."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from shared.contracts.work_orders import ClockFlag, DueBasis, Outcome, Priority, Shift, WorkKind
from shared.schema import Count, Id, Reading, Sha256

OrderStatus = Literal["opened", "assigned", "in_progress", "on_hold", "performed", "accepted", "closed", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class OpenedWorkOrder:
    """The order that was opened."""

    work_order_id: Id


@dataclass(frozen=True, kw_only=True)
class MendingOrders:
    """The orders that mend the faults that were told: those opened for them, and those that were open already."""

    opened: tuple[Id, ...]
    known: tuple[Id, ...]


@dataclass(frozen=True, kw_only=True)
class Performance:
    """What is odd about the times of work that was reported performed."""

    flags: tuple[ClockFlag, ...]


@dataclass(frozen=True, kw_only=True)
class ListedWorkOrder:
    """A job (工单) and where it stands.

    `escalated` is whom was told that it is due and not done: 0 nobody, 1 a supervisor, 2 a manager. `results` counts the
    points on which there is a word.
    """

    facility: Id
    work_order_id: Id
    kind: WorkKind
    system_id: Id
    occurrence_id: Id | None
    point_ids: tuple[Id, ...]
    priority: Priority
    description: str | None
    caused_by: Id | None
    due_at: datetime | None
    due_basis: DueBasis | None
    escalates_at: datetime | None
    escalated: Count
    window_start: date | None
    window_end: date | None
    opened_at: datetime
    status: OrderStatus
    assignee: str | None
    performed_at: datetime | None
    performed_by: str | None
    omitted_point_ids: tuple[Id, ...]
    flags: tuple[ClockFlag, ...]
    results: Count


@dataclass(frozen=True, kw_only=True)
class WorkOrderWithCaused(ListedWorkOrder):
    """A job with the ids of the orders that it caused, as they were opened."""

    caused: tuple[Id, ...]


@dataclass(frozen=True, kw_only=True)
class RoundLimits:
    """The limits within which a reading of a point is normal, both included; null where there is none."""

    unit: str
    low: Reading | None
    high: Reading | None


@dataclass(frozen=True, kw_only=True)
class LastResult:
    """The last word on a point in a round; `captured_at` is when a device took it down."""

    point_id: Id
    outcome: Outcome
    reading: Reading | None
    unit: str | None
    note: str | None
    fixed_on_site: bool | None
    photos: tuple[Sha256, ...]
    at: datetime
    captured_at: datetime | None
    recorded_at: datetime
    inspected_by: str | None


@dataclass(frozen=True, kw_only=True)
class OpenFault:
    """The oldest corrective order at a point that somebody still has to work on."""

    work_order_id: Id
    opened_at: datetime
    description: str | None


@dataclass(frozen=True, kw_only=True)
class PointOfRound:
    """A point of a round: what it is, as far as that is known, the last word on it, and a fault that is open there."""

    point_id: Id
    label: str | None
    location: str | None
    equipment: str | None
    expected: RoundLimits | None
    result: LastResult | None
    open_fault: OpenFault | None


@dataclass(frozen=True, kw_only=True)
class Round:
    """The points of an order as it names them; `unnamed` are those of an inspection without a result."""

    work_order_id: Id
    kind: WorkKind
    system_id: Id
    occurrence_id: Id | None
    status: OrderStatus
    points: tuple[PointOfRound, ...]
    unnamed: tuple[Id, ...]


@dataclass(frozen=True, kw_only=True)
class RecordRow:
    """A line of the 巡查记录 (GB 25201): a group of equipment, how many points of it were what, and words on them."""

    item: str
    count: Count
    normal: Count
    faults: Count
    not_applicable: Count
    not_inspected: tuple[str, ...]
    condition: Literal["正常", "故障", "/", "未巡查"]
    fixed_on_site: tuple[str, ...]
    reported: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class InspectionRecord:
    """The 巡查记录 (GB 25201) of an order: `facility` and `system` are names, `inspected_by` are actors.

    `performed_at` is in the time zone of the facility; `simulated` says that the data is made up.
    """

    facility: str
    system: str
    system_id: Id
    work_order_id: Id
    kind: WorkKind
    occurrence_id: Id | None
    inspected_by: tuple[str, ...]
    performed_at: datetime | None
    accepted_by: str | None
    rows: tuple[RecordRow, ...]
    simulated: bool


@dataclass(frozen=True, kw_only=True)
class ServiceLevelsInForce:
    """Within how many working hours jobs of each priority are due, and when people work; `default` is ours."""

    low: Count
    normal: Count
    high: Count
    urgent: Count
    shifts: tuple[Shift, ...]
    source: Literal["adopted", "default"]
