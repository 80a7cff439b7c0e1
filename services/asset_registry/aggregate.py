"""The rules of facilities and systems."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from stdnum.cn import uscc as social_credit_code

from shared.aggregate import Aggregate
from shared.contracts.asset_registry import (
    FacilityRegistered,
    Point,
    PointRelocated,
    PointsAdded,
    PointsRetired,
    SystemDecommissioned,
    SystemRegistered,
)
from shared.errors import Invalid, Rejected
from shared.event import Event

MOST_POINTS = 5000
"""How many points one command may name: a row for each is written in one statement."""


class Facility(Aggregate):
    """A public service hall."""

    category = "facility"

    def register(self, registration: FacilityRegistered, at: datetime) -> None:
        """Register it once; the code's region may differ from the facility's (divisions are renumbered)."""
        if self.exists:
            raise Rejected(f"facility {self.id} is registered already")
        uscc = registration.uscc
        if not (social_credit_code.is_valid(uscc) and social_credit_code.compact(uscc) == uscc):
            raise Invalid({"uscc": ["expected a unified social credit code (GB 32100) with a right check character"]})
        if not re.fullmatch("[0-9]{6}([0-9]{6})?", registration.region_code):
            raise Invalid({"region_code": ["expected 6 digits, or 12 padded with zeros (GB/T 2260)"]})
        if faults := {field: [why] for field, why in registration.faults()}:
            raise Invalid(faults)
        self.record(registration, at)

    def apply(self, event: Event) -> None:
        """Fold; no later decision needs more than that it exists."""


class System(Aggregate):
    """A building system and its points."""

    category = "system"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.in_commission = False
        self.commissioned_on = date.min
        self.points: set[str] = set()

    def register(self, registration: SystemRegistered, at: datetime) -> None:
        """Put it in commission; again only after it went out of commission."""
        if self.in_commission:
            raise Rejected(f"system {self.id} is in commission already")
        self.record(registration, at)

    def decommission(self, on: date, reason: str, at: datetime) -> None:
        """Take it out of commission, on the day that it came into commission at the earliest."""
        self._must_be_in_commission()
        if on < self.commissioned_on:
            raise Invalid({"decommissioned_on": [f"expected a day on or after commissioned_on {self.commissioned_on}"]})
        self.record(SystemDecommissioned(system_id=self.id, decommissioned_on=on, reason=reason), at)

    def add_points(self, equipment: str, points: tuple[Point, ...], at: datetime) -> None:
        """Add points; ids that are there already, or twice in the group, are refused."""
        self._must_be_in_commission()
        ids = [point.point_id for point in points]
        _must_be_some("points", ids)
        if there := sorted(self.points.intersection(ids)):
            raise Rejected(f"points of {self.id} already: {', '.join(there)}")
        self.record(PointsAdded(system_id=self.id, equipment=equipment, points=points), at)

    def retire_points(self, point_ids: tuple[str, ...], reason: str, at: datetime) -> None:
        """Retire points that are there."""
        _must_be_some("point_ids", point_ids)
        if unknown := sorted(set(point_ids) - self.points):
            raise Rejected(f"no points of {self.id}: {', '.join(unknown)}")
        self.record(PointsRetired(system_id=self.id, point_ids=point_ids, reason=reason), at)

    def relocate_point(self, point_id: str, location: str, at: datetime) -> None:
        """Move a point that is there."""
        if point_id not in self.points:
            raise Rejected(f"no point of {self.id}: {point_id}")
        self.record(PointRelocated(point_id=point_id, location=location), at)

    def _must_be_in_commission(self) -> None:
        if not self.in_commission:
            raise Rejected(f"system {self.id} is not in commission")

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event:
            case SystemRegistered():
                self.in_commission, self.commissioned_on = True, event.commissioned_on
            case SystemDecommissioned():
                self.in_commission = False
            case PointsAdded():
                self.points |= {point.point_id for point in event.points}
            case PointsRetired():
                self.points -= set(event.point_ids)


def _must_be_some(field: str, ids: Sequence[str]) -> None:
    """Refuse no points, too many of them, and one that is named twice."""
    if not 1 <= len(ids) <= MOST_POINTS:
        raise Invalid({field: [f"expected 1 to {MOST_POINTS} points"]})
    if twice := sorted(id_ for id_, times in Counter(ids).items() if times > 1):
        raise Invalid({field: [f"point ids named twice: {', '.join(twice)}"]})
