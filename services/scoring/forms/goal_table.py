"""项目绩效目标表: the goals of the project and its indicators with the sheet's own words, laid out as the office's sheet. Pure."""

from collections.abc import Iterator

from services.scoring.evaluation import Assessed
from services.scoring.forms.figures import points
from services.scoring.forms.form import Form
from services.scoring.forms.marks import banner, sources
from services.scoring.forms.tables import Cell, Table, figure, label, words

TITLE = "项目绩效目标表"
NOTHING = "空"
"""What the office's sheet says in the fields of a heading row that have no words."""

WIDTHS = (13, 14, 24, 11, 8, 11, 11, 27, 42, 22)
INDICATOR_HEADINGS = ("一级指标", "二级指标", "三级指标", "指标性质", "指标值", "度量单位", "指标属性")
WORD_HEADINGS = ("评（扣）分标准", "指标内容", "绩效指标值设定依据及数据来源")


def goal_table(form: Form) -> Table:
    """The sheet; goals that the rulebook does not carry leave their field blank."""
    goals = list(_goals(form))
    top = len(goals)
    return Table(
        title=TITLE,
        banner=banner(form, of_result=False),
        lines=[],
        widths=WIDTHS,
        rows=[
            *goals,
            [label("绩效指标", columns=len(INDICATOR_HEADINGS)), *(label(name, rows=2) for name in WORD_HEADINGS)],
            [label(name) for name in INDICATOR_HEADINGS],
            *_indicators(form),
        ],
        headings=range(top, top + 2),
        notes=list(sources(form, of_result=False)),
    )


def _goals(form: Form) -> Iterator[list[Cell]]:
    year = form.rulebook.year
    project = form.rulebook.project
    told = [(goal.label, goal.words) for goal in project.goals] if project else []
    goals = told or [("总体目标", ""), (f"预算年度({year}年)目标", "")]
    for number, (name, said) in enumerate(goals):
        head = [label("项目目标", rows=len(goals))] if number == 0 else []
        yield [*head, label(name), words(said, columns=len(WIDTHS) - 2)]


def _indicators(form: Form) -> Iterator[list[Cell]]:
    """A row for each new 一级指标 and 二级指标, then the indicators in them."""
    level_1 = level_2 = None
    for one in form.result.indicators:
        if one.indicator.level_1 != level_1:
            level_1, level_2 = one.indicator.level_1, None
            yield _heading_row(level_1, "")
        if one.indicator.level_2 != level_2:
            level_2 = one.indicator.level_2
            yield _heading_row("", level_2)
        yield _indicator_row(one)


def _heading_row(level_1: str, level_2: str) -> list[Cell]:
    names = [words(level_1), words(level_2), words(None), figure(None), figure(NOTHING), figure(None), figure(None)]
    return [*names, words(NOTHING), words(NOTHING), words(None)]


def _indicator_row(assessed: Assessed) -> list[Cell]:
    one = assessed.indicator
    target = one.target if isinstance(one.target, int) else _number(points(one.target))
    return [
        words(None),
        words(None),
        words(one.level_3),
        figure(one.comparator),
        figure(target),
        figure(one.unit),
        figure(one.attribute),
        words(one.standard),
        words(one.content),
        words(one.basis),
    ]


def _number(text: str) -> int | str:
    return int(text) if text.isdigit() else text
