"""What is allowed in a rulebook and yet odd: most likely a slip, and in any case to be looked at. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal

from services.scoring.language import Language
from services.scoring.rulebooks.rulebook import Indicator, Rulebook
from services.scoring.rulebooks.words import number

Oddity = tuple[str, dict[str, str]]
"""The name of a sentence, and what it names."""

_RATES = ("substandard_work", "satisfaction_rate")
"""Rules whose actual value is a share, never above 100 %."""

_ONCE = ("cost_growth", "satisfaction_rate")
"""Rules that deduct once at most."""

_SENTENCES: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "assumed": "{ids} 的分值是假定的（weight_is_assumed），合计 {weights}。",
        "beyond": "{id}：一次扣 {points} 分（{name}）多于分值 {weight}，多出的部分扣不到。",
        "nothing": "{id}：{name} 为 0，这一项永远扣不到分。",
        "less": "{id}：最多扣 {points} 分，少于分值 {weight}，其余 {rest} 分扣不到。",
        "unreachable": "{id}：满意度不会低于 0 %，这一项永远扣不到分。",
        "certain": "{id}：满意度总低于 {minimum} %，有评价就扣分。",
        "differs": "{id}：指标值是 {target}，而 minimum_percent 是 {minimum}。",
        "always": "{id}：按比例计分而指标值是 {target}，能评定就记满分。",
        "never": "{id}：按比例计分而指标值是 {target} %，完成值最高 100 %，记不到满分。",
        "rewards": "{id}：按比例计分而指标值不是“= 0”，事故越多得分越高。",
        "twice": "系统 {system} 由 {ids} 同时评定，一次漏检在每一项里各计一次。",
        "again": "{ids} 评的是同一件事，规则和参数相同。",
        "grade": "等级 {grade} 从 {minimum} 分起，总分最高 100，达不到。",
        "year": "标题写的是 {titled} 年，而 year 是 {year}。",
    },
    "en": {
        "assumed": "The weights of {ids} are assumptions (weight_is_assumed), {weights} together.",
        "beyond": "{id}: one deduction of {points} ({name}) is more than the weight {weight}; the rest of it takes nothing.",
        "nothing": "{id}: {name} is 0, so that this deduction can never be reached.",
        "less": "{id}: at most {points} can be deducted, less than the weight {weight}; the other {rest} cannot be lost.",
        "unreachable": "{id}: a rate is never below 0 %, so that the deduction can never be reached.",
        "certain": "{id}: every rate is below {minimum} %, so that any rating loses points.",
        "differs": "{id}: the target is {target}, but minimum_percent is {minimum}.",
        "always": "{id}: pro rata against a target of {target}, which scores the full weight whenever it can be assessed.",
        "never": "{id}: pro rata against a target of {target} %, but the actual value is 100 % at most: never the full weight.",
        "rewards": "{id}: pro rata against a target other than “= 0”, so that more accidents score more.",
        "twice": "System {system} is judged by {ids}: a missed visit counts in each of them.",
        "again": "{ids} judge the same thing, by the same rule and parameters.",
        "grade": "Grade {grade} begins at {minimum}, but a total is 100 at most: never reached.",
        "year": "The title says {titled}, but year is {year}.",
    },
}


def oddities(rulebook: Rulebook, language: Language) -> list[str]:
    """A sentence for each thing that is allowed and odd; none of them refuses the rulebook."""
    found = [
        *_of_the_whole(rulebook),
        *_of_indicators_together(rulebook),
        *(one for indicator in rulebook.indicators for one in _of_indicator(indicator)),
    ]
    return [_SENTENCES[language][name].format(**values) for name, values in found]


def _of_the_whole(rulebook: Rulebook) -> Iterator[Oddity]:
    titled = sorted(set(re.findall(r"(?<![0-9])[12][0-9]{3}(?=年)", rulebook.title)))
    if titled and str(rulebook.year) not in titled:
        yield "year", {"titled": ", ".join(titled), "year": str(rulebook.year)}
    for grade in rulebook.grades:
        if grade.minimum > 100:
            yield "grade", {"grade": grade.name, "minimum": number(grade.minimum)}
    assumed = [indicator for indicator in rulebook.indicators if indicator.weight_is_assumed]
    if assumed:
        weights = number(sum(indicator.weight for indicator in assumed))
        yield "assumed", {"ids": ", ".join(indicator.id for indicator in assumed), "weights": weights}


def _of_indicators_together(rulebook: Rulebook) -> Iterator[Oddity]:
    judged: dict[str, list[str]] = defaultdict(list)
    alike: dict[str, list[str]] = defaultdict(list)
    for indicator in rulebook.indicators:
        alike[repr(indicator.rule)].append(indicator.id)
        for system in indicator.rule.parameters.get("systems", ()):
            judged[system].append(indicator.id)
    same = [ids for ids in alike.values() if len(ids) > 1]
    for ids in same:
        yield "again", {"ids": ", ".join(ids)}
    for system, ids in judged.items():
        if len(ids) > 1 and ids not in same:
            yield "twice", {"system": system, "ids": ", ".join(ids)}


def _of_indicator(indicator: Indicator) -> Iterator[Oddity]:
    if indicator.rule.proportional:
        yield from _of_pro_rata(indicator)
    else:
        yield from _of_deductions(indicator)
    if indicator.rule.type == "satisfaction_rate":
        minimum = indicator.rule.parameters["minimum_percent"]
        if minimum != indicator.target:
            values = {"id": indicator.id, "target": number(indicator.target), "minimum": number(minimum)}
            yield "differs", values


def _of_pro_rata(indicator: Indicator) -> Iterator[Oddity]:
    rule, target = indicator.rule.type, indicator.target
    values = {"id": indicator.id, "target": number(target)}
    if rule == "cost_growth":
        return
    if target == 0 and indicator.comparator == ">=":
        yield "always", values
    elif rule == "incidents" and target != 0:
        yield "rewards", values
    elif rule in _RATES and target > 100:
        yield "never", values


def _of_deductions(indicator: Indicator) -> Iterator[Oddity]:
    rule, weight = indicator.rule, indicator.weight
    for name, points in _points(indicator):
        values = {"id": indicator.id, "name": name, "points": number(points), "weight": number(weight)}
        if points > weight:
            yield "beyond", values
        elif points == 0:
            yield "nothing", values
        elif points < weight and rule.type in _ONCE:
            yield "less", {**values, "rest": number(weight - points)}
    if rule.type == "satisfaction_rate":
        minimum = rule.parameters["minimum_percent"]
        if minimum == 0:
            yield "unreachable", {"id": indicator.id}
        elif minimum > 100:
            yield "certain", {"id": indicator.id, "minimum": number(minimum)}


def _points(indicator: Indicator) -> list[tuple[str, Decimal]]:
    """What a rule deducts, by the parameter that says so."""
    parameters = indicator.rule.parameters.items()
    return [(name, value) for name, value in parameters if name == "points" or name.startswith("per_")]
