"""The rule of missed inspections (漏检): visits not made in their window, points not looked at in visits that were."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from services.scoring.facts import Fact, Known
from services.scoring.finding import NOTHING, Deduction, Finding, Span, ids
from shared.contracts.scheduling import OccurrenceScheduled
from shared.contracts.work_orders import PointResult

Visit = Fact[OccurrenceScheduled]


def missed_inspections(
    known: Known,
    span: Span,
    *,
    systems: Sequence[str],
    backfill_days: int,
    per_missed_inspection: Decimal = NOTHING,
    per_missed_point: Decimal = NOTHING,
) -> Finding | None:
    """每漏检1次或1个点位: visits not made in their window, and points not looked at in visits that were."""
    asked = [(name, period) for name in systems for period in months_in_commission(known, span, name)]
    if not asked:
        return None
    performed = 0
    deductions: list[Deduction] = []
    for system_id, period in asked:
        scheduled = known.inspections.get((system_id, period), [])
        visits = [visit for visit in scheduled if not known.withdrawals(visit)]
        if not visits and span.months[period] <= span.as_of:
            deductions.append(_not_scheduled(known, scheduled, system_id, period, per_missed_inspection))
        for visit in visits:
            if visit.event.window_end <= span.as_of:
                deadline = visit.event.window_end + timedelta(days=backfill_days)
                done = is_performed(known, visit, deadline)
                performed += done
                if is_excused_whole(known, visit):
                    continue
                if done:
                    deductions += _missed(known, visit, missed_points(known, visit, deadline), per_missed_point)
                else:
                    deductions += _missed(known, visit, [None], per_missed_inspection)
    return Finding(actual=performed, deductions=deductions)


def months_in_commission(known: Known, span: Span, system_id: str) -> list[str]:
    """The months of the year in which a system was in commission; none for one that is not registered."""
    system = known.systems.get(system_id)
    return [period for period, end in span.months.items() if system and system.in_commission(end)]


def is_performed(known: Known, visit: Visit, deadline: date) -> bool:
    """Whether a visit was made in its window, and that recorded by a day."""
    due = visit.event
    return any(
        due.window_start <= known.day(work.event.performed_at) <= due.window_end
        and known.day(work.recordedat) <= deadline
        for work in known.performed.get(due.occurrence_id, [])
    )


def is_excused_whole(known: Known, visit: Visit) -> bool:
    """Whether somebody excused it and named no points."""
    return any(not excuse.event.point_ids for excuse in known.excuses.get(visit.event.occurrence_id, []))


def missed_points(known: Known, visit: Visit, deadline: date) -> set[str]:
    """Points of a visit that neither a result in time covers nor an excuse names."""
    covered = {
        result.point_id
        for inspected in known.inspected.get(visit.event.occurrence_id, [])
        if known.day(inspected.recordedat) <= deadline
        for result in inspected.event.results
        if _covers(result)
    }
    excuses = known.excuses.get(visit.event.occurrence_id, [])
    excused = {point for excuse in excuses for point in excuse.event.point_ids or ()}
    return set(visit.event.point_ids) - covered - excused


def _covers(result: PointResult) -> bool:
    return result.outcome != "not_applicable" or bool((result.note or "").strip())


def _missed(known: Known, visit: Visit, missed: Iterable[str | None], points: Decimal) -> list[Deduction]:
    due = visit.event
    evidence = ids(
        [visit], *(names.get(due.occurrence_id, []) for names in (known.opened, known.inspected, known.performed))
    )
    return [
        Deduction(
            points=points,
            reason="missed_inspection" if point_id is None else "missed_point",
            period=due.period,
            occurrence_id=due.occurrence_id,
            point_id=point_id,
            system_id=due.system_id,
            evidence=evidence,
        )
        for point_id in missed
    ]


def _not_scheduled(known: Known, withdrawn: Sequence[Visit], system_id: str, period: str, points: Decimal) -> Deduction:
    evidence = ids([known.systems[system_id].registered], *(known.withdrawals(visit) for visit in withdrawn))
    return Deduction(points=points, reason="not_scheduled", period=period, system_id=system_id, evidence=evidence)
