"""What work orders publish: the work on the systems, its results and verdicts, what it cost, and what went wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from shared.contracts.asset_registry import Nameplate
from shared.event import Event, Moment
from shared.schema import Count, Id, Money, Reading, Sha256

WorkKind = Literal["inspection", "maintenance", "corrective", "emergency", "service"]
Priority = Literal["low", "normal", "high", "urgent"]
Outcome = Literal["normal", "fault", "not_applicable"]
CostCategory = Literal["fixed_equipment", "service", "consumables", "other"]
Harm = Literal["life", "property"]
ClockFlag = Literal["before_window", "after_window", "recorded_late"]
DueBasis = Literal["workdays", "weekdays", "around_the_clock"]

_HOUR = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class PointResult:
    """What was found at one point; `photos` are SHA-256 of pictures kept outside the event."""

    point_id: Id
    outcome: Outcome
    reading: Reading | None = None
    unit: str | None = None
    note: str | None = None
    fixed_on_site: bool | None = None
    photos: tuple[Sha256, ...] | None = None


class WorkRequested(Event):
    """Somebody asked for work to be done."""

    request_id: Id
    description: str
    requested_by: str
    system_id: Id | None = None
    point_id: Id | None = None


class WorkRequestRejected(Event):
    """A request was turned down."""

    request_id: Id
    reason: str


class WorkRequestApproved(Event):
    """A request was granted by an order."""

    request_id: Id
    work_order_id: Id


class WorkOrderOpened(Event):
    """A job was opened (工单), for an occurrence, a fault, an emergency or a request.

    A planned job has the window of its occurrence; of any other a supervisor hears at `due_at`, and a manager at
    `escalates_at`, if it is not done. `due_basis` says how these were counted in working hours, as far as nobody set
    them: by the workday calendar; where that is not known for a year, by Monday to Friday; or around the clock.
    """

    work_order_id: Id
    kind: WorkKind
    system_id: Id
    point_ids: tuple[Id, ...]
    priority: Priority
    occurrence_id: Id | None = None
    description: str | None = None
    caused_by: Id | None = None
    due_at: Moment | None = None
    due_basis: DueBasis | None = None
    escalates_at: Moment | None = None
    window_start: date | None = None
    window_end: date | None = None


class WorkOrderAssigned(Event):
    """A job was given to somebody."""

    work_order_id: Id
    assignee: str


class WorkStarted(Event):
    """Work began."""

    work_order_id: Id
    at: Moment
    reason: str | None = None


class WorkHeld(Event):
    """Work rests, and why."""

    work_order_id: Id
    at: Moment
    reason: str | None = None


class WorkResumed(Event):
    """Work goes on."""

    work_order_id: Id
    at: Moment
    reason: str | None = None


class PointsInspected(Event):
    """Points were looked at, with what was found at each, and who says so; `captured_at` is when a device took it down."""

    work_order_id: Id
    system_id: Id
    results: tuple[PointResult, ...]
    occurrence_id: Id | None = None
    captured_at: Moment | None = None
    inspected_by: str | None = None


class WorkPerformed(Event):
    """A job was done; `performed_at` decides its date, `recordedat` whether it came in time.

    `captured_at` is when a device took it down; `omitted_point_ids` are those without a result, confirmed by the doer;
    `flags` say what is odd about its times: outside the window, or recorded after it.
    """

    work_order_id: Id
    kind: WorkKind
    system_id: Id
    performed_at: Moment
    performed_by: str
    occurrence_id: Id | None = None
    summary: str | None = None
    captured_at: Moment | None = None
    omitted_point_ids: tuple[Id, ...] | None = None
    flags: tuple[ClockFlag, ...] | None = None

    def faults(self) -> Iterator[tuple[str, str]]:
        """An inspection always names its occurrence."""
        if self.kind == "inspection" and self.occurrence_id is None:
            yield "occurrence_id", "expected the occurrence of the inspection"


class WorkAccepted(Event):
    """A supervisor found the work up to standard (验收)."""

    work_order_id: Id
    kind: WorkKind
    system_id: Id
    accepted_by: str


class WorkReturned(Event):
    """A supervisor found the work not up to standard (未按质按量)."""

    work_order_id: Id
    kind: WorkKind
    system_id: Id
    returned_by: str
    reason: str


class WorkOrderClosed(Event):
    """Nothing is left to do on an accepted job."""

    work_order_id: Id
    reason: str | None = None


class WorkOrderCancelled(Event):
    """A job was called off; that changes nothing about its occurrence."""

    work_order_id: Id
    reason: str | None = None


class EquipmentReplaced(Event):
    """Equipment at a point was replaced, how long that took, and what stands there now."""

    work_order_id: Id
    point_id: Id
    requested_on: date
    replaced_on: date
    nameplate: Nameplate | None = None


class WorkOrderEscalated(Event):
    """A job is not done although it is due; `time` is when that became true."""

    work_order_id: Id
    level: Count
    to: Literal["supervisor", "manager"]
    due_at: Moment


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A stretch of a working day, local time HH:MM."""

    opens: str
    closes: str


class ServiceLevelsAdopted(Event):
    """Within how many working hours jobs of each priority are due, and when people work; for jobs opened from now on."""

    low: Count
    normal: Count
    high: Count
    urgent: Count
    shifts: tuple[Shift, ...]

    def faults(self) -> Iterator[tuple[str, str]]:
        """Hours are at least one; shifts follow each other within a day."""
        for priority in ("low", "normal", "high", "urgent"):
            if not 1 <= getattr(self, priority) <= 2000:
                yield priority, "expected 1 to 2000 working hours"
        if not self.shifts:
            yield "shifts", "expected at least one"
        last = ""
        for number, shift in enumerate(self.shifts):
            for name, words in (("opens", shift.opens), ("closes", shift.closes)):
                if not _HOUR.fullmatch(words):
                    yield f"shifts[{number}].{name}", f"expected a time HH:MM, not {words!r}"
                elif words <= last:
                    yield f"shifts[{number}].{name}", f"expected a time after {last}"
                else:
                    last = words


class CostRecorded(Event):
    """Money was spent, in CNY."""

    cost_id: Id
    amount: Money
    category: CostCategory
    incurred_on: date
    work_order_id: Id | None = None
    supplier: str | None = None
    invoice: str | None = None


class CostReversed(Event):
    """A cost was booked by mistake."""

    cost_id: Id
    reason: str


class IncidentReported(Event):
    """Somebody says that an accident happened."""

    incident_id: Id
    occurred_at: Moment
    description: str
    reported_by: str


class IncidentConfirmed(Event):
    """An accident was found to have happened, and whom and what it harmed."""

    incident_id: Id
    occurred_at: Moment
    harms: tuple[Harm, ...]
    visitors_affected: bool
    description: str


class IncidentDismissed(Event):
    """What was reported was no accident."""

    incident_id: Id
    reason: str
