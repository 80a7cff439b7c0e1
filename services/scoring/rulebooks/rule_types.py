"""The types of rule that a rulebook may ask for, with the parameters of each: what is read, and what the JSON Schema says."""

from collections.abc import Mapping
from typing import Any, get_args

from marshmallow.fields import Field

from services.scoring.rulebooks.strict_fields import Amount, Choice, Distinct, Identifier, Json, Whole, closed_object
from shared.contracts.work_orders import CostCategory, WorkKind

Fields = Mapping[str, Field[Any]]

KINDS = get_args(WorkKind)
CATEGORIES = get_args(CostCategory)

FINDING: Mapping[str, Fields] = {
    "missed_inspections": {
        "systems": Distinct(Identifier(), means="The systems (系统) whose monthly inspections are looked at, by id."),
        "backfill_days": Whole(
            0, 366, means="Days after the end of a window in which its work may still be recorded (补录)."
        ),
    },
    "substandard_work": {
        "kinds": Distinct(Choice(*KINDS), means="The kinds of work order (工单) whose verdicts count."),
    },
    "periods_without_inspection": {},
    "cost_growth": {
        "category": Choice(*CATEGORIES, means="The category of costs (费用类别) that is summed up."),
        "limit_percent": Amount(
            means="How many percent above the year before (上年度) are allowed; exactly so many are."
        ),
    },
    "incidents": {},
    "satisfaction_rate": {
        "minimum_percent": Amount(
            means="The rate (满意度) in percent below which points are lost. Without effect under proportional, where the "
            "target stands instead."
        ),
    },
}
"""What a rule needs to find an actual value; all that it may have where it is scored pro rata."""

DEDUCTING: Mapping[str, Fields] = {
    "missed_inspections": {
        "per_missed_inspection": Amount(means="Points for each visit not made in time, or not scheduled (漏检一次)."),
        "per_missed_point": Amount(
            means="Points for each point without a result in a visit that was made (漏检一个点位)."
        ),
    },
    "substandard_work": {"per_return": Amount(means="Points for each return of work (退回一次).")},
    "periods_without_inspection": {"per_period": Amount(means="Points for each month without inspection (月).")},
    "cost_growth": {"points": Amount(means="Points, taken once, where the costs are above the limit.")},
    "incidents": {"per_incident": Amount(means="Points for each confirmed accident (安全事故一起).")},
    "satisfaction_rate": {"points": Amount(means="Points, taken once, where the rate is below the minimum.")},
}
"""What it takes off besides."""

MEANINGS: Mapping[str, str] = {
    "missed_inspections": "漏检: monthly inspections of systems that were missed, and points that were missed in those made.",
    "substandard_work": "未按质按量: work that was returned by whoever accepts it.",
    "periods_without_inspection": "每月低于一次安全检查: months in which nothing at all was inspected.",
    "cost_growth": "高于上年度: costs of a category, strictly more than a limit above the year before.",
    "incidents": "安全事故: confirmed accidents that harmed visitors' life or property.",
    "satisfaction_rate": "满意度: the share of satisfied ratings, strictly below a minimum.",
    "proportional": "按比例计分: another rule, scored by its actual value against the target; nothing is deducted.",
    "budget_execution": "预算执行率: executed of the year's budget; always scored pro rata, against a target of 100.",
}
"""What each rule type is, for whoever reads the JSON Schema."""


def rule_schema(type_: str, parameters: Fields) -> Json:
    """JSON Schema of a rule of one type, with exactly its parameters."""
    closed = closed_object(parameters)
    return {
        "title": type_,
        "description": MEANINGS[type_],
        **closed,
        "properties": {"type": {"const": type_}, **closed["properties"]},
        "required": ["type", *closed["required"]],
    }
