"""A rulebook explained in words, Chinese or English: what stands on the form, and how it is read. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from services.scoring.language import Language
from services.scoring.rulebooks.rulebook import Indicator, Rulebook

_NAMES: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "inspection": "巡检（inspection）",
        "maintenance": "维护保养（maintenance）",
        "corrective": "维修（corrective）",
        "emergency": "应急抢修（emergency）",
        "service": "服务（service）",
        "fixed_equipment": "固定设备（fixed_equipment）",
        "consumables": "耗材（consumables）",
        "other": "其他（other）",
    },
    "en": {"fixed_equipment": "fixed equipment"},
}
"""Kinds of work and categories of cost."""

_ACTUAL: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "missed_inspections": "系统 {systems} 已到期的应检中，窗口内完成并在窗口结束后 {backfill_days} 天内录入的次数",
        "substandard_work": "{kinds}工单中，首次验收即合格的 ÷ 有验收结论的，百分比",
        "periods_without_inspection": "已结束的各月中，巡检完成次数最少的一月的次数，不分系统",
        "cost_growth": "{category}费用合计（扣除冲销）÷ 上年度基数，百分比",
        "incidents": "已确认且未撤销、涉及办事群众并造成生命或财产损害的事故数",
        "satisfaction_rate": "（非常满意＋满意＋基本满意）÷（五级评价合计－申诉后推翻的评价），百分比",
        "budget_execution": "评价日前最近一次预算记录的全年执行数 ÷ 全年预算数，百分比",
    },
    "en": {
        "missed_inspections": "the due visits of {systems} that were made within their window and recorded within "
        "{backfill_days} days after it",
        "substandard_work": "orders ({kinds}) accepted at the first verdict ÷ orders with a verdict, in percent",
        "periods_without_inspection": "the inspections of the month that had the fewest, of the months that are over, whatever "
        "the system",
        "cost_growth": "costs ({category}), less those reversed, ÷ the baseline of the year before, in percent",
        "incidents": "confirmed accidents, not dismissed, that affected visitors and harmed life or property",
        "satisfaction_rate": "(very satisfied + satisfied + basically satisfied) ÷ (all five levels less the ratings "
        "overturned on appeal), in percent",
        "budget_execution": "executed ÷ annual budget, of the last budget record by the day of assessment, in percent",
    },
}

_DEDUCTED: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "missed_inspections": "系统 {systems} 每月的每次应检：窗口内未完成（窗口结束后 {backfill_days} 天内补录有效）扣 "
        "{per_missed_inspection} 分；完成但缺点位结果，每个点位扣 {per_missed_point} 分；在用而整月没有应检，扣 "
        "{per_missed_inspection} 分。漏检一次不再另计其点位，经批准的免责不扣。",
        "substandard_work": "{kinds}工单每被退回一次，扣 {per_return} 分。",
        "periods_without_inspection": "{year} 年每有一个已结束的月份没有完成任何一次巡检（不分系统），扣 {per_period} 分。",
        "cost_growth": "{category}费用合计（扣除冲销）高于上年度基数的 {ceiling} %，一次扣 {points} 分；恰好 {ceiling} % 不扣。",
        "incidents": "每有一起涉及办事群众并造成生命或财产损害的事故（已确认、未撤销），扣 {per_incident} 分。",
        "satisfaction_rate": "满意度（不先四舍五入）低于 {minimum_percent} %，一次扣 {points} 分；恰好 {minimum_percent} % 不扣。",
    },
    "en": {
        "missed_inspections": "Each due visit of each month of {systems}: not made within its window (it may still be recorded "
        "within {backfill_days} days after it) −{per_missed_inspection}; made, but without a result for a point: "
        "−{per_missed_point} for each point; a month in commission without any visit scheduled: "
        "−{per_missed_inspection}. A missed visit does not also count its points; what was excused counts nothing.",
        "substandard_work": "Each return of work ({kinds}): −{per_return}.",
        "periods_without_inspection": "Each month of {year} that is over and in which no inspection at all was performed, "
        "whatever the system: −{per_period}.",
        "cost_growth": "Costs ({category}), less those reversed, above {ceiling} % of the baseline of the year before: "
        "−{points}, once; exactly {ceiling} % is within.",
        "incidents": "Each confirmed accident, not dismissed, that affected visitors and harmed life or property: "
        "−{per_incident}.",
        "satisfaction_rate": "A rate, unrounded, below {minimum_percent} %: −{points}, once; exactly {minimum_percent} % is enough.",
    },
}

_SENTENCES: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "floor": "扣完为止，分值 {weight}。",
        "pro_rata": "按比例计分：完成值不低于 {target} 记满分 {weight}，否则记 完成值 ÷ {target} × {weight}，四舍五入到两位小数。",
        "none_allowed": "按比例计分：完成值为 0 记满分 {weight}，否则不得分。",
        "always": "按比例计分：指标值为 0，始终记满分 {weight}。",
        "within": "按比例计分：不超过上年度基数的 {ceiling} % 记满分 {weight}，超过不得分。",
        "without_waivers": "豁免和免责不影响得分。",
        "for_show": "指标值只作对照：不扣分即为达标。",
        "for_show_within": "指标值只作对照：不超过上限即为达标。",
        "at_least": "“=”读作不低于。",
        "reached": "完成值达到指标值即为达标。",
        "never": "从不。",
        "assumed": "分值是假定的，没有文件依据。",
        "no_verdict": "没有验收结论时，不扣分，完成值为空。",
        "no_month": "第一个月结束前，不扣分，完成值为空。",
        "missed_inspections": "{year} 年没有一个月的月末有上述系统在用时（例如尚未登记）。",
        "substandard_work": "没有任何验收结论时。",
        "periods_without_inspection": "第一个月结束前。",
        "cost_growth": "没有 {year_before} 年的基数，或基数不大于 0 时。",
        "satisfaction_rate": "没有任何有效评价时。",
        "budget_execution": "没有 {year} 年的预算记录，或全年预算数不大于 0 时。",
    },
    "en": {
        "floor": "Never below zero; weight {weight}.",
        "pro_rata": "Pro rata: an actual value of at least {target} scores the full {weight}, else actual ÷ {target} × {weight}, "
        "to two decimals, half up.",
        "none_allowed": "Pro rata: an actual value of 0 scores the full {weight}, any other nothing.",
        "always": "Pro rata: the target is 0, so that the full {weight} are always scored.",
        "within": "Pro rata: up to {ceiling} % of the baseline of the year before scores the full {weight}, more nothing.",
        "without_waivers": "Waivers and excuses are without effect.",
        "for_show": "The target is for comparison only: met when nothing is deducted.",
        "for_show_within": "The target is for comparison only: met up to the limit.",
        "at_least": "“=” is read as at least.",
        "reached": "Met when the actual value reaches the target.",
        "never": "Never.",
        "assumed": "The weight is an assumption; no document says it.",
        "no_verdict": "Without verdicts nothing is deducted and there is no actual value.",
        "no_month": "Before the first month is over nothing is deducted and there is no actual value.",
        "missed_inspections": "When at no month's end of {year} one of these systems was in commission (not registered, say).",
        "substandard_work": "When there is no verdict at all.",
        "periods_without_inspection": "Before the first month is over.",
        "cost_growth": "Without a baseline of {year_before}, or with one that is not above 0.",
        "satisfaction_rate": "When there is no rating that holds.",
        "budget_execution": "Without a budget record of {year}, or with an annual budget that is not above 0.",
    },
}

_HEADINGS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "rulebook": "评分标准 {id}，{year} 年度",
        "title": "标题：",
        "source": "依据：",
        "name": "项目名称：",
        "unit": "项目实施单位：",
        "readings": "读法",
        "grades": "等级：",
        "indicators": "指标 {number} 项，分值合计 {weights}",
        "assumed": "，其中假定 {assumed}（{ids}）",
        "verbatim": "原文",
        "read_as": "读作",
        "target": "指标值：",
        "standard": "评（扣）分标准：",
        "content": "指标内容：",
        "basis": "设定依据：",
        "scoring": "计分：",
        "actual": "完成值：",
        "status": "达标：",
        "not_assessable": "无法评定：",
        "odd": "请留意",
    },
    "en": {
        "rulebook": "Rulebook {id}, year {year}",
        "title": "Title: ",
        "source": "Source: ",
        "name": "Project: ",
        "unit": "Carried out by: ",
        "readings": "Readings",
        "grades": "Grades: ",
        "indicators": "{number} indicators, weights sum to {weights}",
        "assumed": ", of which assumed {assumed} ({ids})",
        "verbatim": "As it stands",
        "read_as": "Read as",
        "target": "Target: ",
        "standard": "Standard: ",
        "content": "Content: ",
        "basis": "Basis: ",
        "scoring": "Scoring: ",
        "actual": "Actual value: ",
        "status": "Met: ",
        "not_assessable": "Not assessable: ",
        "odd": "Please look at",
    },
}


def explain(rulebook: Rulebook, language: Language) -> Iterator[str]:
    """A rulebook in lines of text; what the form says stays as it stands."""
    yield from headed(rulebook, language)
    for place, indicator in enumerate(rulebook.indicators, start=1):
        yield ""
        yield f"{place}. {indicator.id}  {one_line(indicator.level_3)}"
        yield from _verbatim(indicator, language)
        yield from _read_as(indicator, rulebook.year, language)
    yield ""
    yield _HEADINGS[language]["readings"]
    yield from (f"  - {one_line(reading)}" for reading in rulebook.readings)


def headed(rulebook: Rulebook, language: Language) -> Iterator[str]:
    """What a rulebook is, without its indicators."""
    say = _HEADINGS[language]
    yield say["rulebook"].format(id=rulebook.id, year=rulebook.year)
    yield say["title"] + one_line(rulebook.title)
    yield say["source"] + one_line(rulebook.source)
    if rulebook.project:
        yield say["name"] + one_line(rulebook.project.name)
        yield say["unit"] + one_line(rulebook.project.unit)
        yield from (f"{one_line(goal.label)}: {one_line(goal.words)}" for goal in rulebook.project.goals)
    yield f"SHA-256: {rulebook.sha256}"
    yield say["grades"] + "  ".join(f"{one_line(grade.name)} ≥ {number(grade.minimum)}" for grade in rulebook.grades)
    yield _weights(rulebook, language)


def noted(oddities: Sequence[str], language: Language) -> Iterator[str]:
    """What is odd about a rulebook, under a heading; nothing where nothing is."""
    if oddities:
        yield ""
        yield _HEADINGS[language]["odd"]
        yield from (f"  ! {one_line(oddity)}" for oddity in oddities)


def number(value: int | Decimal) -> str:
    """An amount as people write it: `5`, `12.5`."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def one_line(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.splitlines())


