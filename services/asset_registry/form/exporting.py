"""A registry written into the form that an import reads: read back, it says the same to the last digit."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill

from services.asset_registry.form.cells import read_cell
from services.asset_registry.form.columns import EXPLANATION, FORMS, POINTS, Column, Form
from shared.errors import Rejected
from shared.sheets.cells import is_blank
from shared.sheets.delimited import disarmed
from shared.sheets.mistakes import letters
from shared.sheets.tables import MOST_ROWS, unhurried

Values = Mapping[str, Any]
"""A row by the ids of the columns."""

LONGEST = 32_767
"""How many characters a cell of a workbook holds."""

_SPECIAL = re.compile("_x(?=[0-9A-Fa-f]{4}_)|[\x01-\x08\x0b-\x1f\ufffe\uffff]")
_FORMATS = {"id": "@", "text": "@", "reading": "General", "date": "yyyy-mm-dd"}


def to_xlsx(systems: Iterable[Values], points: Iterable[Values], *, simulated: bool = False) -> bytes:
    """Both sheets as a workbook; raises Rejected for a text that no cell can hold."""
    book = Workbook(write_only=True)
    for form, rows in zip(FORMS, (systems, points), strict=True):
        sheet = _add_sheet(book, form, rows)
        sheet.oddHeader.center.text = "模拟数据" if simulated else None
    return _saved(book)


def to_csv(points: Iterable[Values]) -> bytes:
    """The points alone, in UTF-8 with the mark (BOM) without which Excel would not take it for that."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.heading for column in POINTS.columns])
    writer.writerows([_written(column, row[column.field]) for column in POINTS.columns] for row in unhurried(points))
    return text.getvalue().encode("utf-8-sig")


def empty_form() -> bytes:
    """A workbook to fill in, with a sheet that explains each column."""
    book = Workbook(write_only=True)
    for form in FORMS:
        _add_sheet(book, form, ())
    sheet = book.create_sheet(EXPLANATION)
    for number, width in enumerate((10, 36, 10, 70, 24), start=1):
        sheet.column_dimensions[letters(number)].width = width
    for line in _explanation():
        sheet.append([_text(sheet, words) for words in line])
    return _saved(book)


def _explanation() -> Iterable[Sequence[str]]:
    yield ("表", "列", "必填", "说明", "示例")
    for form in FORMS:
        for column in form.columns:
            required = "是" if column.required else "否"
            yield (form.name, column.heading, required, column.meaning, column.example)
    yield ()
    yield (
        "",
        "",
        "",
        f"每张表最多 {MOST_ROWS} 行；请勿合并单元格，请勿增删列。日期写作 YYYY-MM-DD 或使用日期格式。",
        "",
    )
    yield ("", "", "", "导入只增加新的系统和点位；已登记且内容相同的行不变，内容不同的行会被指出，整个文件不导入。", "")


def _add_sheet(book: Workbook, form: Form, rows: Iterable[Values]) -> Any:
    sheet = book.create_sheet(form.name)
    sheet.freeze_panes = "A2"
    for number, column in enumerate(form.columns, start=1):
        dimension = sheet.column_dimensions[letters(number)]
        dimension.width, dimension.number_format = column.width, _FORMATS[column.kind]
    sheet.append([_heading(sheet, column) for column in form.columns])
    cells = {column: _formatted(sheet, column) for column in form.columns}
    for row in unhurried(rows):
        sheet.append([_filled(cells[column], column, row[column.field]) for column in form.columns])
    return sheet


def _heading(sheet: Any, column: Column) -> Any:
    cell = _text(sheet, column.heading)
    cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    cell.fill = PatternFill("solid", fgColor="FFE699" if column.required else "DDEBF7")
    return cell


def _formatted(sheet: Any, column: Column) -> Any:
    cell = WriteOnlyCell(sheet)
    cell.number_format = _FORMATS[column.kind]
    return cell


def _text(sheet: Any, words: str) -> Any:
    cell = WriteOnlyCell(sheet, words)
    cell.data_type = "s"
    return cell


def _filled(cell: Any, column: Column, value: Any) -> Any:
    """The cell of a column with another value: rows are written one by one, so one cell serves for all of them.

    Text stays text, also where it begins like a formula or reads like an error.
    """
    if value is None:
        return None
    if isinstance(value, Decimal) and str(read_cell("reading", float(value))) == str(value):
        cell.value = float(value)
    elif isinstance(value, date):
        cell.value = value
    else:
        cell.value, cell.data_type = _SPECIAL.sub(_escaped, _bounded(column, str(value))), "s"
    return cell


def _bounded(column: Column, words: str) -> str:
    if len(words) > LONGEST:
        raise Rejected(f"{column.heading}: a cell holds at most {LONGEST} characters, one of them is {len(words)} long")
    return words


def _escaped(special: re.Match[str]) -> str:
    """Characters that XML has not, and what looks like their escape (ECMA-376, ST_Xstring)."""
    return "_x005F_x" if special[0] == "_x" else f"_x{ord(special[0]):04X}_"


def _saved(book: Workbook) -> bytes:
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def _written(column: Column, value: Any) -> str:
    words = "" if value is None else str(value)
    return words if column.kind == "reading" or is_blank(words) else disarmed(words)
