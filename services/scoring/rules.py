"""The rules of deduction of domain.md (Exact semantics): a function a rule type, its keywords the parameters.

Every count is an integer and every ratio a Fraction; nothing here rounds.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from services.scoring.facts import Fact, Known
from services.scoring.finding import NOTHING, Deduction, Finding, Span, ids, percent, period_of
from services.scoring.missed import missed_inspections
from shared.contracts.scoring import BudgetRecorded, CostBaselineRecorded
from shared.contracts.work_orders import WorkAccepted, WorkPerformed, WorkReturned

Rule = Callable[..., Finding | None]
"""(known, span, **parameters) → what was found; None where nothing can be assessed."""


def substandard_work(known: Known, span: Span, *, kinds: Sequence[str], per_return: Decimal = NOTHING) -> Finding:
    """未按质按量1次: each return is one; the actual value is the share of orders accepted at the first verdict."""
    verdicts: list[Fact[WorkAccepted] | Fact[WorkReturned]] = [*known.all(WorkAccepted), *known.all(WorkReturned)]
    verdicts = [verdict for verdict in verdicts if verdict.event.kind in kinds and known.day(verdict.time) in span]
    first: dict[str, Fact[WorkAccepted] | Fact[WorkReturned]] = {}
    for verdict in sorted(verdicts, key=lambda verdict: verdict.rank):
        first.setdefault(verdict.event.work_order_id, verdict)
    accepted = sum(isinstance(verdict.event, WorkAccepted) for verdict in first.values())
    return Finding(
        actual=percent(accepted, len(first)) if first else None,
        deductions=[
            Deduction(
                points=per_return,
                reason="substandard_work",
                period=period_of(known.day(verdict.time)),
                system_id=verdict.event.system_id,
                evidence=(verdict.id,),
            )
            for verdict in verdicts
            if isinstance(verdict.event, WorkReturned)
        ],
    )


def periods_without_inspection(known: Known, span: Span, *, per_period: Decimal = NOTHING) -> Finding:
    """每月低于一次安全检查: months that are over and in which nothing at all was inspected."""
    inspections = dict.fromkeys(span.months_over, 0)
    for work in known.all(WorkPerformed):
        period = period_of(known.day(work.event.performed_at))
        if work.event.kind == "inspection" and period in inspections:
            inspections[period] += 1
    reason = "periods_without_inspection"
    return Finding(
        actual=min(inspections.values(), default=None),
        deductions=[
            Deduction(points=per_period, reason=reason, period=period, evidence=())
            for period, number in inspections.items()
            if number == 0
        ],
    )


def cost_growth(
    known: Known, span: Span, *, category: str, limit_percent: Decimal, points: Decimal = NOTHING
) -> Finding | None:
    """固定设备维修维护高于上年度10%: strictly more than the limit above the year before."""
    baselines = [fact for fact in known.all(CostBaselineRecorded) if fact.event.year == span.year - 1]
    baseline = max(baselines, key=lambda fact: fact.rank, default=None)
    if baseline is None or baseline.event.amount <= 0:
        return None
    costs = [cost for cost in known.costs if cost.event.category == category and cost.event.incurred_on in span]
    actual = percent(sum(cost.event.amount for cost in costs), baseline.event.amount)
    within = actual <= 100 + Fraction(limit_percent)
    deduction = Deduction(points=points, reason="cost_growth", evidence=ids([baseline], costs))
    return Finding(actual=actual, deductions=() if within else [deduction], within=within)


def incidents(known: Known, span: Span, *, per_incident: Decimal = NOTHING) -> Finding:
    """涉及到办事群众生命及财产安全1次: confirmed accidents that harmed visitors' life or property."""
    found = [
        incident
        for incident in known.incidents
        if incident.event.visitors_affected and incident.event.harms and known.day(incident.event.occurred_at) in span
    ]
    return Finding(
        actual=len(found),
        deductions=[
            Deduction(
                points=per_incident,
                reason="incidents",
                period=period_of(known.day(incident.event.occurred_at)),
                evidence=(incident.id,),
            )
            for incident in found
        ],
    )


def satisfaction_rate(
    known: Known, span: Span, *, minimum_percent: Decimal, points: Decimal = NOTHING
) -> Finding | None:
    """来访办事群众满意度低于85%: of the ratings that were not overturned on appeal."""
    reports = [report for report in known.satisfaction if report.event.period_end in span]
    told = [report.event for report in reports]
    good = sum(event.very_satisfied + event.satisfied + event.basically_satisfied for event in told)
    bad = sum(event.dissatisfied + event.very_dissatisfied - event.overturned for event in told)
    defaulted = sum(event.defaulted for event in told)
    rated = good + bad
    if rated <= 0:
        return None
    rate = percent(good, rated)
    answered = rated - defaulted
    deduction = Deduction(points=points, reason="satisfaction_rate", evidence=ids(reports))
    return Finding(
        actual=rate,
        deductions=[deduction] if rate < Fraction(minimum_percent) else (),
        actual_without_defaulted=percent(good - defaulted, answered) if answered > 0 else None,
    )


def newest_budget(known: Known, span: Span) -> Fact[BudgetRecorded] | None:
    """How the year's budget stood last by `as_of`."""
    budgets = [
        fact for fact in known.all(BudgetRecorded) if fact.event.year == span.year and fact.event.as_of <= span.as_of
    ]
    return max(budgets, key=lambda fact: (fact.event.as_of, *fact.rank), default=None)


def budget_execution(known: Known, span: Span) -> Finding | None:
    """预算执行率: executed of the year's budget, as it stood last by `as_of`; scored pro rata only."""
    budget = newest_budget(known, span)
    if budget is None or budget.event.annual <= 0:
        return None
    return Finding(actual=percent(budget.event.executed, budget.event.annual))


RULES: Mapping[str, Rule] = {
    "missed_inspections": missed_inspections,
    "substandard_work": substandard_work,
    "periods_without_inspection": periods_without_inspection,
    "cost_growth": cost_growth,
    "incidents": incidents,
    "satisfaction_rate": satisfaction_rate,
    "budget_execution": budget_execution,
}
