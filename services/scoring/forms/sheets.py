"""A form as an xlsx workbook to be printed on A4: headings on every page, marks on every page, numbers as numbers."""

import re
import zipfile
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from services.scoring.forms.line_breaks import broken, half_widths
from services.scoring.forms.tables import Cell, Placed, Table

A4 = 9
LINE = 14.0
"""The height of a line of 10 points, in points."""
HIGHEST = 409.0
"""How high a row of a sheet can be."""
RED = "C00000"
_THIN = Side(style="thin")
RULED = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)


def workbook(table: Table, made: date) -> bytes:
    """An xlsx file with the table on its one sheet; the same table gives the same bytes. `made` is its date inside."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = table.title
    for number, width in enumerate(table.widths, start=1):
        page.column_dimensions[get_column_letter(number)].width = width
    _line(page, 1, table.title, len(table.widths), Font(name="宋体", size=16, bold=True), place="center")
    plain = [(text, Font(name="宋体", size=11)) for text in table.lines]
    marked = [(table.banner, Font(name="宋体", size=11, bold=True, color=RED))] if table.banner else []
    for number, (text, font) in enumerate([*plain, *marked], start=2):
        _line(page, number, text, len(table.widths), font, place="center")
    top = len(plain) + len(marked) + 2
    _ruled(page, table, top)
    for number, text in enumerate(table.notes, start=top + len(table.rows)):
        _line(page, number, text, len(table.widths), Font(name="宋体", size=9), place="left")
    headings = (top + table.headings.start, top + table.headings.stop - 1)
    to_print(page, headings, table.banner, top + len(table.rows) + len(table.notes) - 1)
    return saved(book, made)


def write(cell: Any, value: str | int | Decimal | None, unit: str = "") -> None:
    """Put a value into a sheet's cell: a text stays text, also one that looks like a formula; a number keeps its digits."""
    if value is None:
        return
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("�", value)
        cell.data_type = "s"
        return
    cell.value = value
    digits = "0" if isinstance(value, int) else "#,##0.00####"
    cell.number_format = f'{digits}"{unit}"' if unit else digits


def to_print(page: Worksheet, headings: tuple[int, int], banner: str, last_row: int) -> None:
    """Set a sheet up for A4 across, as wide as the page and as long as it needs; what is marked is marked on every page."""
    page.print_area = f"A1:{get_column_letter(page.max_column)}{last_row}"
    page.print_title_rows = f"{headings[0]}:{headings[1]}"
    page.page_setup.paperSize = A4
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.print_options.horizontalCentered = True
    margins = page.page_margins
    margins.left = margins.right = 0.4
    margins.top = margins.bottom = 0.7
    margins.header = margins.footer = 0.3
    if banner:
        page.HeaderFooter.oddHeader = HeaderFooterItem(right=_HeaderFooterPart(text=banner, color=RED))
    page.HeaderFooter.oddFooter = HeaderFooterItem(center=_HeaderFooterPart(text="第 &P 页 共 &N 页"))


def saved(book: Workbook, made: date) -> bytes:
    """A workbook's bytes without the hour at which they were written, so that the same book gives the same bytes."""
    file, settled = BytesIO(), BytesIO()
    book.save(file)
    stamp = f"{made:%Y-%m-%d}T00:00:00Z".encode()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(settled, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:\w+ [^>]*>)[^<]*", rb"\g<1>" + stamp, content)
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return settled.getvalue()


def _line(page: Worksheet, row: int, text: str, width: int, font: Font, *, place: str) -> None:
    """One line over the whole width, without a frame."""
    page.merge_cells(start_row=row, start_column=1, end_row=row, end_column=width)
    cell = page.cell(row, 1)
    write(cell, text)
    cell.font, cell.alignment = font, Alignment(horizontal=place, vertical="center", wrap_text=True)
    widths = [page.column_dimensions[get_column_letter(number)].width for number in range(1, width + 1)]
    lines = len(broken(text, sum(widths), half_widths))
    page.row_dimensions[row].height = lines * LINE * float(font.sz or 10) / 9


def _ruled(page: Worksheet, table: Table, top: int) -> None:
    placed = list(table.placed())
    for one in placed:
        _place(page, one, top)
    for row, height in enumerate(_heights(table, placed)):
        page.row_dimensions[top + row].height = min(height, HIGHEST)


def _place(page: Worksheet, one: Placed, top: int) -> None:
    for row in one.rows:
        for column in one.columns:
            page.cell(top + row, column + 1).border = RULED
    if len(one.rows) > 1 or len(one.columns) > 1:
        last_row, last_column = top + one.rows[-1], one.columns[-1] + 1
        page.merge_cells(start_row=top + one.row, start_column=one.column + 1, end_row=last_row, end_column=last_column)
    cell, look = page.cell(top + one.row, one.column + 1), one.cell.look
    write(cell, one.cell.value, one.cell.unit)
    cell.font = Font(name="宋体", size=10, bold=look == "label")
    place = "left" if look == "text" else "center"
    cell.alignment = Alignment(horizontal=place, vertical="center", wrap_text=True)


def _heights(table: Table, placed: list[Placed]) -> list[float]:
    """How high each row must be in points; what a cell over several rows still lacks is given to its last."""
    heights = [LINE + 4] * len(table.rows)
    for one in sorted(placed, key=lambda one: one.cell.rows):
        needed = _lines(table, one.column, one.cell) * LINE + 6
        lacking = needed - sum(heights[row] for row in one.rows)
        heights[one.rows[-1]] += max(lacking, 0.0)
    return heights


def _lines(table: Table, column: int, cell: Cell) -> int:
    return lines_in(cell.text, sum(table.widths[column : column + cell.columns]))


def lines_in(text: str, width: int) -> int:
    """How many lines of 10 points a text takes in a column."""
    return len(broken(text, width - 1, half_widths))
