"""The score if it were frozen today, and what this month still costs if nothing more is done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.scoring.counted import last_day_to_record, visits
from services.scoring.evaluation import Assessed, Result, evaluate
from services.scoring.facts import Facts, Known
from services.scoring.finding import NOTHING, Deduction, Span, period_of
from services.scoring.missed import Visit, is_performed, missed_points
from services.scoring.questions.missing import last_day, may_change
from services.scoring.rulebooks.rulebook import Rule, Rulebook

Json = dict[str, Any]

_OF_VISITS = ("missed_inspection", "missed_point")


@dataclass(frozen=True, kw_only=True, slots=True)
class Threat:
    """A deduction and the days that go with it: the last on which the work can be done, and the last to record it."""

    deduction: Deduction
    window_end: date
    record_until: date
    """For what rests on no visit, the same day."""

    @property
    def order(self) -> tuple[Any, ...]:
        """Soonest first."""
        names = (self.deduction.system_id, self.deduction.occurrence_id, self.deduction.point_id, self.deduction.reason)
        return self.window_end, *(name or "" for name in names)

    def as_json(self) -> Json:
        """As the API answers it."""
        one = self.deduction
        return {
            "points": f"{one.points:.2f}",
            "reason": one.reason,
            "period": one.period,
            "system_id": one.system_id,
            "occurrence_id": one.occurrence_id,
            "point_id": one.point_id,
            "window_end": self.window_end.isoformat(),
            "record_until": self.record_until.isoformat(),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class AtRisk:
    """One indicator: its score now, at the month's end if nothing more is done, and the deductions in between."""

    now: Assessed
    then: Assessed
    added: Sequence[Threat]
    still_mendable: Sequence[Threat]
    """Counted now, but what was done in the window can still be recorded."""
    to_do: Sequence[Json]
    """Visits whose window ends in the rest of the month and that are not made yet, or lack results, soonest first."""

    @property
    def at_risk(self) -> Decimal:
        """How many points the rest of the month costs, capped as the scores are; never below zero."""
        return max(NOTHING, (self.now.score or NOTHING) - (self.then.score or NOTHING))

    def as_json(self) -> Json:
        """As the API answers it."""
        return {
            "id": self.now.indicator.id,
            "weight": f"{self.now.indicator.weight:.2f}",
            "score_now": _shown(self.now.score),
            "score_then": _shown(self.then.score),
            "at_risk": f"{self.at_risk:.2f}",
            "added": [threat.as_json() for threat in self.added],
            "still_mendable": [threat.as_json() for threat in self.still_mendable],
            "to_do": list(self.to_do),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """A facility's score frozen at a day, and the month that this day is in."""

    now: Result
    then: Result
    indicators: Sequence[AtRisk]

    def as_json(self) -> Json:
        """As the API answers it."""
        now, then = self.now.as_json(), self.then.as_json()
        asked = ("facility", "year", "rulebook", "rulebook_sha256", "as_of", "known_at")
        return {
            **{name: now[name] for name in asked},
            "until": then["as_of"],
            "if_frozen": {name: now[name] for name in ("total", "provisional_total", "assessable_weight", "grade")},
            "if_nothing_is_done": {
                name: then[name] for name in ("total", "provisional_total", "assessable_weight", "grade")
            },
            "at_risk": f"{sum((one.at_risk for one in self.indicators), NOTHING):.2f}",
            "indicators": [one.as_json() for one in self.indicators],
        }


@dataclass(frozen=True, slots=True)
class _Days:
    span: Span
    month_end: date
    today: date


def at_risk(
    facts: Facts,
    rulebook: Rulebook,
    as_of: date,
    known_at: datetime | None = None,
    *,
    known_at_given: str | None = None,
    today: date | None = None,
) -> Outlook:
    """The score as of a day, and as of the last day of its month on the same knowledge.

    `today` says which backfill limits are over; by default the local day of `known_at` (see `missing.last_day`).
    """
    span = Span(as_of.year, as_of)
    month_end = span.months[period_of(as_of)]
    day = today or last_day(facts, as_of, known_at)
    now = evaluate(facts, rulebook, as_of, known_at, known_at_given=known_at_given)
    then = evaluate(facts, rulebook, month_end, known_at, known_at_given=known_at_given)
    known, days = facts.known(known_at), _Days(Span(rulebook.year, as_of), month_end, day)
    both = zip(now.indicators, then.indicators, strict=True)
    return Outlook(
        now=now,
        then=then,
        indicators=[_of(known, one, other, days) for one, other in both],
    )


def _of(known: Known, now: Assessed, then: Assessed, days: _Days) -> AtRisk:
    counted = {_identity(deduction) for deduction in now.deductions}
    added = [one for one in then.deductions if _identity(one) not in counted and one.points]
    backfill_days = now.indicator.rule.parameters.get("backfill_days", 0)
    mendable = [
        one for one in _threats(known, now.deductions, backfill_days, days.month_end) if one.record_until >= days.today
    ]
    return AtRisk(
        now=now,
        then=then,
        added=sorted(_threats(known, added, backfill_days, days.month_end), key=lambda one: one.order),
        still_mendable=sorted(
            (one for one in mendable if one.deduction.reason in _OF_VISITS and one.deduction.points),
            key=lambda one: one.order,
        ),
        to_do=list(_to_do(known, now.indicator.rule, days)),
    )


def _to_do(known: Known, rule: Rule, days: _Days) -> Iterator[Json]:
    if rule.type != "missed_inspections":
        return
    backfill_days = rule.parameters["backfill_days"]
    asked = visits(known, days.span, rule.parameters["systems"])
    due = [one for one in asked if days.span.as_of <= one.event.window_end <= days.month_end]
    for visit in sorted(due, key=lambda one: (one.event.window_end, one.event.occurrence_id)):
        if may_change(known, visit, backfill_days, days.today):
            limit = last_day_to_record(visit, backfill_days)
            performed, left = is_performed(known, visit, limit), missed_points(known, visit, limit)
            yield {
                "occurrence_id": visit.event.occurrence_id,
                "system_id": visit.event.system_id,
                "window_start": visit.event.window_start.isoformat(),
                "window_end": visit.event.window_end.isoformat(),
                "record_until": limit.isoformat(),
                "performed": performed,
                "points_left": len(left),
                "points_without_result": sorted(left) if performed else [],
            }


def _threats(known: Known, deductions: Sequence[Deduction], backfill_days: int, month_end: date) -> Iterator[Threat]:
    for deduction in deductions:
        visit = _visit(known, deduction)
        if visit is None:
            yield Threat(deduction=deduction, window_end=month_end, record_until=month_end)
        else:
            limit = last_day_to_record(visit, backfill_days)
            yield Threat(deduction=deduction, window_end=visit.event.window_end, record_until=limit)


def _visit(known: Known, deduction: Deduction) -> Visit | None:
    scheduled = known.inspections.get((deduction.system_id or "", deduction.period or ""), [])
    return next((one for one in scheduled if one.event.occurrence_id == deduction.occurrence_id), None)


def _identity(deduction: Deduction) -> tuple[Any, ...]:
    """What a deduction is of; where it names nothing (returns, incidents), the events it rests on."""
    names = (deduction.occurrence_id, deduction.point_id, deduction.system_id)
    own = deduction.evidence if deduction.reason in ("substandard_work", "incidents") else ()
    return deduction.reason, deduction.period, *names, own


def _shown(score: Decimal | None) -> str | None:
    return None if score is None else f"{score:.2f}"
