"""What evidence is still missing before a year can be signed: each thing with a code that a signature acknowledges.

What is missing is not what was missed: a visit not made costs points, and the score knows it. Here stands what may yet
be told and would change the score, or without which there is none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from services.scoring.counted import last_day_to_record, visits
from services.scoring.evaluation import evaluate
from services.scoring.facts import Fact, Facts, Known
from services.scoring.finding import Span
from services.scoring.missed import Visit, is_excused_whole, is_performed, missed_points
from services.scoring.rulebooks.rulebook import Indicator, Rulebook
from services.scoring.rules import newest_budget
from shared.contracts.scoring import CostBaselineRecorded
from shared.contracts.work_orders import (
    IncidentConfirmed,
    IncidentDismissed,
    IncidentReported,
    WorkAccepted,
    WorkOrderCancelled,
    WorkPerformed,
    WorkReturned,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """One thing that is missing: its stable code, what it is about, a sentence in each language, and where it belongs."""

    code: str
    about: str | None
    zh: str
    en: str
    where: str = ""
    """The command's path under /v1/facilities/{facility} by which it is supplied; empty where only time brings it."""

    def as_json(self) -> dict[str, str | None]:
        """As the API answers it."""
        return {"code": self.code, "about": self.about, "zh": self.zh, "en": self.en, "where": self.where}


def missing(
    facts: Facts, rulebook: Rulebook, as_of: date, known_at: datetime | None, today: date | None = None
) -> Sequence[Missing]:
    """All that is missing of a year's evidence, each once, in an order that only the facts decide.

    `today` says which windows and backfill limits are over: by default the local day of `known_at`; without either the
    day of the newest event, or `as_of` where that is later.
    """
    known, span = facts.known(known_at), Span(rulebook.year, as_of)
    day = today or last_day(facts, as_of, known_at)
    found = [*_of_the_year(known, span), *_of_indicators(facts, rulebook, span, known_at, day)]
    return list({one.code: one for one in found}.values())


def last_day(facts: Facts, as_of: date, known_at: datetime | None) -> date:
    """The day by which what is over is over, where nobody says what day it is."""
    known = facts.known(known_at)
    if known_at is not None:
        return known.day(known_at)
    return max([as_of, *(known.day(recorded.recordedat) for recorded in facts.history()[-1:])])


def may_change(known: Known, visit: Visit, backfill_days: int, today: date) -> bool:
    """Whether work or results that are told today could still spare points of a visit (补录)."""
    limit = last_day_to_record(visit, backfill_days)
    if today > limit or is_excused_whole(known, visit):
        return False
    return not is_performed(known, visit, limit) or bool(missed_points(known, visit, limit))


def _of_the_year(known: Known, span: Span) -> Iterator[Missing]:
    end = date(span.year, 12, 31)
    if span.as_of < end:
        yield Missing(
            code="not_over",
            about=str(span.year),
            zh=f"{span.year} 年度尚未结束：评价日为 {span.as_of}",
            en=f"the year {span.year} is not over as of {span.as_of}",
        )
    budget = newest_budget(known, span)
    if budget is None or (span.as_of >= end and budget.event.as_of < end):
        stands = f"（最近一次为 {budget.event.as_of}）" if budget else ""
        since = f" (the last one is of {budget.event.as_of})" if budget else ""
        yield Missing(
            code="no_budget",
            about=str(span.year),
            zh=f"缺少 {span.year} 年末的预算数和执行数{stands}",
            en=f"no budget stands at the end of {span.year}{since}",
            where="/budgets",
        )


def _of_indicators(
    facts: Facts, rulebook: Rulebook, span: Span, known_at: datetime | None, today: date
) -> Iterator[Missing]:
    known = facts.known(known_at)
    result = evaluate(facts, rulebook, span.as_of, known_at)
    for indicator, assessed in zip(rulebook.indicators, result.indicators, strict=True):
        lacking = list(_of_an_indicator(known, span, indicator, today))
        yield from lacking
        if assessed.status == "not_assessable" and not lacking:
            yield Missing(
                code=f"not_assessable:{indicator.id}",
                about=indicator.id,
                zh=f"“{indicator.level_3}”无法评定：没有可计的数据",
                en=f"{indicator.id} cannot be assessed: nothing that counts was recorded",
            )