def _weights(rulebook: Rulebook, language: Language) -> str:
    say = _HEADINGS[language]
    weights = sum(indicator.weight for indicator in rulebook.indicators)
    told = say["indicators"].format(number=len(rulebook.indicators), weights=number(weights))
    assumed = [indicator for indicator in rulebook.indicators if indicator.weight_is_assumed]
    if assumed:
        ids = ", ".join(indicator.id for indicator in assumed)
        told += say["assumed"].format(assumed=number(sum(indicator.weight for indicator in assumed)), ids=ids)
    return told


def _verbatim(indicator: Indicator, language: Language) -> Iterator[str]:
    say = _HEADINGS[language]
    words = (indicator.level_1, indicator.level_2, indicator.attribute)
    yield f"   {say['verbatim']}  {' / '.join(one_line(word) for word in words)}"
    yield f"     {say['target']}{indicator.comparator} {number(indicator.target)} {one_line(indicator.unit)}"
    for key in ("standard", "content", "basis"):
        yield f"     {say[key]}{one_line(getattr(indicator, key))}"


def _read_as(indicator: Indicator, year: int, language: Language) -> Iterator[str]:
    say, values = _HEADINGS[language], _values(indicator, year, language)
    yield f"   {say['read_as']}"
    for key, sentences in (
        ("scoring", _scoring(indicator, language)),
        ("actual", [_ACTUAL[language][indicator.rule.type] + ("。" if language == "zh" else ".")]),
        ("status", _status(indicator, language)),
        ("not_assessable", _not_assessable(indicator, language)),
    ):
        joint = "" if language == "zh" else " "
        yield f"     {say[key]}{joint.join(sentences).format(**values)}"


