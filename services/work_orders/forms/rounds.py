"""巡查记录 (GB 25201): what an order's events and the knowledge of its points say about a round, group by group.

The last word on a point holds. A point without a result is 未巡查, never 正常; the form names it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.contracts.work_orders import PointResult, PointsInspected, WorkAccepted, WorkOrderOpened, WorkPerformed
from shared.errors import NotFound
from shared.event import Recorded, written

NORMAL, FAULT, NOT_APPLICABLE, NOT_INSPECTED = "正常", "故障", "/", "未巡查"


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a point is called (点位), what it belongs to and where it is."""

    label: str
    equipment: str
    location: str | None = None


@dataclass(frozen=True, kw_only=True)
class Hall:
    """What the asset registry knows of a facility: its name (单位名称), the names of its systems, its points."""

    name: str
    zone: ZoneInfo
    systems: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)

    def system(self, system_id: str) -> str:
        """A system's name, or its id where no name is known."""
        return self.systems.get(system_id, system_id)

    def place(self, point_id: str, system_id: str) -> Place:
        """A point; one that is not known is called by its id, and belongs to its system."""
        return self.places.get(point_id) or Place(label=point_id, equipment=self.system(system_id))

    def where(self, point_id: str, system_id: str) -> str:
        """A point in words: 喷嘴 N-014（档案区）."""
        place = self.place(point_id, system_id)
        return f"{place.label}（{place.location}）" if place.location else place.label

    def local(self, moment: datetime | None) -> str:
        """A moment as the office reads it: 2021-03-09 10:40; nothing where there is none."""
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}" if moment else ""


def person(actor: str) -> str:
    """Who somebody is on paper: an actor without `user:`."""
    return actor.removeprefix("user:")


def record(events: Sequence[Recorded], hall: Hall, repairs: Mapping[str, str]) -> dict[str, Any]:
    """The record of one order from its events, oldest first; `repairs` are the orders that mend its points, by point_id.

    {facility, system, system_id, work_order_id, kind, occurrence_id, inspected_by: [actors], performed_at, accepted_by, rows};
    a row: {item, count, normal, faults, not_applicable, not_inspected, condition, fixed_on_site, reported, remarks},
    where the last three and `not_inspected` are lists of words. Raises NotFound for an order without a past.
    """
    order, performed, accepted = (_last(events, kind) for kind in (WorkOrderOpened, WorkPerformed, WorkAccepted))
    if order is None:
        raise NotFound("no such work order")
    return {
        "facility": hall.name,
        "system": hall.system(order.system_id),
        "system_id": order.system_id,
        "work_order_id": order.work_order_id,
        "kind": order.kind,
        "occurrence_id": order.occurrence_id,
        "inspected_by": list(dict.fromkeys(_inspectors(events))),
        "performed_at": performed and written(performed.performed_at.astimezone(hall.zone)),
        "accepted_by": accepted and accepted.accepted_by,
        "rows": list(_rows(order, _results(events), hall, repairs)),
    }


def _last(events: Sequence[Recorded], kind: type) -> Any:
    return next((one.event for one in reversed(events) if isinstance(one.event, kind)), None)


def _inspectors(events: Sequence[Recorded]) -> Iterator[str]:
    for recorded in events:
        if isinstance(recorded.event, PointsInspected):
            yield recorded.actor
        elif isinstance(recorded.event, WorkPerformed):
            yield recorded.event.performed_by


def _results(events: Sequence[Recorded]) -> dict[str, PointResult]:
    inspections = [one.event for one in events if isinstance(one.event, PointsInspected)]
    return {result.point_id: result for inspection in inspections for result in inspection.results}


def _rows(
    order: WorkOrderOpened, results: Mapping[str, PointResult], hall: Hall, repairs: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """A row for every group of equipment, in the order's order."""
    groups: dict[str, list[str]] = {}
    for point_id in order.point_ids:
        groups.setdefault(hall.place(point_id, order.system_id).equipment, []).append(point_id)
    for item, point_ids in groups.items():
        named = {point_id: hall.where(point_id, order.system_id) for point_id in point_ids}
        yield {"item": item, **_row(named, results, repairs)}


def _row(named: Mapping[str, str], results: Mapping[str, PointResult], repairs: Mapping[str, str]) -> dict[str, Any]:
    found = {point_id: results[point_id] for point_id in named if point_id in results}
    faults = {point_id: result for point_id, result in found.items() if result.outcome == "fault"}
    passed_over = {point_id: result for point_id, result in found.items() if result.outcome == "not_applicable"}
    normal = {point_id: result for point_id, result in found.items() if result.outcome == "normal"}
    not_inspected = [words for point_id, words in named.items() if point_id not in found]
    mended = {point_id for point_id, result in faults.items() if result.fixed_on_site}
    return {
        "count": len(named),
        "normal": len(normal),
        "faults": len(faults),
        "not_applicable": len(passed_over),
        "not_inspected": not_inspected,
        "condition": _condition(len(faults), len(not_inspected), len(normal)),
        "fixed_on_site": [named[point_id] for point_id in faults if point_id in mended],
        "reported": [
            " ".join(filter(None, (named[point_id], repairs.get(point_id))))
            for point_id in faults
            if point_id not in mended
        ],
        "remarks": [
            *(f"{FAULT}：{_noted(named[point_id], result)}" for point_id, result in faults.items()),
            *(f"不适用：{_noted(named[point_id], result)}" for point_id, result in passed_over.items()),
            *(_noted(named[point_id], result) for point_id, result in normal.items() if result.note),
        ],
    }


def _condition(faults: int, not_inspected: int, normal: int) -> str:
    """The one word on a group: its worst."""
    if faults:
        return FAULT
    if not_inspected:
        return NOT_INSPECTED
    return NORMAL if normal else NOT_APPLICABLE


def _noted(words: str, result: PointResult) -> str:
    reading = f" {result.reading}{result.unit or ''}" if result.reading is not None else ""
    return f"{words}{reading}：{result.note}" if result.note else f"{words}{reading}"