def _of_an_indicator(known: Known, span: Span, indicator: Indicator, today: date) -> Iterator[Missing]:
    rule = indicator.rule
    match rule.type:
        case "missed_inspections":
            yield from _of_systems(known, rule.parameters["systems"])
            yield from _of_windows(known, span, rule.parameters["systems"], rule.parameters["backfill_days"], today)
        case "substandard_work":
            yield from _of_verdicts(known, span, rule.parameters["kinds"])
        case "cost_growth":
            yield from _of_baseline(known, span.year - 1)
        case "incidents":
            yield from _of_incidents(known, span)
        case "satisfaction_rate":
            yield from _of_ratings(known, span)


def _of_systems(known: Known, systems: Sequence[str]) -> Iterator[Missing]:
    for name in systems:
        if name not in known.systems:
            yield Missing(
                code=f"not_registered:{name}",
                about=name,
                zh=f"系统 {name} 未登记",
                en=f"system {name} is not registered",
                where="/systems",
            )


def _of_windows(known: Known, span: Span, systems: Sequence[str], backfill_days: int, today: date) -> Iterator[Missing]:
    for visit in sorted(visits(known, span, systems), key=lambda one: (one.event.window_end, one.event.occurrence_id)):
        due, limit = visit.event, last_day_to_record(visit, backfill_days)
        if due.window_end > span.as_of or may_change(known, visit, backfill_days, today):
            yield Missing(
                code=f"window_open:{due.occurrence_id}",
                about=due.occurrence_id,
                zh=f"{due.system_id} {due.period} 的检查 {due.occurrence_id} 窗口至 {due.window_end}，补录至 {limit}，尚可变化",
                en=f"the visit {due.occurrence_id} of {due.system_id} is open until {due.window_end}, and can be "
                f"recorded until {limit}",
                where="/work-orders",
            )


def _of_verdicts(known: Known, span: Span, kinds: Sequence[str]) -> Iterator[Missing]:
    """Work that was reported performed, and since then neither accepted nor returned."""
    done: dict[str, Fact[WorkPerformed]] = {}
    for work in sorted(known.all(WorkPerformed), key=lambda fact: fact.rank):
        if work.event.kind in kinds and known.day(work.event.performed_at) in span:
            done[work.event.work_order_id] = work
    over: list[Fact[Any]] = [*known.all(WorkAccepted), *known.all(WorkReturned), *known.all(WorkOrderCancelled)]
    for verdict in over:
        order = verdict.event.work_order_id
        if order in done and verdict.rank > done[order].rank:
            del done[order]
    for order in sorted(done):
        yield Missing(
            code=f"no_verdict:{order}",
            about=order,
            zh=f"工单 {order} 已完成，尚未验收或退回",
            en=f"work order {order} was performed, and neither accepted nor returned yet",
            where=f"/work-orders/{order}/accept",
        )


def _of_baseline(known: Known, year: int) -> Iterator[Missing]:
    baselines = [fact for fact in known.all(CostBaselineRecorded) if fact.event.year == year]
    newest = max(baselines, key=lambda fact: fact.rank, default=None)
    if newest is None or newest.event.amount <= 0:
        yield Missing(
            code="no_baseline",
            about=str(year),
            zh=f"缺少上年度（{year} 年）固定设备维修维护支出",
            en=f"what fixed equipment cost in {year} is not recorded",
            where="/cost-baselines",
        )


def _of_incidents(known: Known, span: Span) -> Iterator[Missing]:
    decided = {fact.event.incident_id for fact in known.all(IncidentConfirmed)}
    decided |= {fact.event.incident_id for fact in known.all(IncidentDismissed)}
    reported = {
        fact.event.incident_id
        for fact in known.all(IncidentReported)
        if known.day(fact.event.occurred_at) in span and fact.event.incident_id not in decided
    }
    for incident in sorted(reported):
        yield Missing(
            code=f"incident_undecided:{incident}",
            about=incident,
            zh=f"事故 {incident} 已上报，尚未确认或排除",
            en=f"incident {incident} was reported, and neither confirmed nor dismissed",
            where=f"/incidents/{incident}/confirm",
        )


def _of_ratings(known: Known, span: Span) -> Iterator[Missing]:
    """Months that are over and have a day that no report covers."""
    spans = [
        (one.event.period_start, one.event.period_end) for one in known.satisfaction if one.event.period_end in span
    ]
    for period in span.months_over:
        end = span.months[period]
        days = (end.replace(day=1) + timedelta(days=number) for number in range(end.day))
        if not all(any(start <= day <= until for start, until in spans) for day in days):
            yield Missing(
                code=f"no_ratings:{period}",
                about=period,
                zh=f"{period} 没有群众满意度评价数据",
                en=f"no report of ratings covers {period}",
                where="/satisfaction-reports",
            )
