"""The forms as sheets, read back cell by cell."""

import re
import zipfile
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from services.scoring.evaluation import Assessed, result_sha256
from services.scoring.forms.budget_import import budget_import_sheet
from services.scoring.forms.figures import target_words, wan
from services.scoring.forms.files import goal_sheet, self_assessment_sheet
from services.scoring.forms.form import Form
from services.scoring.forms.line_breaks import broken, half_widths
from services.scoring.tests import forms_data as year
from services.scoring.tests import histories as h

GOOD = year.form(*year.good_year())
BAD = year.form(*year.bad_year(), simulated=True)
NATIONAL = year.form(*year.bad_year(), rulebook=h.MOF)
EMPTY = year.form(h.told(h.facility("Asia/Shanghai").event), rulebook=year.without_project(h.MOF))


def page(content: bytes) -> Any:
    """The one sheet of a workbook."""
    return load_workbook(BytesIO(content)).worksheets[0]


def rows(content: bytes) -> list[list[Any]]:
    """The values of its cells, of a merged range only the first."""
    return [list(row) for row in page(content).iter_rows(values_only=True)]


def row_with(content: bytes, name: str) -> list[Any]:
    """The row in which a text stands."""
    (found,) = (row for row in rows(content) if name in row)
    return found


def told(row: list[Any]) -> list[Any]:
    """What is not blank in a row."""
    return [value for value in row if value is not None]


def headings_at(content: bytes) -> int:
    """The number of the row of headings of the indicators."""
    return next(number for number, row in enumerate(rows(content), start=1) if "年度指标值" in row)


def numbers(one: Assessed) -> list[Any]:
    """What an indicator's row shows in figures."""
    return [one.actual, one.indicator.weight, one.score]


# --- 项目绩效目标表 ----------------------------------------------------------------------------------------------


def test_the_goal_sheet_begins_with_the_goals_of_the_project_verbatim() -> None:
    assert h.CHENGGONG.project is not None
    overall, annual = h.CHENGGONG.project.goals
    sheet = rows(goal_sheet(GOOD))

    assert told(sheet[0]) == ["项目绩效目标表"]
    assert told(sheet[1]) == ["项目目标", "总体目标(2021年-2023年)", overall.words]
    assert told(sheet[2]) == ["预算年度(2021年)目标", annual.words]


def test_the_goal_sheet_has_the_headings_of_the_offices_sheet_in_its_order() -> None:
    sheet = rows(goal_sheet(GOOD))

    assert told(sheet[3]) == ["绩效指标", "评（扣）分标准", "指标内容", "绩效指标值设定依据及数据来源"]
    assert told(sheet[4]) == ["一级指标", "二级指标", "三级指标", "指标性质", "指标值", "度量单位", "指标属性"]
    assert {"A4:G4", "H4:H5", "I4:I5", "J4:J5", "A2:A3", "C2:J2"} <= set(map(str, page(goal_sheet(GOOD)).merged_cells))


def test_the_goal_sheet_prints_the_words_of_every_indicator_verbatim() -> None:
    sheet = rows(goal_sheet(GOOD))

    for one in h.CHENGGONG.indicators:
        target = int(one.target)  # the sheet's targets are all whole
        words = [one.level_3, one.comparator, target, one.unit, one.attribute, one.standard, one.content, one.basis]
        assert [None, None, *words] in sheet


def test_the_goal_sheet_has_a_row_for_each_level_as_the_offices_sheet_has() -> None:
    levels = [row[:2] for row in rows(goal_sheet(GOOD))[5:] if row[4] == "空"]

    assert levels == [
        ["产出指标", None],
        [None, "数量指标"],
        [None, "质量指标"],
        [None, "时效指标"],
        [None, "成本指标"],
        ["效益指标", None],
        [None, "社会效益指标"],
        ["满意度指标", None],
        [None, "服务对象满意度指标"],
    ]


# --- 项目支出绩效自评表 ------------------------------------------------------------------------------------------


def test_the_self_assessment_has_the_rows_of_the_national_form() -> None:
    sheet = rows(self_assessment_sheet(NATIONAL))
    start = next(number for number, row in enumerate(sheet) if row[0] == "项目名称")

    assert [told(row) for row in sheet[start : start + 10]] == [
        ["项目名称", "政务中心运行维护经费"],
        ["主管部门", "实施单位", "昆明市呈贡区政务服务管理局"],
        ["项目资金（万元）", "年初预算数", "全年预算数", "全年执行数", "分值", "执行率", "得分"],
        # 853801.37 ÷ 900000.00 = 94.8668… %, × 10 points
        ["年度资金总额", 90, 90, 85.380137, 10, 94.87, 9.49],
        ["其中：当年财政拨款", "—", "—"],
        ["上年结转资金", "—", "—"],
        ["其他资金", "—", "—"],
        ["年度总体目标", "预期目标", "实际完成情况"],
        [h.MOF.project.goals[-1].words, told(sheet[start + 8])[1]],  # type: ignore[union-attr]
        [
            *("绩效指标", "一级指标", "二级指标", "三级指标", "年度指标值", "实际完成值", "分值", "得分"),
            "偏差原因分析及改进措施",
        ],
    ]


