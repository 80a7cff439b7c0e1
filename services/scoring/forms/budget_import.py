"""The Excel import of the budget system: a heading row and a row for each indicator, no merged cells, numbers as numbers.

Its columns are, in this order, code, index, name, target, actual, weight, score and remark (domain.md, Integration facts).
"""

from collections.abc import Iterator
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font

from services.scoring.evaluation import Assessed
from services.scoring.forms.figures import actual_unit
from services.scoring.forms.form import Form
from services.scoring.forms.marks import banner
from services.scoring.forms.sheets import LINE, RULED, lines_in, saved, to_print, write

Value = str | int | Decimal | None

COLUMNS = (
    ("指标编码", 20),
    ("指标", 26),
    ("指标名称", 40),
    ("指标值", 10),
    ("完成值", 10),
    ("分值", 9),
    ("得分", 9),
    ("备注", 66),
)


def budget_import_sheet(form: Form) -> bytes:
    """An xlsx file; what cannot be assessed leaves its actual value and score blank and says so in the remark."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = "绩效自评导入"
    headings: list[Value] = [name for name, _ in COLUMNS]
    for row, values in enumerate([headings, *_rows(form)], start=1):
        lines = [lines_in(str(value or ""), width) for value, (_, width) in zip(values, COLUMNS, strict=True)]
        page.row_dimensions[row].height = max(lines) * LINE + 4
        for column, value in enumerate(values, start=1):
            cell = page.cell(row, column)
            write(cell, value)
            cell.border = RULED
            cell.font = Font(name="宋体", size=10, bold=row == 1)
            cell.alignment = Alignment(vertical="center", wrap_text=True)
    for letter, (_, width) in zip("ABCDEFGH", COLUMNS, strict=True):
        page.column_dimensions[letter].width = width
    page.freeze_panes = "A2"
    to_print(page, (1, 1), banner(form), page.max_row)
    return saved(book, form.result.as_of)


def _rows(form: Form) -> Iterator[list[Value]]:
    for one in form.result.indicators:
        about = one.indicator
        names = [about.id, f"{about.level_1}/{about.level_2}", about.level_3]
        yield [*names, about.target, one.actual, about.weight, one.score, "；".join(_remarks(form, one))]


def _remarks(form: Form, one: Assessed) -> Iterator[str]:
    """What the numbers are of, the draft of why, and what the whole file is."""
    yield f"指标性质{one.indicator.comparator}，度量单位{one.indicator.unit}"
    if actual_unit(one.indicator) != one.indicator.unit:
        yield f"完成值单位{actual_unit(one.indicator)}"
    if one.actual_without_defaulted is not None:
        yield f"不计默认评价的满意度{one.actual_without_defaulted}%"
    if draft := form.deviations[one.indicator.id]:
        yield draft.rstrip("。")
    yield banner(form)
