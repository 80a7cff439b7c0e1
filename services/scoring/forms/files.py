"""Every file that a year's forms are handed in as, by its name: pure functions from a form to bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.scoring.forms.assessment_table import assessment_table
from services.scoring.forms.budget_import import budget_import_sheet
from services.scoring.forms.charts import inspections_chart, score_chart
from services.scoring.forms.form import Form
from services.scoring.forms.goal_table import goal_table
from services.scoring.forms.marks import SIMULATED
from services.scoring.forms.sheets import workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def goal_sheet(form: Form) -> bytes:
    """项目绩效目标表 as xlsx."""
    return workbook(goal_table(form), form.result.as_of)


def self_assessment_sheet(form: Form) -> bytes:
    """项目支出绩效自评表 as xlsx."""
    return workbook(assessment_table(form), form.result.as_of)


def report(form: Form) -> bytes:
    """Both forms and the charts as PDF."""
    from services.scoring.forms.report import report_pdf  # noqa: PLC0415  # a quarter of a second that only printing needs

    return report_pdf(form)


@dataclass(frozen=True, kw_only=True)
class File:
    """A kind of file: what it is called, its media type, and how it is made."""

    name: str
    ending: str
    media_type: str
    make: Callable[[Form], bytes]

    def filename(self, form: Form) -> str:
        """`项目支出绩效自评表-2021-模拟数据.xlsx`; the mark only where the data is made up."""
        mark = f"-{SIMULATED}" if form.simulated else ""
        return f"{self.name}-{form.rulebook.year}{mark}.{self.ending}"


FILES: Mapping[str, File] = {
    "goal_sheet": File(name="项目绩效目标表", ending="xlsx", media_type=XLSX, make=goal_sheet),
    "self_assessment_sheet": File(
        name="项目支出绩效自评表", ending="xlsx", media_type=XLSX, make=self_assessment_sheet
    ),
    "self_assessment_pdf": File(name="项目支出绩效自评表", ending="pdf", media_type="application/pdf", make=report),
    "budget_import": File(name="绩效自评导入", ending="xlsx", media_type=XLSX, make=budget_import_sheet),
    "inspections_chart": File(name="安全检查情况", ending="png", media_type="image/png", make=inspections_chart),
    "score_chart": File(name="得分变化", ending="png", media_type="image/png", make=score_chart),
}
"""By the name of the query that answers with it."""
