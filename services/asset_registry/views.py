"""What the asset registry keeps to be asked for: facilities, systems, points and equipment, on any day until now.

Where a thing changes, its rows hold from a local day of the facility until another (`days`). The day of a change is that
of the event's `time`, except where the event names one: commissioning, decommissioning, replacement.
"""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    String,
    Table,
    Text,
    and_,
    func,
    insert,
    select,
    update,
)

from services.asset_registry.days import change, hold
from services.asset_registry.rows import insert_rows
from shared.attachments import attachment_table
from shared.contracts.asset_registry import (
    EquipmentDescribed,
    FacilityRegistered,
    PointRelocated,
    PointReplaced,
    PointsAdded,
    PointsRetired,
    SystemDecommissioned,
    SystemRegistered,
)
from shared.event import Event, Recorded
from shared.views import Views

NAMEPLATE = ("maker", "model", "serial", "supplier", "installed_on", "warranty_until")
"""The columns of a nameplate, as its fields."""


def _nameplate() -> list[Column[Any]]:
    words = [Column(name, Text) for name in ("maker", "model", "serial", "supplier")]
    days = [Column(name, String(10)) for name in ("installed_on", "warranty_until")]
    return [*words, *days, Column("documents", JSON(none_as_null=True))]


metadata = MetaData()
facilities = Table(
    "facility",
    metadata,
    Column("facility_id", String(80), primary_key=True),
    Column("name", Text, nullable=False),
    Column("uscc", String(18), nullable=False),
    Column("region_code", String(12), nullable=False),
    Column("address", Text),
    Column("floor_area_m2", BigInteger),
    Column("timezone", String(80), nullable=False),
)
systems = Table(
    "system",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("system_id", String(80), primary_key=True),
    Column("valid_from", String(10), primary_key=True),
    Column("valid_until", String(10)),
    Column("name", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("decommissioned_on", String(10)),
)
ids = Table(  # of points, for ever
    "point_id",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("point_id", String(80), primary_key=True),
    Column("system_id", String(80), nullable=False),
)
points = Table(  # whole, so that a list joins little: databases join badly what they have not counted yet
    "point",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("point_id", String(80), primary_key=True),
    Column("valid_from", String(10), primary_key=True),
    Column("valid_until", String(10)),
    Column("system_id", String(80), nullable=False),
    Column("equipment", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("location", Text),
    Column("retired", Boolean, nullable=False),
    Column("expected", JSON(none_as_null=True)),
    Column("described", Boolean, nullable=False),  # by itself: the nameplate is not that of its group
    Column("replaced_on", String(10)),
    *_nameplate(),
)
groups = Table(  # what is said of groups of equipment
    "equipment",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("system_id", String(80), primary_key=True),
    Column("equipment", Text, primary_key=True),
    Column("valid_from", String(10), primary_key=True),
    Column("valid_until", String(10)),
    *_nameplate(),
)
attachments = attachment_table(metadata)


def fold(connection: Connection, recorded: Recorded) -> None:
    """Bring the tables on by one event."""
    facility, event = recorded.facility, recorded.event
    match event:
        case FacilityRegistered():
            connection.execute(insert(facilities).values(event.data()))
        case SystemRegistered():
            row = {"facility": facility, "system_id": event.system_id, "name": event.name, "category": event.category}
            this = and_(systems.c.facility == facility, systems.c.system_id == event.system_id)
            hold(connection, systems, this, row, day=event.commissioned_on.isoformat())
        case SystemDecommissioned():
            this = and_(systems.c.facility == facility, systems.c.system_id == event.system_id)
            newest = and_(this, systems.c.valid_until.is_(None))
            connection.execute(update(systems).where(newest).values(decommissioned_on=str(event.decommissioned_on)))
        case PointsAdded() | PointsRetired() | PointRelocated():
            _fold_point(connection, facility, event, day_of(recorded, timezone(connection, facility)))
        case EquipmentDescribed():
            _describe(connection, facility, event, day_of(recorded, timezone(connection, facility)))
        case PointReplaced():
            _replace(connection, facility, event)


def _fold_point(connection: Connection, facility: str, event: Event, day: str) -> None:
    match event:
        case PointsAdded():
            group = {"facility": facility, "system_id": event.system_id}
            insert_rows(connection, ids, [{**group, "point_id": point.point_id} for point in event.points])
            group |= {"equipment": event.equipment, "valid_from": day}
            insert_rows(connection, points, [{**group, **_point(told)} for told in event.data()["points"]])
        case PointsRetired():
            change(connection, points, _these(facility, event.point_ids), {"retired": True}, day=day)
        case PointRelocated():
            change(connection, points, _these(facility, [event.point_id]), {"location": event.location}, day=day)


def _describe(connection: Connection, facility: str, event: EquipmentDescribed, day: str) -> None:
    said = _said(event.data()["nameplate"], event.data()["documents"])
    if event.point_ids is None:
        group = {"facility": facility, "system_id": event.system_id, "equipment": event.equipment}
        this = and_(*(groups.c[name] == value for name, value in group.items()))
        hold(connection, groups, this, group | said, day=day)
    else:
        change(connection, points, _these(facility, event.point_ids), {"described": True, **said}, day=day)


def _replace(connection: Connection, facility: str, event: PointReplaced) -> None:
    """Begin a nameplate anew, up to the next replacement where that was told before."""
    day, this = event.replaced_on.isoformat(), _these(facility, [event.point_id])
    later = select(func.min(points.c.valid_from)).where(this, points.c.replaced_on > day)
    until = connection.execute(later).scalar_one()
    said = {"described": True, "replaced_on": day, **_said(event.data()["nameplate"])}
    change(connection, points, this, said, day=day, until=until)


def _these(facility: str, point_ids: Sequence[str]) -> ColumnElement[bool]:
    return and_(points.c.facility == facility, points.c.point_id.in_(point_ids))


def _point(told: dict[str, Any]) -> dict[str, Any]:
    """The columns of a point as it was added."""
    nameplate = told.get("nameplate")
    return {
        "point_id": told["point_id"],
        "label": told["label"],
        "location": told.get("location"),
        "retired": False,
        "expected": told.get("expected"),
        "described": nameplate is not None,
        **_said(nameplate or {}),
    }


def _said(nameplate: dict[str, Any], documents: Sequence[Any] = ()) -> dict[str, Any]:
    """Every column about equipment, null where nothing is said."""
    return {**dict.fromkeys(NAMEPLATE), **nameplate, "documents": list(documents)}


def timezone(connection: Connection, facility: str) -> str:
    """The time zone of a facility."""
    found = connection.execute(select(facilities.c.timezone).where(facilities.c.facility_id == facility))
    return found.scalar_one_or_none() or "Asia/Shanghai"


def day_of(recorded: Recorded, zone: str) -> str:
    """The local day from which what an event says of points or equipment holds."""
    if isinstance(recorded.event, PointReplaced):
        return recorded.event.replaced_on.isoformat()
    return recorded.time.astimezone(ZoneInfo(zone)).date().isoformat()


VIEWS = Views(metadata=metadata, fold=fold)
