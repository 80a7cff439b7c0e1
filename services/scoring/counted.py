"""What an indicator counts: the events behind its actual value, and the figures that it is made of."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from services.scoring.facts import Fact, Known
from services.scoring.finding import NOTHING, Span, period_of
from services.scoring.missed import Visit, months_in_commission
from services.scoring.rulebooks.rulebook import Rule
from services.scoring.rules import newest_budget
from shared.contracts.scheduling import OccurrenceScheduled
from shared.contracts.scoring import BudgetRecorded, CostBaselineRecorded, SatisfactionReported
from shared.contracts.work_orders import (
    CostRecorded,
    IncidentConfirmed,
    IncidentReported,
    WorkAccepted,
    WorkPerformed,
    WorkReturned,
)
from shared.event import Recorded

Figures = Mapping[str, int | str | Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Counted:
    """`figures` give the actual value when put together as the rule says; `facts` are what they were read from."""

    figures: Figures
    facts: tuple[Fact[Any], ...]


def counted(known: Known, span: Span, rule: Rule) -> Counted:
    """What a rule counts in the facts; the figures of each type are listed in docs/questions.md."""
    figures, facts = _COUNTED[rule.type](known, span, rule.parameters)
    once = {fact.id: fact for fact in facts}
    return Counted(figures, tuple(sorted(once.values(), key=lambda fact: fact.rank)))


def dated(known: Known, told: Fact[Any] | Recorded) -> date | None:
    """The local date by which `as_of` decides whether an event counts; None where it decides nothing."""
    event = told.event
    match event:
        case OccurrenceScheduled():
            return event.window_end
        case WorkPerformed():
            return known.day(event.performed_at)
        case WorkAccepted() | WorkReturned():
            return known.day(told.time)
        case CostRecorded():
            return event.incurred_on
        case IncidentConfirmed() | IncidentReported():
            return known.day(event.occurred_at)
        case SatisfactionReported():
            return event.period_end
        case BudgetRecorded():
            return event.as_of
    return None


def visits(known: Known, span: Span, systems: Iterable[str]) -> list[Visit]:
    """The inspections that are due of systems in the months of the year in which they were in commission."""
    return [
        visit
        for name in systems
        for period in months_in_commission(known, span, name)
        for visit in known.inspections.get((name, period), [])
        if not known.withdrawals(visit)
    ]


def works_in_time(known: Known, visit: Visit, backfill_days: int) -> list[Fact[WorkPerformed]]:
    """The work by which a visit is performed: in its window, and recorded within the backfill limit."""
    due, limit = visit.event, last_day_to_record(visit, backfill_days)
    return [
        work
        for work in known.performed.get(due.occurrence_id, [])
        if due.window_start <= known.day(work.event.performed_at) <= due.window_end
        and known.day(work.recordedat) <= limit
    ]


def last_day_to_record(visit: Visit, backfill_days: int) -> date:
    """The last local day on which work or results of a visit can still be recorded in time (补录期限)."""
    return visit.event.window_end + timedelta(days=backfill_days)


_Found = tuple[Figures, Iterable[Fact[Any]]]


def _missed_inspections(known: Known, span: Span, asked: Mapping[str, Any]) -> _Found:
    by_period: Counter[str] = Counter()
    facts: list[Fact[Any]] = []
    judged = [visit for visit in visits(known, span, asked["systems"]) if visit.event.window_end <= span.as_of]
    for visit in judged:
        works = works_in_time(known, visit, asked["backfill_days"])
        if works:
            by_period[visit.event.period] += 1
            facts += [visit, min(works, key=lambda work: work.rank)]
        facts += known.excuses.get(visit.event.occurrence_id, [])
    return {"judged": len(judged), "performed": sum(by_period.values()), "by_period": _in_order(by_period)}, facts


def _substandard_work(known: Known, span: Span, asked: Mapping[str, Any]) -> _Found:
    verdicts: list[Fact[Any]] = [*known.all(WorkAccepted), *known.all(WorkReturned)]
    first: dict[str, Fact[Any]] = {}
    for verdict in sorted(verdicts, key=lambda verdict: verdict.rank):
        if verdict.event.kind in asked["kinds"] and known.day(verdict.time) in span:
            first.setdefault(verdict.event.work_order_id, verdict)
    accepted = sum(isinstance(verdict.event, WorkAccepted) for verdict in first.values())
    return {"accepted_at_first_verdict": accepted, "orders_with_a_verdict": len(first)}, first.values()


def _periods_without_inspection(known: Known, span: Span, _: Mapping[str, Any]) -> _Found:
    by_period = dict.fromkeys(span.months_over, 0)
    facts = []
    for work in known.all(WorkPerformed):
        period = period_of(known.day(work.event.performed_at))
        if work.event.kind == "inspection" and period in by_period:
            by_period[period] += 1
            facts.append(work)
    return {"by_period": by_period}, facts


def _cost_growth(known: Known, span: Span, asked: Mapping[str, Any]) -> _Found:
    baselines = [fact for fact in known.all(CostBaselineRecorded) if fact.event.year == span.year - 1]
    baseline = max(baselines, key=lambda fact: fact.rank, default=None)
    costs = [
        cost for cost in known.costs if cost.event.category == asked["category"] and cost.event.incurred_on in span
    ]
    figures: dict[str, int | str] = {"costs": len(costs), "spent": _money(cost.event.amount for cost in costs)}
    if baseline is None:
        return figures, costs
    return {**figures, "baseline": _money([baseline.event.amount])}, [baseline, *costs]


def _incidents(known: Known, span: Span, _: Mapping[str, Any]) -> _Found:
    found = [
        incident
        for incident in known.incidents
        if incident.event.visitors_affected and incident.event.harms and known.day(incident.event.occurred_at) in span
    ]
    return {"incidents": len(found)}, found


def _satisfaction_rate(known: Known, span: Span, _: Mapping[str, Any]) -> _Found:
    reports = [report for report in known.satisfaction if report.event.period_end in span]
    names = (
        *("very_satisfied", "satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied"),
        *("overturned", "defaulted"),
    )
    sums = {name: sum(getattr(report.event, name) for report in reports) for name in names}
    return {"reports": len(reports), **sums}, reports


def _budget_execution(known: Known, span: Span, _: Mapping[str, Any]) -> _Found:
    budget = newest_budget(known, span)
    if budget is None:
        return {}, []
    return {"executed": _money([budget.event.executed]), "annual": _money([budget.event.annual])}, [budget]


def _money(amounts: Iterable[Decimal]) -> str:
    return f"{sum(amounts, NOTHING):.2f}"


def _in_order(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts)}


_COUNTED: Mapping[str, Callable[[Known, Span, Mapping[str, Any]], _Found]] = {
    "missed_inspections": _missed_inspections,
    "substandard_work": _substandard_work,
    "periods_without_inspection": _periods_without_inspection,
    "cost_growth": _cost_growth,
    "incidents": _incidents,
    "satisfaction_rate": _satisfaction_rate,
    "budget_execution": _budget_execution,
}
