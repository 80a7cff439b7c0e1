"""项目支出绩效自评表 (财预〔2020〕10号): money, goals, indicators with what was reached and why not, and the total. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from services.scoring.evaluation import Assessed
from services.scoring.forms.deviations import DRAFT
from services.scoring.forms.figures import NOT_ASSESSABLE, actual_unit, points, target_words, wan
from services.scoring.forms.form import Form
from services.scoring.forms.marks import banner, dates, sources
from services.scoring.forms.tables import Cell, Table, figure, label, words

TITLE = "项目支出绩效自评表"
WIDTHS = (5, 11, 20, 30, 12, 13, 9, 10, 46)
FULL = Decimal("100.00")
NOT_SCORED = "—"
INDICATOR_HEADINGS = (
    *("一级指标", "二级指标", "三级指标", "年度指标值", "实际完成值", "分值", "得分"),
    "偏差原因分析及改进措施",
)


def assessment_table(form: Form) -> Table:
    """The sheet; a field that no event or rulebook fills stays blank for the office."""
    head = [*_head(form), *_money(form), *_goals(form)]
    return Table(
        title=TITLE,
        banner=banner(form),
        lines=[f"（{form.rulebook.year}年度）", dates(form)],
        widths=WIDTHS,
        rows=[*head, *_indicators(form), _total(form)],
        headings=range(len(head), len(head) + 1),
        notes=list(sources(form)),
    )


def _head(form: Form) -> Iterator[list[Cell]]:
    project = form.rulebook.project
    yield [label("项目名称", columns=2), words(project.name if project else None, columns=7)]
    yield [
        label("主管部门", columns=2),
        words(None, columns=2),
        label("实施单位", columns=2),
        words(project.unit if project else form.facility, columns=3),
    ]


def _money(form: Form) -> Iterator[list[Cell]]:
    """资金 in 万元; where the money came from is not recorded and stays blank."""
    names = ("年初预算数", "全年预算数", "全年执行数", "分值", "执行率", "得分")
    yield [label("项目资金（万元）", columns=2, rows=5), label(""), *(label(name) for name in names)]
    budget, scored = form.budget, form.execution
    amounts = (budget.initial, budget.annual, budget.executed) if budget else (None, None, None)
    yield [
        label("年度资金总额"),
        *(figure(None if amount is None else wan(amount)) for amount in amounts),
        figure(scored.indicator.weight if scored else NOT_SCORED),
        figure(form.execution_percent, "%"),
        figure(_score(scored) if scored else NOT_SCORED),
    ]
    for name in ("其中：当年财政拨款", "上年结转资金", "其他资金"):
        blanks = [figure(None)] * 3
        yield [label(name), *blanks, figure(NOT_SCORED), figure(None), figure(NOT_SCORED)]


def _goals(form: Form) -> Iterator[list[Cell]]:
    project = form.rulebook.project
    yield [label("年度总体目标", rows=2), label("预期目标", columns=4), label("实际完成情况", columns=4)]
    yield [words(project.goals[-1].words if project else None, columns=4), words(_reached(form), columns=4)]


def _reached(form: Form) -> str:
    """A draft of 实际完成情况: how many indicators were met, and which were not."""
    named = {
        status: [one.indicator.level_3 for one in form.result.indicators if one.status == status]
        for status in ("met", "unmet", "not_assessable")
    }
    said = [f"共{len(form.result.indicators)}项指标，达标{len(named['met'])}项"]
    for status, word in (("unmet", "未达标"), ("not_assessable", NOT_ASSESSABLE)):
        if named[status]:
            names = "；".join(name.rstrip("。") for name in named[status])
            said.append(f"{word}{len(named[status])}项（{names}）")
    return f"{DRAFT}{'，'.join(said)}。"


def _indicators(form: Form) -> Iterator[list[Cell]]:
    shown = form.indicators
    yield [label("绩效指标", rows=len(shown) + 1), *(label(name) for name in INDICATOR_HEADINGS)]
    for level_1, of_1 in groupby(shown, key=lambda one: one.indicator.level_1):
        first = list(of_1)
        for number_1, (level_2, of_2) in enumerate(groupby(first, key=lambda one: one.indicator.level_2)):
            second = list(of_2)
            for number_2, one in enumerate(second):
                yield [
                    *([label(level_1, rows=len(first))] if number_1 == number_2 == 0 else []),
                    *([label(level_2, rows=len(second))] if number_2 == 0 else []),
                    *_indicator(one, form.deviations[one.indicator.id]),
                ]


def _indicator(one: Assessed, deviation: str) -> Sequence[Cell]:
    unit = actual_unit(one.indicator)
    actual = NOT_ASSESSABLE if one.status == "not_assessable" else one.actual
    return (
        words(one.indicator.level_3),
        figure(target_words(one.indicator)),
        figure(actual, unit),
        figure(one.indicator.weight),
        figure(_score(one)),
        words(deviation),
    )


def _score(one: Assessed) -> Decimal | str:
    return NOT_ASSESSABLE if one.score is None else one.score


def _total(form: Form) -> list[Cell]:
    result = form.result
    if result.total is None:
        weight = points(result.assessable_weight)
        said = f"尚有指标{NOT_ASSESSABLE}；可评定部分（分值{weight}分）暂计{result.subtotal}分，不是总分。"
    else:
        said = f"等级：{result.grade}"
    return [label("总分", columns=6), figure(FULL), figure(result.total), words(said)]
