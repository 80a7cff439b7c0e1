"""The forms as sheets to print: A4, headings on every page, what is made up marked as such (模拟数据)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from services.work_orders.forms.rounds import NOT_INSPECTED, Hall, person

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SIMULATED = "模拟数据"
MOST_CHARACTERS = 32_767
"""What a cell of a sheet can hold."""

RECORD_COLUMNS = (
    ("项目", 20),
    ("数量", 8),
    ("正常数", 8),
    ('正常/故障/"/"', 13),
    ("当场处理", 22),
    ("报修", 26),
    ("备注", 34),
)
FAULT_COLUMNS = (
    ("序号", 6),
    ("系统", 14),
    ("发现人", 10),
    ("时间", 12),
    ("部位/故障描述", 30),
    ("当场处理/报修", 22),
    ("维修人", 10),
    ("故障排除时间/确认", 18),
    ("安全保护措施", 14),
    ("备注", 12),
)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A form: a title, a head of labels with their values, and a table."""

    title: str
    head: Sequence[tuple[str, str]]
    columns: Sequence[tuple[str, int]]
    rows: Sequence[Sequence[str | int]]


def record_sheet(record: dict[str, Any], hall: Hall) -> Sheet:
    """The sheet of a 巡查记录, from what `forms.record` says."""
    at = record["performed_at"]
    return Sheet(
        title="巡查记录",
        head=(
            ("单位名称", record["facility"]),
            ("系统", record["system"]),
            ("巡查人", "、".join(person(actor) for actor in record["inspected_by"])),
            ("时间", hall.local(datetime.fromisoformat(at)) if at else ""),
            ("工单", record["work_order_id"]),
        ),
        columns=RECORD_COLUMNS,
        rows=[_record_row(row) for row in record["rows"]] or [("（本工单没有点位）", *[""] * 6)],
    )


def _record_row(row: dict[str, Any]) -> Sequence[str | int]:
    left_out = row["not_inspected"]
    remarks = [f"{NOT_INSPECTED} {len(left_out)}：{'、'.join(left_out)}"] * bool(left_out) + row["remarks"]
    counts = row["item"], row["count"], row["normal"], row["condition"]
    return *counts, *("\n".join(lines) for lines in (row["fixed_on_site"], row["reported"], remarks))


def fault_sheet(year: int, faults: Sequence[dict[str, Any]], hall: Hall) -> Sheet:
    """The sheet of a year's 建筑消防设施故障维修记录, from what `fault_forms.faults` says."""
    return Sheet(
        title="建筑消防设施故障维修记录",
        head=(("单位名称", hall.name), ("年度", str(year))),
        columns=FAULT_COLUMNS,
        rows=[(number, *_fault_row(fault, hall)) for number, fault in enumerate(faults, start=1)],
    )


def _fault_row(fault: dict[str, Any], hall: Hall) -> Iterator[str]:
    """A row without its number; 安全保护措施 is filled in by hand, as nobody has told it."""
    found, cleared = (
        moment and hall.local(datetime.fromisoformat(moment)) for moment in (fault["found_at"], fault["cleared_at"])
    )
    confirmed = fault["confirmed_by"] and f"确认：{person(fault['confirmed_by'])}"
    yield fault["system"]
    yield person(fault["found_by"])
    yield found
    yield _lines(fault["place"], fault["description"])
    yield _lines(fault["handling"], fault["work_order_id"])
    yield person(fault["repaired_by"] or "")
    yield _lines(cleared, confirmed)
    yield ""
    yield fault["remarks"] or ""


def _lines(*words: str | None) -> str:
    return "\n".join(filter(None, words))


def workbook(sheet: Sheet, *, simulated: bool) -> bytes:
    """An xlsx file with one sheet, to be printed on A4 across; texts stay texts, also those that look like formulas."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = sheet.title
    width = len(sheet.columns)
    _line(page, 1, sheet.title, width, Font(name="宋体", size=16, bold=True))
    if simulated:
        _line(page, 2, SIMULATED, width, Font(name="宋体", bold=True, color="C00000"))
    top = page.max_row + 1
    for number, (label, value) in enumerate(sheet.head):
        _line(page, top + number, f"{label}：{value}", width, Font(name="宋体"))
    headings = page.max_row + 1
    for number, row in enumerate([[name for name, _ in sheet.columns], *sheet.rows]):
        _table_row(page, headings + number, row, bold=not number)
    for number, (_, characters) in enumerate(sheet.columns, start=1):
        page.column_dimensions[get_column_letter(number)].width = characters
    _to_print(page, headings)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _line(page: Worksheet, row: int, words: str, width: int, font: Font) -> None:
    """One line over the whole width."""
    page.merge_cells(start_row=row, start_column=1, end_row=row, end_column=width)
    cell = page.cell(row, 1)
    _write(cell, words)
    cell.font, cell.alignment = font, Alignment(horizontal="center" if font.b else "left", wrap_text=True)


def _table_row(page: Worksheet, row: int, values: Sequence[str | int], *, bold: bool) -> None:
    thin = Side(style="thin")
    for column, value in enumerate(values, start=1):
        cell = page.cell(row, column)
        _write(cell, value)
        cell.font = Font(name="宋体", size=10, bold=bold)
        cell.border = Border(left=thin, right=thin, top=thin, bottom=thin)
        place = "center" if bold or isinstance(value, int) else "left"
        cell.alignment = Alignment(horizontal=place, vertical="center", wrap_text=True)


def _write(cell: Any, value: str | int) -> None:
    if not isinstance(value, str):
        cell.value = value
        return
    words = ILLEGAL_CHARACTERS_RE.sub("�", value)
    if len(words) > MOST_CHARACTERS:
        words = words[: MOST_CHARACTERS - 20] + "……（未完，见电子记录）"
    cell.value = words
    cell.data_type = "s"


def _to_print(page: Worksheet, headings: int) -> None:
    page.print_area = f"A1:{get_column_letter(page.max_column)}{page.max_row}"
    page.print_title_rows = f"{headings}:{headings}"
    page.page_setup.paperSize = 9  # A4
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.print_options.horizontalCentered = True
    page.HeaderFooter.oddFooter = HeaderFooterItem(center=_HeaderFooterPart(text="第 &P 页 共 &N 页"))
