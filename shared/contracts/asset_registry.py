"""What the asset registry publishes: facilities, their systems, and the points that are inspected."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from zoneinfo import available_timezones

from shared.event import Event
from shared.schema import Id, Reading


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The limits within which a reading of a point is normal."""

    unit: str
    low: Reading | None = None
    high: Reading | None = None


@dataclass(frozen=True, kw_only=True)
class Point:
    """One thing that an inspector looks at (点位)."""

    point_id: Id
    label: str
    location: str | None = None
    expected: Expected | None = None


class FacilityRegistered(Event):
    """A public service hall came under inspection; its time zone decides every local date."""

    facility_id: Id
    name: str
    uscc: str
    region_code: str
    address: str | None = None
    floor_area_m2: int | None = None
    timezone: str

    def faults(self) -> Iterator[tuple[str, str]]:
        """The time zone must be one of the IANA data base."""
        if self.timezone not in available_timezones():
            yield "timezone", f"{self.timezone!r} is no IANA time zone, expected one like Asia/Shanghai"


class SystemRegistered(Event):
    """A building system was put in commission on a day."""

    system_id: Id
    name: str
    category: str
    commissioned_on: date


class SystemDecommissioned(Event):
    """A building system went out of commission; from the end of that day nothing is asked of it."""

    system_id: Id
    decommissioned_on: date
    reason: str


class PointsAdded(Event):
    """A group of like points was added to a system."""

    system_id: Id
    equipment: str
    points: tuple[Point, ...]


class PointsRetired(Event):
    """Points are inspected no longer, from the next occurrence on."""

    system_id: Id
    point_ids: tuple[Id, ...]
    reason: str


class PointRelocated(Event):
    """A point hangs elsewhere now."""

    point_id: Id
    location: str
