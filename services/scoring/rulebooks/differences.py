"""What differs between two rulebooks, in words: indicators matched by id, then weights, parameters and wording. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.scoring.language import Language
from services.scoring.rulebooks.rulebook import Indicator, Rulebook
from services.scoring.rulebooks.words import number, one_line

_LABELS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "id": "编号",
        "title": "标题",
        "year": "年度",
        "source": "依据",
        "grades": "等级",
        "name": "项目名称",
        "unit_of": "项目实施单位",
        "goals": "项目目标",
        "level_1": "一级指标",
        "level_2": "二级指标",
        "level_3": "三级指标",
        "comparator": "指标性质",
        "target": "指标值",
        "unit": "度量单位",
        "attribute": "指标属性",
        "standard": "评（扣）分标准",
        "content": "指标内容",
        "basis": "设定依据",
        "weight": "分值",
        "weight_is_assumed": "分值是假定的",
        "scoring": "计分方式",
        "type": "规则",
        "deduction": "扣分",
        "proportional": "按比例",
        "true": "是",
        "false": "否",
        "none": "无",
        "order": "指标顺序",
        "reading": "读法",
        "only": "只在 {id}",
        "same_bytes": "两者字节相同。",
        "same_meaning": "含义相同，只有字节不同（注释、写法）。",
        "colon": "：",
    },
    "en": {
        "name": "project",
        "unit_of": "carried out by",
        "weight_is_assumed": "weight is assumed",
        "order": "order of indicators",
        "only": "only in {id}",
        "same_bytes": "Both have the same bytes.",
        "same_meaning": "The same meaning; only the bytes differ (comments, spelling).",
        "colon": ": ",
    },
}


def differences(first: Rulebook, second: Rulebook, language: Language) -> Iterator[str]:
    """Lines that say what differs, from the first to the second; one line where nothing does."""
    say = _LABELS[language]
    if first.sha256 == second.sha256:
        yield say["same_bytes"]
        return
    lines = [*_whole(first, second, language), *_indicators(first, second, language)]
    yield from lines or [say["same_meaning"]]


def _whole(first: Rulebook, second: Rulebook, language: Language) -> Iterator[str]:
    yield from _changed(_head(first), _head(second), language)
    label = _label("reading", language)
    for one, other in ((first, second), (second, first)):
        for reading in one.readings:
            if reading not in other.readings:
                yield _line(_only(one, first, second, language), f"{label} {one_line(reading)}", language)


def _head(rulebook: Rulebook) -> dict[str, str]:
    """What a rulebook says beside its readings and indicators."""
    told = {key: _value(getattr(rulebook, key)) for key in ("id", "title", "year", "source", "grades")}
    project = rulebook.project
    if project is None:
        return told
    goals = "; ".join(f"{one_line(goal.label)} {one_line(goal.words)}" for goal in project.goals)
    return {**told, "name": one_line(project.name), "unit_of": one_line(project.unit), "goals": goals}


def _indicators(first: Rulebook, second: Rulebook, language: Language) -> Iterator[str]:
    ours, theirs = _by_id(first), _by_id(second)
    for id_, indicator in ours.items():
        if id_ in theirs:
            changes = list(_changed(_flat(indicator), _flat(theirs[id_]), language))
            if changes:
                yield f"{id_}  {one_line(indicator.level_3)}"
                yield from (f"  {change}" for change in changes)
        else:
            yield from _alone(indicator, _only(first, first, second, language), language)
    for id_, indicator in theirs.items():
        if id_ not in ours:
            yield from _alone(indicator, _only(second, first, second, language), language)
    orders = [id_ for id_ in ours if id_ in theirs], [id_ for id_ in theirs if id_ in ours]
    if orders[0] != orders[1]:
        yield _line(_label("order", language), f"{', '.join(orders[0])} → {', '.join(orders[1])}", language)


def _alone(indicator: Indicator, only: str, language: Language) -> Iterator[str]:
    told = _flat(indicator)
    yield f"{indicator.id}  {one_line(indicator.level_3)}  [{only}]"
    for name in ("weight", "scoring", *(name for name in told if name.startswith("rule."))):
        yield f"  {_line(_label(name, language), _shown(told[name], language), language)}"


def _changed(ours: Mapping[str, str], theirs: Mapping[str, str], language: Language) -> Iterator[str]:
    for name in dict.fromkeys((*ours, *theirs)):
        before, after = ours.get(name, "none"), theirs.get(name, "none")
        if before != after:
            change = f"{_shown(before, language)} → {_shown(after, language)}"
            yield _line(_label(name, language), change, language)


def _flat(indicator: Indicator) -> dict[str, str]:
    """What an indicator says, as one level of text; the parameters of its rule as `rule.…`."""
    rule = indicator.rule
    keys = [key for key in Indicator.__dataclass_fields__ if key not in ("id", "rule")]
    return {
        **{key: _value(getattr(indicator, key)) for key in keys},
        "scoring": "proportional" if rule.proportional else "deduction",
        "rule.type": rule.type,
        **{f"rule.{name}": _value(value) for name, value in rule.parameters.items()},
    }


def _value(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case str():
            return one_line(value)
        case list() | tuple():
            return ", ".join(
                _value(one) if isinstance(one, str) else f"{one.name} ≥ {number(one.minimum)}" for one in value
            )
        case _:
            return number(value)


def _by_id(rulebook: Rulebook) -> dict[str, Indicator]:
    return {indicator.id: indicator for indicator in rulebook.indicators}


def _only(one: Rulebook, first: Rulebook, second: Rulebook, language: Language) -> str:
    """Which of the two says something: by its id, or by its hash where both have one id."""
    name = one.id if first.id != second.id else one.sha256[:12]
    return _LABELS[language]["only"].format(id=name)


def _label(name: str, language: Language) -> str:
    bare = name.removeprefix("rule.")
    return _LABELS[language].get(bare, bare)


def _shown(value: str, language: Language) -> str:
    """A value; the few that are words of ours in the reader's language."""
    ours = ("deduction", "proportional", "true", "false", "none")
    return _LABELS[language].get(value, value) if value in ours else value


def _line(label: str, what: str, language: Language) -> str:
    return f"{label}{_LABELS[language]['colon']}{what}"
