"""Why a score is what it is: for each indicator what was counted, and for each deduction the rule's words, its
parameters, the events, the points and the photos.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.scoring.counted import counted, dated, last_day_to_record
from services.scoring.evaluation import Assessed, Result
from services.scoring.facts import Facts, Known
from services.scoring.finding import Deduction, Span
from services.scoring.missed import Visit
from services.scoring.questions.legs import plain
from services.scoring.questions.places import Place, places
from services.scoring.questions.shown import named, results_of, shown
from services.scoring.questions.why_words import Told, sentences
from services.scoring.rulebooks.rulebook import Indicator, Rulebook
from shared.contracts.scoring import DeductionWaived
from shared.event import Recorded, canonical

Json = dict[str, Any]

_WORDS = ("level_1", "level_2", "level_3", "comparator", "unit", "attribute", "standard", "content", "basis")
_GENERAL = ("分值", "权重", "评分标准")
_MATTERS: Mapping[str, Sequence[str]] = {
    "missed_inspections": ("漏检", "应检", "补录"),
    "substandard_work": ("质量指标", "工单"),
    "periods_without_inspection": ("月/次", "设备更换"),
    "cost_growth": ("成本指标", "上年度"),
    "incidents": ("事故", "生命及财产"),
    "satisfaction_rate": ("满意度",),
    "budget_execution": ("预算执行",),
}
"""Words by which a reading is found to be about a rule; all of them stand beside the result besides."""


def why(facts: Facts, result: Result, known_at: datetime | None = None, indicator: str | None = None) -> Json:
    """What a result rests on, of all its indicators or of one; `known_at` is the one that it was evaluated with."""
    return _Answer(facts, result, known_at).as_json(indicator)


def why_bytes(answer: Json) -> bytes:
    """Canonical JSON (RFC 8785) of an answer."""
    return canonical(answer)


def readings_of(rulebook: Rulebook, indicator: Indicator) -> list[str]:
    """The rulebook's readings that speak of an indicator, or of all."""
    about = [*_GENERAL, *_MATTERS[indicator.rule.type], f"（{indicator.id}）"]
    about += ["定性指标"] if indicator.attribute == "定性指标" else []
    about += ["按比例"] if indicator.rule.proportional else []
    return [reading for reading in rulebook.readings if any(words in reading for words in about)]


class _Answer:
    """One result with the facts that it was read from."""

    def __init__(self, facts: Facts, result: Result, known_at: datetime | None) -> None:
        self._facts, self._result = facts, result
        self._known: Known = facts.known(known_at)
        self._span = Span(result.rulebook.year, result.as_of)
        self._places = places(self._known)

    def as_json(self, indicator: str | None) -> Json:
        whole = self._result.as_json()
        del whole["indicators"]
        asked = [one for one in self._result.indicators if indicator in (None, one.indicator.id)]
        readings = list(self._result.rulebook.readings)
        return {**whole, "readings": readings, "indicators": [self._indicator(one) for one in asked]}

    def _indicator(self, assessed: Assessed) -> Json:
        one = assessed.indicator
        row = {name: value for name, value in assessed.as_json().items() if name != "deductions"}
        rule = {
            "type": one.rule.type,
            "proportional": one.rule.proportional,
            "parameters": {name: plain(value) for name, value in sorted(one.rule.parameters.items())},
        }
        return {
            **row,
            "words": {name: getattr(one, name) for name in _WORDS},
            "rule": rule,
            "readings": readings_of(self._result.rulebook, one),
            "counted": self._counted(one),
            "deductions": [self._deduction(one, deduction) for deduction in assessed.deductions],
        }

    def _counted(self, indicator: Indicator) -> Json:
        found = counted(self._known, self._span, indicator.rule)
        events = []
        for fact in found.facts:
            day = dated(self._known, fact)
            events.append({**named(self._facts.recorded(fact.id)), "day": day.isoformat() if day else None})
        return {"figures": dict(found.figures), "events": events}

    def _deduction(self, indicator: Indicator, deduction: Deduction) -> Json:
        evidence = (self._facts.recorded(id_) for id_ in deduction.evidence)
        events = sorted(evidence, key=lambda event: (event.recordedat, event.id))
        waivers = [event for event in events if isinstance(event.event, DeductionWaived)]
        told = [event for event in events if event not in waivers]
        visit = self._visit(deduction)
        backfill_days = indicator.rule.parameters.get("backfill_days", 0)
        place = self._place(deduction.point_id)
        zh, en = sentences(
            Told(
                deduction=deduction,
                known=self._known,
                visit=visit,
                record_until=last_day_to_record(visit, backfill_days) if visit else None,
                place=place,
                figures=counted(self._known, self._span, indicator.rule).figures,
                parameters=indicator.rule.parameters,
                events=told,
                waivers=waivers,
            )
        )
        return {
            "points": f"{deduction.points:.2f}",
            "reason": deduction.reason,
            "period": deduction.period,
            "occurrence_id": deduction.occurrence_id,
            "point_id": deduction.point_id,
            "system_id": deduction.system_id,
            "zh": zh,
            "en": en,
            "waived_by": [shown(waiver) for waiver in waivers],
            "expected": _expected(visit, backfill_days),
            "points_concerned": [place.as_json()] if place else [],
            "photos": _photos(told, deduction.point_id),
            "events": [shown(event, deduction.point_id) for event in told],
        }

    def _visit(self, deduction: Deduction) -> Visit | None:
        scheduled = self._known.inspections.get((deduction.system_id or "", deduction.period or ""), [])
        return next((one for one in scheduled if one.event.occurrence_id == deduction.occurrence_id), None)

    def _place(self, point_id: str | None) -> Place | None:
        return None if point_id is None else self._places.get(point_id, Place(point_id=point_id))


def _expected(visit: Visit | None, backfill_days: int) -> Json | None:
    """What should have come of a visit, and by when."""
    if visit is None:
        return None
    return {
        "window_start": visit.event.window_start.isoformat(),
        "window_end": visit.event.window_end.isoformat(),
        "record_until": last_day_to_record(visit, backfill_days).isoformat(),
        "points": len(set(visit.event.point_ids)),
    }


def _photos(events: Sequence[Recorded], point_id: str | None) -> list[Json]:
    """The photos of results, of one point or of all, with the event that names them."""
    return [
        {"sha256": sha256, "point_id": result.point_id, "event_id": event.id}
        for event in events
        for result in results_of(event, point_id)
        for sha256 in result.photos or ()
    ]
