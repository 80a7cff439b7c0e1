"""The way from one question to another in three legs: what became known, what time made due, what the rulebook says.

On a leg an indicator passes through states; where one turns into another, the step between them names the cause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Protocol

from services.scoring.counted import counted, dated
from services.scoring.evaluation import Assessed, evaluate
from services.scoring.facts import Facts
from services.scoring.finding import Deduction, Span
from services.scoring.questions.prefix import FactsUpTo
from services.scoring.questions.shown import named
from services.scoring.rulebooks.rulebook import Indicator, Rulebook
from shared.contracts.scoring import DeductionWaived
from shared.contracts.work_orders import IncidentConfirmed
from shared.event import Recorded

Key = tuple[str | None, ...]
"""(`points` or `evidence`, …what a deduction is of), or the one name of a member of the indicator's result."""


@dataclass(frozen=True, slots=True)
class State:
    """An indicator at one place of a leg; `deductions` by what they are of."""

    assessed: Assessed | None
    deductions: Mapping[Key, Deduction]

    def value(self, key: Key) -> Any:
        """What is followed under a key; None where it is not there."""
        kind, *identity = key
        deduction = self.deductions.get(tuple(identity))
        if kind in ("points", "evidence"):
            return None if deduction is None else getattr(deduction, kind)
        of = self.assessed and (self.assessed.indicator if kind in ("weight", "target") else self.assessed)
        return None if of is None else getattr(of, str(kind))

    @property
    def score(self) -> Decimal:
        """What the indicator brings to the sum of all; nothing while it cannot be assessed."""
        return (self.assessed and self.assessed.score) or Decimal("0.00")


class Leg(Protocol):
    """Places 0 … `length`; the states of an indicator there, and why one turned into the next."""

    name: str
    length: int
    rulebook: Rulebook
    """By which it begins."""

    def state(self, indicator: str, place: int) -> State:
        """An indicator as it is at a place."""

    def cause(self, indicator: str, place: int, keys: Sequence[Key]) -> dict[str, Any]:
        """Why keys of it have another value at the next place."""


class Knowledge:
    """From what was known at one moment to what was known at another, event by event."""

    name = "knowledge"

    def __init__(self, facts: Facts, rulebook: Rulebook, as_of: date, first: Any, second: Any) -> None:
        history = facts.history()
        begin, end = (_known_by(history, moment) for moment in (first, second))
        self.length, self._forward = abs(end - begin), begin <= end
        between = history[min(begin, end) : max(begin, end)]
        self._events = between if self._forward else between[::-1]
        ahead = [history[begin - 1] if begin else None, *self._events]
        behind = [*self._events, history[end - 1] if end else None]
        self._last = ahead if self._forward else behind
        self._facts = cache(lambda place: FactsUpTo(facts, self._last[place]))
        self.rulebook, self._as_of, self._all = rulebook, as_of, facts
        self.state = cache(self._state)

    def _state(self, indicator: str, place: int) -> State:
        return _state(self._all, _assess(self._facts(place), self.rulebook, indicator, self._as_of))

    def cause(self, indicator: str, place: int, keys: Sequence[Key]) -> dict[str, Any]:
        """The event between two places, which became known, or, going back, is not known yet."""
        return {"kind": "event", "known": self._forward, "event": named(self._events[place])}


class Time:
    """From one day to another, day by day, on one and the same knowledge."""

    name = "time"

    def __init__(self, facts: Facts, rulebook: Rulebook, first: date, second: date, known_at: Any) -> None:
        days = (second - first).days
        self.length, self._forward, self._first = abs(days), days >= 0, first
        history = facts.history()
        known = _known_by(history, known_at)
        self._facts = FactsUpTo(facts, history[known - 1] if known else None)
        self.rulebook, self._all = rulebook, facts
        self.state = cache(self._state)

    def _day(self, place: int) -> date:
        return self._first + timedelta(days=place if self._forward else -place)

    def _state(self, indicator: str, place: int) -> State:
        return _state(self._all, _assess(self._facts, self.rulebook, indicator, self._day(place)))

    def cause(self, indicator: str, place: int, keys: Sequence[Key]) -> dict[str, Any]:
        """The day that made it so, which has come, or, going back, not yet; with the events that are of that day."""
        day = max(self._day(place), self._day(place + 1))
        states = [self.state(indicator, place), self.state(indicator, place + 1)]
        deductions = [key for key in keys if key[0] == "points"]
        evidence = {id_ for key in deductions for state in states for id_ in _evidence(state, tuple(key[1:]))}
        known = self._facts.known()
        if not deductions or any(key[0] in ("actual", "score") for key in keys):
            rule = _indicator(self.rulebook, indicator).rule
            evidence |= {fact.id for fact in counted(known, Span(self.rulebook.year, day), rule).facts}
        events = [recorded for id_ in evidence if dated(known, recorded := self._all.recorded(id_)) == day]
        told = [named(event) for event in sorted(events, key=lambda event: (event.recordedat, event.id))]
        return {"kind": "day", "day": day.isoformat(), "come": self._forward, "events": told}


