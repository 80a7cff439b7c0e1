"""建筑消防设施故障维修记录 (GB 25201): every fault of a year, who found it, and what became of it.

A fault is one that an inspection found at a point, or a repair that was opened without one (by hand, from a request).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.work_orders.forms.rounds import Hall
from shared.contracts.work_orders import (
    WorkAccepted,
    WorkOrderCancelled,
    WorkOrderOpened,
    WorkPerformed,
    WorkReturned,
)
from shared.event import Recorded

ON_SITE, REPORTED = "当场处理", "报修"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A fault that an order found at a point."""

    work_order_id: str
    system_id: str
    point_id: str
    found_by: str
    found_at: datetime
    note: str | None
    fixed_on_site: bool


@dataclass(frozen=True, kw_only=True)
class Repair:
    """What became of an order that mends something; what was returned is not mended."""

    order: WorkOrderOpened
    opened_at: datetime
    reported_by: str
    repaired_by: str | None = None
    repaired_at: datetime | None = None
    confirmed_by: str | None = None
    cancelled: bool = False

    def mends(self, finding: Finding) -> bool:
        """Whether it was opened for a finding, or was open already when that was made."""
        if finding.point_id not in self.order.point_ids:
            return False
        if self.order.caused_by == finding.work_order_id:
            return True
        still_open = not self.cancelled and (self.repaired_at is None or self.repaired_at >= finding.found_at)
        return self.opened_at <= finding.found_at and still_open


def repair(events: Sequence[Recorded], requested_by: str | None = None) -> Repair:
    """A repair from its order's events, oldest first; `requested_by` where a request opened it."""
    first, *others = events
    if not isinstance(first.event, WorkOrderOpened):
        raise TypeError(f"a work order begins with {first.type}")
    found = Repair(order=first.event, opened_at=first.time, reported_by=requested_by or first.actor)
    for recorded in others:
        match recorded.event:
            case WorkPerformed() as done:
                found = replace(found, repaired_by=done.performed_by, repaired_at=done.performed_at)
            case WorkReturned():
                found = replace(found, repaired_by=None, repaired_at=None)
            case WorkAccepted() as verdict:
                found = replace(found, confirmed_by=verdict.accepted_by)
            case WorkOrderCancelled():
                found = replace(found, cancelled=True)
    return found


def repair_of(finding: Finding, repairs: Sequence[Repair]) -> Repair | None:
    """The repair of a finding: the one that it opened, else the newest that was open then; none where it was fixed."""
    if finding.fixed_on_site:
        return None
    fits = [one for one in repairs if one.mends(finding)]
    own = [one for one in fits if one.order.caused_by == finding.work_order_id]
    return max(own or fits, key=lambda one: (not one.cancelled, one.opened_at, one.order.work_order_id), default=None)


def faults(year: int, findings: Sequence[Finding], repairs: Sequence[Repair], hall: Hall) -> list[dict[str, Any]]:
    """The faults of a year, by when they were found, in local time.

    Each: {system_id, system, found_by, found_at, place, description, handling, work_order_id, repaired_by, cleared_at,
    confirmed_by, remarks}; what is not known is null.
    """
    linked = [(finding, repair_of(finding, repairs)) for finding in findings]
    taken = {one.order.work_order_id for _, one in linked if one}
    unfound = [one for one in repairs if one.order.work_order_id not in taken]
    rows = [*(_found(*link, hall) for link in linked), *(_ordered(one, hall) for one in unfound)]
    return sorted(
        (row for row in rows if row["found_at"].startswith(f"{year:04}")),
        key=lambda row: (row["found_at"], row["place"], row["work_order_id"] or ""),
    )


def _found(finding: Finding, by: Repair | None, hall: Hall) -> dict[str, Any]:
    found_at = _local(finding.found_at, hall)
    row = {
        "system_id": finding.system_id,
        "system": hall.system(finding.system_id),
        "found_by": finding.found_by,
        "found_at": found_at,
        "place": hall.where(finding.point_id, finding.system_id),
        "description": finding.note,
        "handling": ON_SITE if finding.fixed_on_site else REPORTED,
        "work_order_id": by and by.order.work_order_id,
    }
    if finding.fixed_on_site:
        return {**row, "repaired_by": finding.found_by, "cleared_at": found_at, "confirmed_by": None, "remarks": None}
    return {**row, **_outcome(by, hall)}


def _ordered(by: Repair, hall: Hall) -> dict[str, Any]:
    order = by.order
    return {
        "system_id": order.system_id,
        "system": hall.system(order.system_id),
        "found_by": by.reported_by,
        "found_at": _local(by.opened_at, hall),
        "place": "、".join(hall.where(point_id, order.system_id) for point_id in order.point_ids),
        "description": order.description,
        "handling": REPORTED,
        "work_order_id": order.work_order_id,
        **_outcome(by, hall),
    }


def _outcome(by: Repair | None, hall: Hall) -> dict[str, Any]:
    return {
        "repaired_by": by and by.repaired_by,
        "cleared_at": _local(by.repaired_at, hall) if by and by.repaired_at else None,
        "confirmed_by": by and by.confirmed_by,
        "remarks": "工单已取消" if by and by.cancelled else None,
    }


def _local(moment: datetime, hall: Hall) -> str:
    return moment.astimezone(hall.zone).isoformat()
