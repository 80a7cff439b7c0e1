"""Drafts of 偏差原因分析及改进措施: what the deductions of an indicator say, in sentences that an office worker edits. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.scoring.evaluation import Assessed
from services.scoring.finding import Deduction
from services.scoring.forms.figures import actual_words, points, target_words

DRAFT = "【草稿】"
TO_FILL_IN = "改进措施：（请填写）"
MOST_POINTS = 3
"""So many points are named a month; the sheet is no list of hundreds."""

_UNKNOWN = {
    "missed_inspections": "未登记该系统，或该系统本年度未投用",
    "substandard_work": "尚无验收结论",
    "periods_without_inspection": "尚无已结束的月份",
    "cost_growth": "缺上年度固定设备维修维护支出",
    "satisfaction_rate": "尚无有效评价",
    "budget_execution": "缺预算执行数",
}
"""Why an indicator cannot be assessed, by rule type."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known beside a result: the names of points and systems by id, and which events are waivers."""

    points: Mapping[str, str] = field(default_factory=dict)
    systems: Mapping[str, str] = field(default_factory=dict)
    waivers: frozenset[str] = frozenset()


def deviation(assessed: Assessed, seen: Seen) -> str:
    """The draft of one indicator: empty where the target is met and nothing was deducted or waived."""
    if assessed.status == "not_assessable":
        return f"{DRAFT}无法评定：{_UNKNOWN.get(assessed.indicator.rule.type, '缺数据')}。"
    if assessed.indicator.rule.proportional:
        return "" if assessed.status == "met" else _pro_rata(assessed)
    waived = [one for one in assessed.deductions if not seen.waivers.isdisjoint(one.evidence)]
    counted = [one for one in assessed.deductions if seen.waivers.isdisjoint(one.evidence)]
    if not assessed.deductions:
        return ""
    words = [f"{'；'.join(_reasons(assessed, counted, seen))}。{_taken(assessed)}"] if counted else []
    words += (
        [f"另有{len(waived)}项扣分已豁免。" if counted else f"{len(waived)}项扣分已豁免，不扣分。"] if waived else []
    )
    return DRAFT + "".join(words) + (TO_FILL_IN if counted else "")


def _taken(assessed: Assessed) -> str:
    deducted, weight = assessed.deducted, assessed.indicator.weight
    assert deducted is not None
    return f"共扣{points(deducted)}分" + (f"，以分值{points(weight)}分为限。" if deducted > weight else "。")


def _pro_rata(assessed: Assessed) -> str:
    """Unmet, and scored by how far: no deduction says why."""
    assert assessed.score is not None
    reached = f"完成值{actual_words(assessed)}，不符合指标值{target_words(assessed.indicator)}"
    return f"{DRAFT}{reached}，得{points(assessed.score)}分。{TO_FILL_IN}"


def _reasons(assessed: Assessed, deductions: Sequence[Deduction], seen: Seen) -> Iterator[str]:
    """A sentence for each month, and in it one for each reason."""
    by_month: dict[str, dict[str, list[Deduction]]] = defaultdict(lambda: defaultdict(list))
    for one in deductions:
        by_month[one.period or ""][one.reason].append(one)
    for period in sorted(by_month):
        said = [_SAID[reason](assessed, of, seen) for reason, of in sorted(by_month[period].items())]
        yield f"{period} {'，'.join(said)}".strip()


def _missed_points(_: Assessed, deductions: Sequence[Deduction], seen: Seen) -> str:
    ids = sorted(one.point_id or "" for one in deductions)
    named = "、".join(seen.points.get(point_id, point_id) for point_id in ids[:MOST_POINTS])
    return f"漏检点位{len(ids)}个（{named}{'等' if len(ids) > MOST_POINTS else ''}）"


def _cost(assessed: Assessed, _: Sequence[Deduction], __: Seen) -> str:
    limit = points(assessed.indicator.rule.parameters["limit_percent"])
    return f"固定设备维修维护支出为上年度的{actual_words(assessed)}，增幅高于{limit}%"


def _ratings(assessed: Assessed, _: Sequence[Deduction], __: Seen) -> str:
    return f"群众满意度{actual_words(assessed)}，低于{points(assessed.indicator.rule.parameters['minimum_percent'])}%"


def _returned(_: Assessed, deductions: Sequence[Deduction], seen: Seen) -> str:
    names = dict.fromkeys(seen.systems.get(one.system_id or "", one.system_id or "") for one in deductions)
    return f"验收退回{len(deductions)}次（{'、'.join(names)}）"


_SAID: Mapping[str, Callable[[Assessed, Sequence[Deduction], Seen], str]] = {
    "missed_inspection": lambda _, of, __: f"漏检{len(of)}次",
    "missed_point": _missed_points,
    "not_scheduled": lambda _, of, __: f"未安排检查{len(of)}次",
    "substandard_work": _returned,
    "periods_without_inspection": lambda *_: "全月无安全检查",
    "cost_growth": _cost,
    "incidents": lambda _, of, __: f"涉及办事群众生命或财产安全的事故{len(of)}起",
    "satisfaction_rate": _ratings,
}
"""What a reason is called, and how many of it there were."""