def _values(indicator: Indicator, year: int, language: Language) -> dict[str, Any]:
    """What the sentences name: the rule's parameters, and what follows from them."""
    names, joint = _NAMES[language], "、" if language == "zh" else ", "
    values: dict[str, Any] = {
        "year": year,
        "year_before": year - 1,
        "weight": number(indicator.weight),
        "target": number(indicator.target),
    }
    for name, parameter in indicator.rule.parameters.items():
        match parameter:
            case Decimal():
                values[name] = number(parameter)
            case list():
                values[name] = joint.join(names.get(one, one) for one in parameter)
            case _:
                values[name] = names.get(parameter, parameter)
    if indicator.rule.type == "cost_growth":
        values["ceiling"] = number(100 + indicator.rule.parameters["limit_percent"])
    return values


def _scoring(indicator: Indicator, language: Language) -> list[str]:
    say, rule = _SENTENCES[language], indicator.rule
    if not rule.proportional:
        sentences = [_DEDUCTED[language][rule.type], say["floor"]]
    elif rule.type == "cost_growth":
        sentences = [say["within"], say["without_waivers"]]
    elif indicator.target == 0:
        sentences = [say["none_allowed" if indicator.comparator == "=" else "always"], say["without_waivers"]]
    else:
        sentences = [say["pro_rata"], say["without_waivers"]]
    return [*sentences, say["assumed"]] if indicator.weight_is_assumed else sentences


def _status(indicator: Indicator, language: Language) -> list[str]:
    say, rule = _SENTENCES[language], indicator.rule
    if not rule.proportional:
        return [say["for_show"]]
    if rule.type == "cost_growth":
        return [say["for_show_within"]]
    return [say["reached"], say["at_least"]] if indicator.comparator == "=" and indicator.target else [say["reached"]]


def _not_assessable(indicator: Indicator, language: Language) -> list[str]:
    say, rule = _SENTENCES[language], indicator.rule
    if rule.type == "incidents":
        return [say["never"]]
    if not rule.proportional and rule.type == "substandard_work":
        return [say["never"], say["no_verdict"]]
    if not rule.proportional and rule.type == "periods_without_inspection":
        return [say["never"], say["no_month"]]
    return [say[rule.type]]
