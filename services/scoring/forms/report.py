"""The year's report as PDF: both forms, and the charts as pictures."""

from datetime import UTC, datetime, time

from services.scoring.forms.assessment_table import TITLE, assessment_table
from services.scoring.forms.charts import inspections_chart, score_chart
from services.scoring.forms.form import Form
from services.scoring.forms.goal_table import goal_table
from services.scoring.forms.marks import banner
from services.scoring.forms.pages import Pages


def report_pdf(form: Form) -> bytes:
    """项目支出绩效自评表, 项目绩效目标表, the matrix of inspections and the course of the score; the same bytes for the same form.

    The document is dated by what was asked for: `known_at`, else the end of the day that is assessed; never by the clock.
    """
    made = form.known_at or datetime.combine(form.result.as_of, time(), form.zone)
    pages = Pages(f"{form.rulebook.year}年度{TITLE}", banner(form), made.astimezone(UTC))
    pages.form(assessment_table(form))
    pages.form(goal_table(form))
    pages.add_page()
    pages.picture(inspections_chart(form), "附图一")
    pages.picture(score_chart(form), "附图二")
    return bytes(pages.output())
