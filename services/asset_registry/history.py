"""What became of one point, told by the events of its system."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from shared.contracts.asset_registry import (
    EquipmentDescribed,
    PointRelocated,
    PointReplaced,
    PointsAdded,
    PointsRetired,
)
from shared.event import Event, Recorded, timestamp


def history(
    past: Iterable[Recorded], point_id: str, equipment: str, *, day_of: Callable[[Recorded], str], until: str
) -> Iterator[dict[str, Any]]:
    """What was said of a point up to a day, or of its whole group, oldest first.

    Each: {time, recordedat, actor, what: the event's name, data: its fields, of several points only this one}.
    """
    for recorded in past:
        event = _about(recorded.event, point_id, equipment)
        if event is not None and day_of(recorded) <= until:
            yield {
                "time": timestamp(recorded.time),
                "recordedat": timestamp(recorded.recordedat),
                "actor": recorded.actor,
                "what": event.event_name,
                "data": event.data(),
            }


def _about(event: Event, point_id: str, equipment: str) -> Event | None:
    """An event as far as it is about a point; None if it is not."""
    match event:
        case PointsAdded():
            ours = tuple(point for point in event.points if point.point_id == point_id)
            return replace(event, points=ours) if ours else None
        case PointsRetired():
            return replace(event, point_ids=(point_id,)) if point_id in event.point_ids else None
        case PointRelocated() | PointReplaced():
            return event if event.point_id == point_id else None
        case EquipmentDescribed():
            return _description_about(event, point_id, equipment)
    return None


def _description_about(event: EquipmentDescribed, point_id: str, equipment: str) -> Event | None:
    if event.point_ids is None:
        return event if event.equipment == equipment else None
    return replace(event, point_ids=(point_id,)) if point_id in event.point_ids else None
