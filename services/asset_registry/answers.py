"""What the asset registry answers; units and words as in shared.contracts.asset_registry."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from shared.contracts.asset_registry import (
    Document,
    EquipmentDescribed,
    PointRelocated,
    PointReplaced,
    PointsAdded,
    PointsRetired,
)
from shared.schema import Count, Id, Reading


@dataclass(frozen=True, kw_only=True)
class RegisteredFacility:
    """A public service hall; its time zone (IANA) decides every local date."""

    facility_id: Id
    name: str
    uscc: str
    region_code: str
    address: str | None
    floor_area_m2: Count | None
    timezone: str


@dataclass(frozen=True, kw_only=True)
class RegisteredSystem:
    """A building system; `decommissioned_on` is the last day on which anything is asked of it, as far as that is known."""

    facility: Id
    system_id: Id
    name: str
    category: str
    commissioned_on: date
    decommissioned_on: date | None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits within which a reading of a point is normal, both included; null where there is none."""

    unit: str
    low: Reading | None
    high: Reading | None
    design: Reading | None = None
    low_percent: Reading | None = None


@dataclass(frozen=True, kw_only=True)
class _OnNameplates:
    """What a nameplate says, null where that is not known; under warranty until that day, included."""

    maker: str | None
    model: str | None
    serial: str | None
    supplier: str | None
    installed_on: date | None
    warranty_until: date | None


@dataclass(frozen=True, kw_only=True)
class RegisteredPoint(_OnNameplates):
    """One thing that an inspector looks at (点位), with the nameplate of its own or of its group."""

    point_id: Id
    system_id: Id
    equipment: str
    label: str
    location: str | None
    retired: bool
    expected: Limits | None


@dataclass(frozen=True, kw_only=True)
class ToldOfPoint:
    """Something that was said of a point or of its whole group: an event's name and its fields, as far as they are of it."""

    time: datetime
    recordedat: datetime
    actor: str
    what: Literal["points_added", "points_retired", "point_relocated", "point_replaced", "equipment_described"]
    data: PointsAdded | PointsRetired | PointRelocated | PointReplaced | EquipmentDescribed


@dataclass(frozen=True, kw_only=True)
class PointWithHistory(RegisteredPoint):
    """One point, the documents of what stands there, and what was said of it, oldest first."""

    documents: tuple[Document, ...]
    history: tuple[ToldOfPoint, ...]


@dataclass(frozen=True, kw_only=True)
class EquipmentGroup(_OnNameplates):
    """A group of like equipment: how many points of it are in use, and what is said of the whole group."""

    system_id: Id
    equipment: str
    points: Count
    documents: tuple[Document, ...]


@dataclass(frozen=True, kw_only=True)
class ImportedAssets:
    """How many systems, groups of equipment and points a sheet added, or would (`dry_run`), and how many rows were known."""

    dry_run: bool
    systems: Count
    equipment: Count
    points: Count
    unchanged: Count
