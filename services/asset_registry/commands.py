"""What callers may ask of the asset registry; units and words as in shared.contracts.asset_registry."""

from dataclasses import dataclass
from datetime import date

from shared.contracts.asset_registry import Document, Nameplate, Point
from shared.schema import Count, Id, Text


@dataclass(frozen=True, kw_only=True)
class RegisterFacility:
    """Put a hall under inspection; `uscc` is its unified social credit code (GB 32100, check character included)."""

    facility_id: Id
    name: Text
    uscc: str
    region_code: str
    timezone: str
    address: Text | None = None
    floor_area_m2: Count | None = None


@dataclass(frozen=True, kw_only=True)
class RegisterSystem:
    """Put a building system in commission."""

    system_id: Id
    name: Text
    category: Text
    commissioned_on: date


@dataclass(frozen=True, kw_only=True)
class DecommissionSystem:
    """Take a building system out of commission."""

    system_id: Id
    decommissioned_on: date
    reason: Text


@dataclass(frozen=True, kw_only=True)
class AddPoints:
    """Add a group of like points to a system."""

    system_id: Id
    equipment: Text
    points: tuple[Point, ...]


@dataclass(frozen=True, kw_only=True)
class RetirePoints:
    """Inspect points no longer."""

    system_id: Id
    point_ids: tuple[Id, ...]
    reason: Text


@dataclass(frozen=True, kw_only=True)
class RelocatePoint:
    """Say where a point hangs now."""

    point_id: Id
    location: Text


@dataclass(frozen=True, kw_only=True)
class DescribeEquipment:
    """Say what a group of equipment is, or with `point_ids` only what stands at these points of it."""

    system_id: Id
    equipment: Text
    nameplate: Nameplate
    documents: tuple[Document, ...] = ()
    point_ids: tuple[Id, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class ReplaceEquipment:
    """Say that other equipment stands at a point since a day, and what it is as far as that is known."""

    point_id: Id
    replaced_on: date
    nameplate: Nameplate | None = None


@dataclass(frozen=True, kw_only=True)
class KeepDocument:
    """Keep a file (base64) that a description will name; `media_type` is what its sender takes it for."""

    file: str
    media_type: str


@dataclass(frozen=True, kw_only=True)
class ImportAssets:
    """Add the systems and points of a sheet (base64, xlsx or CSV, docs/assets-form.md); a dry run only tells what it would."""

    file: str
    media_type: str
    dry_run: bool = False
