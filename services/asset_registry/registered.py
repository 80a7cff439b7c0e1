"""What is registered, by the columns of the form and as their values: for an import to compare with, or to be exported."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select

from services.asset_registry import lists
from services.asset_registry.days import NOW
from services.asset_registry.form.columns import LIMITS, NAMEPLATE, POINTS, SYSTEMS, Form
from services.asset_registry.form.importing import Registered, Registry
from shared.contracts.asset_registry import Nameplate

Ask = Callable[[Select[Any]], Sequence[Row[Any]]]
"""How the views are asked."""
Values = Mapping[str, Any]
"""A row by the ids of the columns."""


def registry(ask: Ask, facility: str) -> Registry:
    """Everything that an import has to know of a facility."""
    systems = [row._asdict() for row in ask(lists.systems(facility, NOW, category=None, q=None)[0])]
    points = [row._asdict() for row in ask(lists.points(facility, NOW)[0])]
    groups = [row._asdict() for row in ask(lists.equipment(facility, NOW)[0])]
    return Registry(
        systems={row["system_id"]: _values(SYSTEMS, row) for row in systems if row["decommissioned_on"] is None},
        decommissioned={row["system_id"]: row["decommissioned_on"] for row in systems if row["decommissioned_on"]},
        points={row["point_id"]: Registered(_point(row), row["retired"]) for row in points},
        groups={(row["system_id"], row["equipment"]): _nameplate(row) for row in groups},
    )


def systems_on(ask: Ask, facility: str, day: str) -> list[Values]:
    """The systems that are in commission on a day, by id."""
    wanted, order = lists.systems(facility, day, category=None, q=None)
    rows = [row._asdict() for row in ask(wanted.order_by(*order["system_id"]))]
    return [_values(SYSTEMS, row) for row in rows if row["decommissioned_on"] is None]


def points_on(ask: Ask, facility: str, day: str, **equal: str | None) -> list[Values]:
    """The points in use on a day of systems in commission, by system, equipment and id; those with equal columns only."""
    systems = {values["system_id"] for values in systems_on(ask, facility, day)}
    rows = [row._asdict() for row in ask(lists.points(facility, day, retired=False, **equal)[0])]
    found = [_point(row) for row in rows if row["system_id"] in systems]
    return sorted(found, key=lambda values: (values["system_id"], values["equipment"], values["point_id"]))


def labelled(ask: Ask, facility: str, system_id: str | None, equipment: str | None) -> list[Values]:
    """The points in use now, of one system or equipment if named, each with the name of its system (`system`)."""
    names = {values["system_id"]: values["name"] for values in systems_on(ask, facility, NOW)}
    points = points_on(ask, facility, NOW, system_id=system_id, equipment=equipment)
    return [{**point, "system": names[point["system_id"]]} for point in points]


def _point(row: Values) -> Values:
    return _values(POINTS, {**row, **dict.fromkeys(LIMITS), **(row["expected"] or {})})


def _nameplate(row: Values) -> Nameplate:
    return Nameplate(**{column.field: _READ[column.kind](row[column.field]) for column in _DESCRIBING})


def _values(form: Form, row: Values) -> Values:
    return {column.field: _READ[column.kind](row[column.field]) for column in form.columns}


_DESCRIBING = [column for column in POINTS.columns if column.field in NAMEPLATE]
_READ: Mapping[str, Callable[[Any], Any]] = {
    "id": lambda shown: shown,
    "text": lambda shown: shown,
    "reading": lambda shown: None if shown is None else Decimal(shown),
    "date": lambda shown: None if shown is None else date.fromisoformat(shown),
}
