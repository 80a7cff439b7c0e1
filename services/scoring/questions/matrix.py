"""The year's inspections at a glance: one status for each system and month (system × month), as the rule of missed
inspections judges each visit.

Pure, like the score: what counts as a miss here costs points there, and nothing else does.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from services.scoring.counted import last_day_to_record
from services.scoring.facts import Known
from services.scoring.finding import Span
from services.scoring.missed import Visit, is_excused_whole, is_performed, missed_points, months_in_commission
from services.scoring.rulebooks.rulebook import Rulebook

Status = Literal["missed", "late", "incomplete", "not_scheduled", "open", "excused", "backfilled", "done"]
"""Of one visit, or of a month, where the first of these that fits one of its visits holds.

`missed`: not made. `late`: made after its window or told after the backfill limit, and as much a miss. `incomplete`:
made in time, but points were left out. `not_scheduled`: a month that is over and had no visit. `open`: its window is
not over, and it was not complete by `as_of`. `excused`: the whole visit was. `backfilled`: complete, but told after its
window, within the backfill limit (补录). `done`: complete, and told within its window.
"""

SEVERITY: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One month of one system. Only visits whose window is over are counted, but for `visits`, which are all of them."""

    period: str
    status: Status | None
    """None where the system was not in commission."""
    visits: int = 0
    performed: int = 0
    missed_inspections: int = 0
    missed_points: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One system and its twelve months; `backfill_days` is how long after a window its work could still be told."""

    system_id: str
    name: str
    backfill_days: int
    cells: Sequence[Cell]

    def as_json(self) -> dict[str, Any]:
        """{system_id, name, backfill_days, months: [{period, status, visits, performed, missed_inspections, missed_points}]}."""
        names = ("period", "status", "visits", "performed", "missed_inspections", "missed_points")
        months = [{name: getattr(cell, name) for name in names} for cell in self.cells]
        named = {"system_id": self.system_id, "name": self.name, "backfill_days": self.backfill_days}
        return {**named, "months": months}


def inspection_matrix(known: Known, span: Span, rulebook: Rulebook) -> list[Row]:
    """A row for each registered system that is inspected in the year: those that the rulebook scores first, in its order.

    Those that it does not score are judged with the longest backfill limit that it has.
    """
    limits = _backfill_days(rulebook)
    longest = max(limits.values(), default=0)
    planned = {system_id for system_id, period in known.inspections if period in span.months}
    names = [*limits, *sorted(planned - limits.keys())]
    return [
        Row(
            system_id=name,
            name=known.systems[name].registered.event.name,
            backfill_days=limits.get(name, longest),
            cells=_cells(known, span, name, limits.get(name, longest)),
        )
        for name in names
        if months_in_commission(known, span, name)
    ]


def _backfill_days(rulebook: Rulebook) -> Mapping[str, int]:
    """By system, of those that the rulebook scores for missed inspections."""
    rules = [one.rule.parameters for one in rulebook.indicators if one.rule.type == "missed_inspections"]
    return {system_id: rule["backfill_days"] for rule in rules for system_id in rule["systems"]}


def _cells(known: Known, span: Span, system_id: str, backfill_days: int) -> list[Cell]:
    in_commission = months_in_commission(known, span, system_id)
    return [
        _cell(known, span, system_id, period, backfill_days)
        if period in in_commission
        else Cell(period=period, status=None)
        for period in span.months
    ]


def _cell(known: Known, span: Span, system_id: str, period: str, backfill_days: int) -> Cell:
    visits = [visit for visit in known.inspections.get((system_id, period), []) if not known.withdrawals(visit)]
    if not visits:
        over = span.months[period] <= span.as_of
        return Cell(period=period, status="not_scheduled" if over else "open", missed_inspections=int(over))
    found = {visit.id: _status(known, span, visit, backfill_days) for visit in visits}
    judged = [visit for visit in visits if visit.event.window_end <= span.as_of]
    number = Counter(found[visit.id] for visit in judged)
    return Cell(
        period=period,
        status=min(found.values(), key=SEVERITY.index),
        visits=len(visits),
        performed=sum(is_performed(known, visit, last_day_to_record(visit, backfill_days)) for visit in judged),
        missed_inspections=number["missed"] + number["late"],
        missed_points=sum(
            len(missed_points(known, visit, last_day_to_record(visit, backfill_days)))
            for visit in judged
            if found[visit.id] == "incomplete"
        ),
    )


def _status(known: Known, span: Span, visit: Visit, backfill_days: int) -> Status:
    window_end, last_day = visit.event.window_end, last_day_to_record(visit, backfill_days)
    in_time = is_performed(known, visit, last_day)
    told_by = min(window_end, span.as_of)
    if is_performed(known, visit, told_by) and not missed_points(known, visit, told_by):
        return "done"
    if window_end > span.as_of:
        return "open"
    if in_time and not missed_points(known, visit, last_day):
        return "backfilled"
    if is_excused_whole(known, visit):
        return "excused"
    if in_time:
        return "incomplete"
    works = known.performed.get(visit.event.occurrence_id, [])
    return "late" if any(known.day(work.event.performed_at) <= span.as_of for work in works) else "missed"