class Reading:
    """From one rulebook to another: one step."""

    name = "rulebook"
    length = 1

    def __init__(self, facts: Facts, first: Rulebook, second: Rulebook, as_of: date, known_at: Any) -> None:
        self._facts, self._books, self._as_of, self._known_at = facts, (first, second), as_of, known_at
        self.rulebook = first
        self.state = cache(self._state)

    def _state(self, indicator: str, place: int) -> State:
        book = self._books[place]
        if all(one.id != indicator for one in book.indicators):
            return State(None, {})
        return _state(self._facts, _assess(self._facts, book, indicator, self._as_of, self._known_at))

    def cause(self, indicator: str, place: int, keys: Sequence[Key]) -> dict[str, Any]:
        """What the rulebooks say differently about the indicator."""
        return {"kind": "rulebook", "differs": differs(indicator, *self._books)}


def differs(indicator: str, first: Rulebook, second: Rulebook) -> list[dict[str, Any]]:
    """What two rulebooks read differently of an indicator: its weight, target, rule and parameters, or their year."""
    one, other = _read_as(first, indicator), _read_as(second, indicator)
    return [
        {"what": name, "first": one.get(name), "second": other.get(name)}
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name)
    ]


def _known_by(history: Sequence[Recorded], moment: Any) -> int:
    """How many events had been recorded at a moment."""
    return sum(moment is None or recorded.recordedat <= moment for recorded in history)


def _assess(facts: Facts, rulebook: Rulebook, indicator: str, as_of: date, known_at: Any = None) -> Assessed:
    alone = replace(rulebook, indicators=[_indicator(rulebook, indicator)])
    return evaluate(facts, alone, as_of, known_at).indicators[0]


def _indicator(rulebook: Rulebook, indicator: str) -> Indicator:
    return next(one for one in rulebook.indicators if one.id == indicator)


def _state(facts: Facts, assessed: Assessed) -> State:
    return State(assessed, {_identity(facts, deduction): deduction for deduction in assessed.deductions})


def _identity(facts: Facts, deduction: Deduction) -> Key:
    """What a deduction is of: of returns and incidents in one month of one system, the very one."""
    own: str | None = None
    if deduction.reason in ("substandard_work", "incidents"):
        events = [facts.recorded(id_) for id_ in deduction.evidence]
        (event,) = (one for one in events if not isinstance(one.event, DeductionWaived))
        own = event.event.incident_id if isinstance(event.event, IncidentConfirmed) else event.id
    return deduction.reason, deduction.period, deduction.occurrence_id, deduction.point_id, deduction.system_id, own


def _evidence(state: State, identity: Key) -> tuple[str, ...]:
    deduction = state.deductions.get(identity)
    return () if deduction is None else deduction.evidence


def _read_as(rulebook: Rulebook, indicator: str) -> dict[str, Any]:
    found = [one for one in rulebook.indicators if one.id == indicator]
    if not found:
        return {"indicator": None}
    (one,) = found
    read: dict[str, Any] = {
        "indicator": indicator,
        "year": rulebook.year,
        "weight": f"{one.weight:.2f}",
        "comparator": one.comparator,
        "target": str(one.target),
        "rule": one.rule.type,
        "proportional": one.rule.proportional,
    }
    return {**read, **{name: plain(value) for name, value in sorted(one.rule.parameters.items())}}


def plain(value: Any) -> Any:
    """A parameter of a rule as a JSON value."""
    if isinstance(value, Decimal):
        return str(value)
    return list(value) if isinstance(value, list | tuple) else value
