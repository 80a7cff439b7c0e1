"""From a file to what it adds and from there into the ledger; and from the registry into a file."""

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from services.asset_registry.aggregate import MOST_POINTS, System
from services.asset_registry.form.columns import FORMS, POINTS
from services.asset_registry.form.exporting import to_csv, to_xlsx
from services.asset_registry.form.importing import Additions, Registry, additions
from services.asset_registry.form.sheet import Sheet, read_sheet
from services.asset_registry.form.workbook import read_workbook
from services.asset_registry.registered import Ask, points_on, systems_on
from shared.contracts.asset_registry import EquipmentDescribed
from shared.errors import Invalid
from shared.sheets.delimited import read_csv
from shared.sheets.mistakes import Mistakes
from shared.sheets.tables import CSV, XLSX
from shared.unit import Unit

T = TypeVar("T")


def read_form(content: bytes, media_type: str, registry: Registry, at: datetime) -> Additions:
    """What a file adds to a registry; raises Invalid with every mistake by sheet, row and column."""
    mistakes = Mistakes()
    found = additions(_sheets(content, media_type, mistakes), registry, at, mistakes)
    mistakes.raise_any()
    return found


def _sheets(content: bytes, media_type: str, mistakes: Mistakes) -> list[Sheet]:
    if media_type == CSV:
        number = FORMS.index(POINTS)
        return [read_sheet(POINTS, number, read_csv(content, number, mistakes), mistakes)]
    if media_type != XLSX:
        raise Invalid({"media_type": [f"expected {CSV} or {XLSX}"]})
    tables = {table.name: table for table in read_workbook(content, mistakes)}
    return [
        read_sheet(form, number, tables[form.name], mistakes)
        for number, form in enumerate(FORMS)
        if form.name in tables
    ]


def record(do: Unit, found: Additions) -> None:
    """Decide what a form adds as the commands would, in their order: systems, then points, then what they are."""
    for registration in found.systems:
        do.find(System, registration.system_id).register(registration, do.now)
    for (system_id, equipment), points in found.points.items():
        for some in _chunks(points):
            do.edit(System, system_id).add_points(equipment, tuple(some), do.now)
    for (system_id, equipment), nameplate in found.descriptions.items():
        said = EquipmentDescribed(system_id=system_id, equipment=equipment, nameplate=nameplate)
        do.edit(System, system_id).describe_equipment(said, do.now)


def write_form(ask: Ask, facility: str, format_: str, day: str, *, simulated: bool) -> dict[str, str]:
    """What is registered on a day as a download {media_type, body: base64, filename}; raises Invalid.

    That of a simulated installation says so in its name, and a workbook on every printed page.
    """
    points = points_on(ask, facility, day)
    if format_ == "csv":
        media_type, body = CSV, to_csv(points)
    elif format_ == "xlsx":
        media_type, body = XLSX, to_xlsx(systems_on(ask, facility, day), points, simulated=simulated)
    else:
        raise Invalid({"format": ["expected xlsx or csv"]})
    return {
        "media_type": media_type,
        "body": base64.b64encode(body).decode(),
        "filename": f"assets-{facility}{'-模拟数据' if simulated else ''}.{format_}",
    }


def _chunks(things: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at a time as one event may name."""
    return (things[start : start + MOST_POINTS] for start in range(0, len(things), MOST_POINTS))