def test_the_execution_of_the_budget_stands_only_in_the_rows_of_money() -> None:
    assert all("预算执行率" not in row for row in rows(self_assessment_sheet(NATIONAL)))


def test_a_rulebook_that_does_not_score_the_budget_says_so_in_its_row() -> None:
    row = told(row_with(self_assessment_sheet(BAD), "年度资金总额"))

    assert row == ["年度资金总额", 90, 90, 85.380137, "—", 94.87, "—"]


def test_every_indicator_shows_target_actual_weight_score_and_draft() -> None:
    content = self_assessment_sheet(BAD)

    for one in BAD.result.indicators:
        row = row_with(content, one.indicator.level_3)
        assert None not in (one.actual, one.score)
        assert row[4:8] == [target_words(one.indicator), *(float(value or 0) for value in numbers(one))]
        assert row[8] == (BAD.deviations[one.indicator.id] or None)


def test_numbers_are_numbers_that_show_their_unit() -> None:
    content = self_assessment_sheet(BAD)
    cells = {cell.value: cell for row in page(content).iter_rows() for cell in row if cell.value is not None}
    (visits,) = (cell for row in page(content).iter_rows() for cell in row[5:6] if cell.value == 10)

    assert (visits.data_type, visits.number_format) == ("n", '0"次"')
    assert (cells[85.380137].data_type, cells[85.380137].number_format) == ("n", "#,##0.00####")


def test_the_total_is_the_sum_of_the_scores() -> None:
    content = self_assessment_sheet(BAD)
    first = headings_at(content)
    scores = [row[7] for row in rows(content)[first : first + 10]]

    total = row_with(content, "总分")

    # bad_year loses 5 (gas), 5 (water), 10 (return), 15 (accident) and 20 (ratings)
    assert (total[6], total[7], total[8]) == (100, sum(scores), "等级：差")
    assert sum(scores) == 100 - 5 - 5 - 10 - 15 - 20


def test_what_is_not_known_is_blank_or_cannot_be_assessed_but_never_made_up() -> None:
    content = self_assessment_sheet(EMPTY)

    assert told(row_with(content, "项目名称")) == ["项目名称"]
    assert told(row_with(content, "主管部门")) == ["主管部门", "实施单位", "政务中心"]
    assert told(row_with(content, "年度资金总额")) == ["年度资金总额", 10, "无法评定"]
    assert row_with(content, "空调系统")[4:8] == [">=12次", "无法评定", 5, "无法评定"]
    assert row_with(content, "总分")[7] is None
    assert "不是总分" in row_with(content, "总分")[8]


def test_levels_are_merged_over_their_indicators_and_framed() -> None:
    content = self_assessment_sheet(GOOD)
    sheet, top = page(content), headings_at(content)

    merged = set(map(str, sheet.merged_cells))

    assert {f"A{top}:A{top + 10}", f"B{top + 1}:B{top + 8}", f"C{top + 1}:C{top + 5}"} <= merged
    assert f"A{top + 11}:F{top + 11}" in merged
    for row in sheet.iter_rows(min_row=top, max_row=top + 10, min_col=4, max_col=9):
        assert all(cell.border.bottom.style == "thin" for cell in row)


# --- as they are printed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [goal_sheet, self_assessment_sheet, budget_import_sheet])
def test_a_sheet_prints_on_a4_across_as_wide_as_the_page_with_its_headings_repeated(make: Any) -> None:
    sheet = page(make(BAD))
    first, last = (int(number) for number in sheet.print_title_rows.replace("$", "").split(":"))

    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    last_cell = sheet.cell(sheet.max_row, sheet.max_column).coordinate
    assert sheet.print_area.replace("$", "") == f"'{sheet.title}'!A1:{last_cell}"
    assert any(cell.value in ("三级指标", "指标名称") for row in sheet.iter_rows(first, last) for cell in row)
    assert sheet.oddFooter.center.text == "第 &P 页 共 &N 页"


