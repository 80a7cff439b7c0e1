"""What the asset registry publishes: facilities, their systems, and the points that are inspected."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from zoneinfo import available_timezones

from shared.event import Event
from shared.schema import Id, Reading, Sha256


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The limits within which a reading of a point is normal, both included.

    `design` is what the equipment was built for; `low_percent` says that `low` was set to so many percent of it.
    """

    unit: str
    low: Reading | None = None
    high: Reading | None = None
    design: Reading | None = None
    low_percent: Reading | None = None


@dataclass(frozen=True, kw_only=True)
class Nameplate:
    """What equipment is, who made and delivered it, and until when it is under warranty (that day included)."""

    maker: str | None = None
    model: str | None = None
    serial: str | None = None
    supplier: str | None = None
    installed_on: date | None = None
    warranty_until: date | None = None

    def faults(self) -> Iterator[tuple[str, str]]:
        """What the fields say against each other, as (field, what was expected); words are not blank."""
        for field in ("maker", "model", "serial", "supplier"):
            words = getattr(self, field)
            if words is not None and not words.strip():
                yield field, "expected words, not blank"
        if self.installed_on and self.warranty_until and self.warranty_until < self.installed_on:
            yield "warranty_until", f"expected a day on or after installed_on {self.installed_on}"


@dataclass(frozen=True, kw_only=True)
class Point:
    """One thing that an inspector looks at (点位); `nameplate` is what stands there, if not what its whole group is."""

    point_id: Id
    label: str
    location: str | None = None
    expected: Expected | None = None
    nameplate: Nameplate | None = None


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file that belongs to equipment, by the SHA-256 of its bytes; the file itself is kept outside the event."""

    sha256: Sha256
    title: str


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


class EquipmentDescribed(Event):
    """What a group of equipment is, or with `point_ids` only what stands at these points of it.

    The last word on a group or a point holds whole: what is left out is unknown again.
    """

    system_id: Id
    equipment: str
    nameplate: Nameplate
    documents: tuple[Document, ...] = ()
    point_ids: tuple[Id, ...] | None = None


class PointReplaced(Event):
    """Other equipment stands at a point since a day; what was said of the one before holds no longer."""

    point_id: Id
    replaced_on: date
    nameplate: Nameplate
    work_order_id: Id | None = None


class PointRelocated(Event):
    """A point hangs elsewhere now."""

    point_id: Id
    location: str
