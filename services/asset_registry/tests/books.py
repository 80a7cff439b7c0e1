"""Sheets as an office would send them."""

import base64
import csv
import zipfile
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO, StringIO
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from services.asset_registry.form.columns import FORMS, POINTS, Form
from shared.errors import Invalid
from shared.sheets.tables import CSV, XLSX
from shared.tests.alone import Alone

Rows = Sequence[Mapping[str, Any]]

GAS = {"system_id": "gas", "name": "气体灭火", "category": "消防", "commissioned_on": "2021-01-01"}
CYLINDER = {
    "point_id": "CYL-1",
    "system_id": "gas",
    "equipment": "瓶组",
    "label": "1 号瓶",
    "location": "档案室",
    "unit": "MPa",
    "low": 3.78,
    "high": "5.30",
    "design": 4.2,
    "low_percent": 90,
    "maker": "某厂",
    "serial": "SN-1",
    "installed_on": "2019-05-20",
    "warranty_until": "2024-05-19",
}


def book(systems: Rows = (GAS,), points: Rows = (CYLINDER,), mend: Callable[[Workbook], object] | None = None) -> bytes:
    """A workbook of the form; `mend` may change it before it is saved."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for form, rows in zip(FORMS, (systems, points), strict=True):
        sheet = made.create_sheet(form.name)
        sheet.append([column.heading for column in form.columns])
        for row in rows:
            sheet.append(cells_of(form, row))
    if mend is not None:
        mend(made)
    target = BytesIO()
    made.save(target)
    return target.getvalue()


def csv_file(points: Rows, encoding: str = "utf-8") -> bytes:
    """The form of points as a CSV file."""
    text = StringIO(newline="")
    csv.writer(text).writerows(
        [[column.heading for column in POINTS.columns], *(cells_of(POINTS, row) for row in points)]
    )
    return text.getvalue().encode(encoding)


def cells_of(form: Form, row: Mapping[str, Any]) -> list[Any]:
    """The cells of a row in the order of the form; what it does not name stays blank."""
    assert row.keys() <= {column.field for column in form.columns}
    return [row.get(column.field) for column in form.columns]


def with_parts(content: bytes, *, kept: Callable[[str, bytes], bytes | None]) -> bytes:
    """A workbook with its parts rewritten; None leaves one out."""
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if (part := kept(name, old.read(name))) is not None:
                new.writestr(name, part)
    return target.getvalue()


def send(registry: Alone, content: bytes, media_type: str = XLSX, **asked: Any) -> dict[str, Any]:
    """Import a file."""
    file = base64.b64encode(content).decode()
    answer: dict[str, Any] = registry.ask("import_assets", file=file, media_type=media_type, **asked)
    return answer


def mistakes_in(registry: Alone, content: bytes, media_type: str = XLSX) -> dict[str, str]:
    """What an import names, of which nothing may have happened."""
    before = registry.ledger.tips()
    with pytest.raises(Invalid) as refused:
        send(registry, content, media_type)
    assert registry.ledger.tips() == before
    return {place: "; ".join(whys) for place, whys in refused.value.errors.items()}


def exported(registry: Alone, format_: str = "xlsx", as_of: str | None = None) -> bytes:
    """What an export answers."""
    answer = registry.service.export_assets(registry.hall, format_, as_of)
    assert answer["media_type"] == {"xlsx": XLSX, "csv": CSV}[format_]
    return base64.b64decode(answer["body"])


def read_back(content: bytes) -> dict[str, list[tuple[Any, ...]]]:
    """The sheets of a workbook, by name, as another program reads them."""
    opened = load_workbook(BytesIO(content))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in opened.worksheets}
