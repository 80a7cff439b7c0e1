"""The rules of facilities and systems."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from stdnum.cn import uscc as social_credit_code

from services.asset_registry import limits, nameplates
from shared.aggregate import Aggregate
from shared.contracts.asset_registry import (
    EquipmentDescribed,
    FacilityRegistered,
    Nameplate,
    Point,
    PointRelocated,
    PointReplaced,
    PointsAdded,
    PointsRetired,
    SystemDecommissioned,
    SystemRegistered,
)
from shared.errors import Invalid, Rejected
from shared.event import Event

MOST_POINTS = 5000
"""How many points one event names at most: a row for each is written in one statement."""
LONGEST_NAME = 200
"""How long the name of a group is at most: a database finds what is said of the group by it."""


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
    """A building system, its groups of like equipment (`equipment`), and their points."""

    category = "system"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.in_commission = False
        self.commissioned_on = date.min
        self.points: dict[str, str] = {}
        """The points in use, and the equipment of each."""
        self.retired: set[str] = set()
        self.in_use: Counter[str] = Counter()
        """Equipment → how many points of it are in use."""

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
        """Add points; ids that are there, were there before they were retired, or are twice in the group, are refused."""
        self._must_be_in_commission()
        if len(equipment) > LONGEST_NAME:
            raise Invalid({"equipment": [f"expected at most {LONGEST_NAME} characters"]})
        ids = [point.point_id for point in points]
        _must_be_some("points", ids)
        if there := sorted(id_ for id_ in ids if id_ in self.points or id_ in self.retired):
            raise Rejected(f"points of {self.id} already: {', '.join(there)}")
        _refuse(_unfit_points(points, at))
        self.record(PointsAdded(system_id=self.id, equipment=equipment, points=tuple(map(_filled, points))), at)

    def retire_points(self, point_ids: tuple[str, ...], reason: str, at: datetime) -> None:
        """Retire points that are there."""
        _must_be_some("point_ids", point_ids)
        self._must_have(point_ids)
        self.record(PointsRetired(system_id=self.id, point_ids=point_ids, reason=reason), at)

    def relocate_point(self, point_id: str, location: str, at: datetime) -> None:
        """Move a point that is there."""
        self._must_have([point_id])
        self.record(PointRelocated(point_id=point_id, location=location), at)

    def describe_equipment(self, description: EquipmentDescribed, at: datetime) -> None:
        """Say what a group of its equipment is, or what stands at some points of that group."""
        equipment, ids = description.equipment, description.point_ids
        if not self.in_use[equipment]:
            raise Rejected(f"no equipment of {self.id}: {equipment}")
        if ids is not None:
            _must_be_some("point_ids", ids)
            if others := sorted(id_ for id_ in ids if self.points.get(id_) != equipment):
                raise Rejected(f"no points of {equipment} of {self.id}: {', '.join(others)}")
        if description.nameplate == Nameplate() and not description.documents:
            raise Invalid({"nameplate": ["expected something about the equipment, or documents"]})
        _refuse(_under("nameplate", nameplates.faults(description.nameplate, at)))
        _refuse(nameplates.document_faults(description.documents))
        self.record(description, at)

    def replace(self, replacement: PointReplaced, at: datetime) -> None:
        """Say that other equipment stands at a point that is there; what it is need not be known yet."""
        self._must_have([replacement.point_id])
        if replacement.replaced_on > nameplates.latest_day(at):
            raise Invalid({"replaced_on": [f"expected a day that has come, not {replacement.replaced_on}"]})
        _refuse(_under("nameplate", nameplates.faults(replacement.nameplate, at)))
        self.record(replacement, at)

    def follow_replacement(self, replacement: PointReplaced, at: datetime) -> None:
        """Take over what work reported and another ledger holds: it is so, and nothing about it is refused.

        Of a point that is not there, or no longer, nothing is recorded.
        """
        if replacement.point_id in self.points:
            self.record(replacement, at)

    def _must_be_in_commission(self) -> None:
        if not self.in_commission:
            raise Rejected(f"system {self.id} is not in commission")

    def _must_have(self, point_ids: Sequence[str]) -> None:
        if unknown := sorted(set(point_ids) - self.points.keys()):
            raise Rejected(f"no points of {self.id}: {', '.join(unknown)}")

    def apply(self, event: Event) -> None:
        """Fold one event; what equipment is decides nothing."""
        match event:
            case SystemRegistered():
                self.in_commission, self.commissioned_on = True, event.commissioned_on
            case SystemDecommissioned():
                self.in_commission = False
            case PointsAdded():
                self.points |= {point.point_id: event.equipment for point in event.points}
                self.in_use[event.equipment] += len(event.points)
            case PointsRetired():
                self.in_use.subtract(self.points.pop(point_id, "") for point_id in event.point_ids)
                self.retired.update(event.point_ids)


def _must_be_some(field: str, ids: Sequence[str]) -> None:
    """Refuse no points, too many of them, and one that is named twice."""
    if not 1 <= len(ids) <= MOST_POINTS:
        raise Invalid({field: [f"expected 1 to {MOST_POINTS} points"]})
    if twice := sorted(id_ for id_, times in Counter(ids).items() if times > 1):
        raise Invalid({field: [f"point ids named twice: {', '.join(twice)}"]})


def _refuse(faults: Iterator[tuple[str, str]]) -> None:
    if errors := {field: [why] for field, why in faults}:
        raise Invalid(errors)


def _filled(point: Point) -> Point:
    return point if point.expected is None else replace(point, expected=limits.filled(point.expected))


def _unfit_points(points: tuple[Point, ...], at: datetime) -> Iterator[tuple[str, str]]:
    for number, point in enumerate(points):
        for field in ("label", "location"):
            words = getattr(point, field)
            if words is not None and not words.strip():
                yield f"points[{number}].{field}", "expected words, not blank"
        if point.expected is not None:
            yield from _under(f"points[{number}].expected", limits.faults(point.expected))
        if point.nameplate is not None:
            yield from _under(f"points[{number}].nameplate", nameplates.faults(point.nameplate, at))


def _under(path: str, faults: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((f"{path}.{field}", why) for field, why in faults)
