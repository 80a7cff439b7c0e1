"""Points as they are named beside a score: their label, place, equipment and system, as known at a moment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.scoring.facts import Known
from shared.contracts.asset_registry import PointRelocated, PointsAdded


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One point; None where nothing was told of it."""

    point_id: str
    label: str | None = None
    location: str | None = None
    equipment: str | None = None
    system_id: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """As `why` prints it."""
        names = ("point_id", "label", "location", "equipment", "system_id")
        return {name: getattr(self, name) for name in names}


def places(known: Known) -> Mapping[str, Place]:
    """Every point by its id; the newest word on a point, and on where it hangs, holds."""
    found: dict[str, Place] = {}
    added = sorted(known.all(PointsAdded), key=lambda fact: fact.rank)
    moved = sorted(known.all(PointRelocated), key=lambda fact: fact.rank)
    for group in added:
        for point in group.event.points:
            found[point.point_id] = Place(
                point_id=point.point_id,
                label=point.label,
                location=point.location,
                equipment=group.event.equipment,
                system_id=group.event.system_id,
            )
    for move in moved:
        if move.event.point_id in found:
            found[move.event.point_id] = replace(found[move.event.point_id], location=move.event.location)
    return found