@pytest.mark.parametrize("make", [goal_sheet, self_assessment_sheet, budget_import_sheet])
def test_every_sheet_of_a_simulated_installation_says_so_on_every_page(make: Any) -> None:
    real, made_up = page(make(year.form(*year.bad_year()))), page(make(BAD))

    assert "模拟数据" in made_up.oddHeader.right.text
    assert any("模拟数据" in str(value) for row in made_up.iter_rows(values_only=True) for value in row)
    assert "模拟数据" not in (real.oddHeader.right.text or "")
    assert all("模拟" not in str(value) for row in real.iter_rows(values_only=True) for value in row)


def test_a_provisional_form_says_so_with_its_dates() -> None:
    form = year.form(*year.bad_year(), as_of="2021-06-30", known_at="2021-07-05 09:30")
    content = self_assessment_sheet(form)

    assert told(rows(content)[2]) == ["评价截止日：2021-06-30　　数据截至：2021-07-05 09:30"]
    assert told(rows(content)[3]) == ["暂评（未发布）"]
    assert any(result_sha256(form.result) in str(row[0]) for row in rows(content))


def test_a_row_is_high_enough_for_its_words() -> None:
    sheet = page(self_assessment_sheet(BAD))
    top = headings_at(self_assessment_sheet(BAD))

    for row in range(top + 1, top + 11):
        words, width = sheet.cell(row, 9).value or "", int(sheet.column_dimensions["I"].width)
        assert sheet.row_dimensions[row].height >= 13 * len(broken(words, width, half_widths))


@pytest.mark.parametrize("make", [goal_sheet, self_assessment_sheet, budget_import_sheet])
def test_a_sheet_says_nothing_of_the_hour_at_which_it_was_made(make: Any) -> None:
    content = make(BAD)

    with zipfile.ZipFile(BytesIO(content)) as files:
        assert {entry.date_time for entry in files.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(re.findall(r">(\d{4}-[^<]*)<", files.read("docProps/core.xml").decode())) == {"2021-12-31T00:00:00Z"}
    assert make(BAD) == content


def test_words_that_look_like_a_formula_stay_words() -> None:
    cells = [cell for row in page(goal_sheet(GOOD)).iter_rows() for cell in row if cell.value == "="]

    assert len(cells) == 3  # quality, cost and incidents have the comparator =
    assert {cell.data_type for cell in cells} == {"s"}


# --- the budget system -------------------------------------------------------------------------------------------


def test_the_import_has_one_heading_row_a_row_an_indicator_and_nothing_merged() -> None:
    content = budget_import_sheet(NATIONAL)

    assert rows(content)[0] == ["指标编码", "指标", "指标名称", "指标值", "完成值", "分值", "得分", "备注"]
    assert [row[0] for row in rows(content)[1:]] == [one.id for one in h.MOF.indicators]
    assert not page(content).merged_cells
    # 10 of 12 visits of water: 5 × 10 ÷ 12 = 4.1666…
    assert row_with(content, "water")[:7] == ["water", "产出指标/数量指标", "给排水系统", 12, 10, 5, 4.17]


def test_the_import_leaves_blank_what_cannot_be_assessed_and_says_so() -> None:
    row = row_with(budget_import_sheet(EMPTY), "hvac")

    assert row[3:7] == [12, None, 5, None]
    assert "无法评定" in row[7]


def test_the_import_tells_the_rate_without_defaulted_ratings() -> None:
    history = [told for told in year.good_year() if type(told.event).__name__ != "SatisfactionReported"]
    form = year.form(*history, h.report(good=90, bad=10, defaulted=50))

    # (90 − 50) ÷ (100 − 50) = 80 %
    assert "不计默认评价的满意度80.00%" in row_with(budget_import_sheet(form), "satisfaction")[7]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("900000.00", "90.00"), ("853801.37", "85.380137"), ("0.00", "0.00"), ("1000000.00", "100.00")],
)
def test_money_in_ten_thousands_is_exact(amount: str, shown: str) -> None:
    assert f"{wan(Decimal(amount)):f}" == shown


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("产出指标", ["产出", "指标"]),
        ("检查。完成", ["检", "查。", "完成"]),
        ("（甲）乙丙", ["（甲", "）乙", "丙"]),
        ("ab cd", ["ab", "cd"]),
        ("abcdef", ["abcd", "ef"]),
        ("甲\n乙", ["甲", "乙"]),
        ("", [""]),
    ],
)
def test_lines_break_where_chinese_text_may(text: str, lines: list[str]) -> None:
    assert broken(text, 4, half_widths) == lines


def test_a_form_without_findings_is_still_a_form() -> None:
    empty: Form = year.form(h.told(h.facility("Asia/Shanghai").event), rulebook=year.without_project(h.CHENGGONG))

    assert "总体目标" in [value for row in rows(goal_sheet(empty)) for value in row]
