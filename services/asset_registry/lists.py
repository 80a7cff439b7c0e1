"""How the views are asked: a select for each list, on any day (`days.NOW` for now), and the orders that it comes in."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, Table, and_, case, func, or_, select

from services.asset_registry import views
from services.asset_registry.days import holds
from services.asset_registry.views import NAMEPLATE
from shared.rights import EVERYWHERE

SAID = (*NAMEPLATE, "documents")
Listing = tuple[Select[Any], Mapping[str, Sequence[ColumnElement[Any]]]]
"""What `shared.pages.page` takes: a select, and orders by name, the first where none is asked for."""


def facilities(q: str | None, among: Sequence[str] | None = None) -> Listing:
    """Facilities, of all or `among` some ids; `q` is looked for in id, name and address."""
    table = views.facilities.c
    wanted = _containing(select(views.facilities), q, table.facility_id, table.name, table.address)
    if among is not None and EVERYWHERE not in among:
        wanted = wanted.where(table.facility_id.in_(among))
    return wanted, {"facility_id": [table.facility_id], "name": [table.name, table.facility_id]}


def systems(facility: str, day: str, *, category: str | None, q: str | None) -> Listing:
    """Systems that had come into commission; `q` is looked for in id, name and category."""
    table = views.systems.c
    shown = (
        select(
            table.facility,
            table.system_id,
            table.name,
            table.category,
            table.valid_from.label("commissioned_on"),
            case((table.decommissioned_on <= day, table.decommissioned_on)).label("decommissioned_on"),
        )
        .where(table.facility == facility, holds(views.systems, day))
        .subquery()
    )
    wanted = _equal(select(shown), shown, category=category)
    wanted = _containing(wanted, q, shown.c.system_id, shown.c.name, shown.c.category)
    id_ = shown.c.system_id
    return wanted, {"system_id": [id_], "name": [shown.c.name, id_], "commissioned_on": [shown.c.commissioned_on, id_]}


def points(
    facility: str,
    day: str,
    *,
    q: str | None = None,
    location: str | None = None,
    warranty_before: str | None = None,
    **equal: Any,
) -> Listing:
    """Points; `q` is looked for in what names a point or its equipment, `equal` are columns with their values."""
    shown = _points(facility, day)
    wanted = _equal(select(*(column for column in shown.c if column.key != "documents")), shown, **equal)
    words = (shown.c[name] for name in ("point_id", "label", "location", "serial", "maker", "model"))
    wanted = _containing(_containing(wanted, q, *words), location, shown.c.location)
    if warranty_before is not None:
        wanted = wanted.where(shown.c.warranty_until < warranty_before)
    return wanted, {"point_id": [shown.c.point_id], "label": [shown.c.label, shown.c.point_id]}


def point(facility: str, day: str, point_id: str) -> Select[Any]:
    """One point, with its documents."""
    shown = _points(facility, day)
    return select(shown).where(shown.c.point_id == point_id)


def equipment(facility: str, day: str, *, system_id: str | None = None, q: str | None = None) -> Listing:
    """Groups of like equipment, with what is said of the whole group; `points` counts those in use."""
    shown = _groups(facility, day)
    words = (shown.c[name] for name in ("equipment", "serial", "maker", "model"))
    wanted = _containing(_equal(select(shown), shown, system_id=system_id), q, *words)
    return wanted, {"equipment": [shown.c.system_id, shown.c.equipment]}


def with_limits(row: Mapping[str, Any]) -> dict[str, Any]:
    """A point whose limits, if it has any, name both, null where there is none."""
    expected = row["expected"]
    return {**row, "expected": expected and {"low": None, "high": None, **expected}}


def where_points_are(facility: str, point_ids: Sequence[str]) -> list[Select[Any]]:
    """Which points of these ids there are or were (point_id, system_id): selects, none with too many parameters."""
    table = views.ids.c
    wanted = select(table.point_id, table.system_id).where(table.facility == facility)
    chunks = (point_ids[start : start + 5000] for start in range(0, len(point_ids), 5000))
    return [wanted.where(table.point_id.in_(chunk)) for chunk in chunks]


def _points(facility: str, day: str) -> Subquery:
    point, group = views.points, views.groups
    columns = (
        *(point.c[name] for name in ("point_id", "system_id", "equipment", "label", "location", "retired", "expected")),
        *(case((point.c.described, point.c[name]), else_=group.c[name]).label(name) for name in SAID),
    )
    told = point.outerjoin(group, _of_group(group, point, day))
    return select(*columns).select_from(told).where(point.c.facility == facility, holds(point, day)).subquery()


def _groups(facility: str, day: str) -> Subquery:
    point, group = views.points, views.groups
    key = (point.c.facility, point.c.system_id, point.c.equipment)
    counted = (
        select(*key, func.sum(case((point.c.retired, 0), else_=1)).label("points"))
        .where(point.c.facility == facility, holds(point, day))
        .group_by(*key)
        .subquery()
    )
    told = counted.outerjoin(group, _of_group(group, counted, day))
    shown = (counted.c.system_id, counted.c.equipment, counted.c.points, *(group.c[name] for name in SAID))
    return select(*shown).select_from(told).subquery()


def _of_group(group: Table, other: Table | Subquery, day: str) -> ColumnElement[bool]:
    """That what is said of a group is said of the group of this row, and holds."""
    same = (group.c[name] == other.c[name] for name in ("facility", "system_id", "equipment"))
    return and_(*same, holds(group, day))


def _equal(wanted: Select[Any], shown: Subquery, **values: Any) -> Select[Any]:
    return wanted.where(*(shown.c[name] == value for name, value in values.items() if value is not None))


def _containing(wanted: Select[Any], words: str | None, *columns: ColumnElement[Any]) -> Select[Any]:
    """Rows with these words somewhere in one of the columns, A and a alike; % and _ mean themselves."""
    return (
        wanted
        if words is None
        else wanted.where(or_(*(column.icontains(words, autoescape=True) for column in columns)))
    )
