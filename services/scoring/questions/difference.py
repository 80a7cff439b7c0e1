"""Two questions to the same facts: what differs between their answers, and for each difference the one cause of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.scoring.evaluation import Assessed, Result, evaluate
from services.scoring.facts import Facts
from services.scoring.finding import NOTHING
from services.scoring.questions.legs import Key, Knowledge, Leg, Reading, State, Time
from services.scoring.questions.turns import turns
from services.scoring.rulebooks.rulebook import Rulebook
from shared.event import canonical

Json = dict[str, Any]

_IDENTITY = ("reason", "period", "occurrence_id", "point_id", "system_id")


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked of the facts; `known_at_given` is the text in which the moment was asked for, to be echoed."""

    rulebook: Rulebook
    as_of: date
    known_at: datetime | None = None
    known_at_given: str | None = None

    def answer(self, facts: Facts) -> Result:
        """The whole result."""
        return evaluate(facts, self.rulebook, self.as_of, self.known_at, known_at_given=self.known_at_given)


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """One cause, and all that it changed of an indicator; `score_change` is what that did to its score."""

    leg: str
    cause: Json
    changes: Sequence[Json]
    score_change: Decimal

    def as_json(self) -> Json:
        """As `xunjian diff --json` prints it."""
        change = f"{self.score_change:.2f}"
        return {"leg": self.leg, "cause": self.cause, "changes": list(self.changes), "score_change": change}


@dataclass(frozen=True, kw_only=True, slots=True)
class Different:
    """One indicator that two answers show differently; None where a rulebook does not have it."""

    id: str
    first: Assessed | None
    second: Assessed | None
    explanations: Sequence[Explanation]

    @property
    def score_change(self) -> Decimal:
        """The difference of the scores; one that cannot be assessed brings nothing to the sum."""
        return _score(self.second) - _score(self.first)

    def as_json(self) -> Json:
        """As `xunjian diff --json` prints it."""
        return {
            "id": self.id,
            "first": _head(self.first),
            "second": _head(self.second),
            "score_change": f"{self.score_change:.2f}",
            "explanations": [one.as_json() for one in self.explanations],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Two answers side by side, and what differs between them."""

    first: Result
    second: Result
    indicators: Sequence[Different]

    def __bool__(self) -> bool:
        """Whether the answers differ in anything but what was asked."""
        return bool(self.indicators) or _totals(self.first) != _totals(self.second)

    def as_json(self) -> Json:
        """As `xunjian diff --json` prints it."""
        return {
            "facility": self.first.facility,
            "first": _side(self.first),
            "second": _side(self.second),
            "differ": bool(self),
            "indicators": [one.as_json() for one in self.indicators],
        }


def diff(facts: Facts, first: Question, second: Question) -> Difference:
    """What differs between the answers to two questions, explained on the way: knowledge, then time, then rulebook."""
    answers = first.answer(facts), second.answer(facts)
    rows = [{one.indicator.id: one for one in answer.indicators} for answer in answers]
    way: list[Leg] = [
        Knowledge(facts, first.rulebook, first.as_of, first.known_at, second.known_at),
        Time(facts, first.rulebook, first.as_of, second.as_of, second.known_at),
        Reading(facts, first.rulebook, second.rulebook, second.as_of, second.known_at),
    ]
    found = []
    for id_ in dict.fromkeys([*rows[0], *rows[1]]):
        one, other = rows[0].get(id_), rows[1].get(id_)
        if one is None or other is None or one.as_json() != other.as_json():
            explained = [step for leg in way if _has(leg, id_) for step in _explained(leg, id_)]
            found.append(Different(id=id_, first=one, second=other, explanations=explained))
    return Difference(first=answers[0], second=answers[1], indicators=found)


def difference_bytes(difference: Difference) -> bytes:
    """Canonical JSON (RFC 8785) of a difference."""
    return canonical(difference.as_json())


def _has(leg: Leg, indicator: str) -> bool:
    """Whether a leg knows an indicator at all; one that only the second rulebook has, is new on the last leg."""
    return leg.name == "rulebook" or any(one.id == indicator for one in leg.rulebook.indicators)


def _explained(leg: Leg, indicator: str) -> Iterator[Explanation]:
    """The steps of a leg, in its order; their changes of score sum up to that of the whole leg, also where it is capped."""
    turned = turns(leg, indicator)
    scores = _scores(leg, indicator, turned)
    for (place, keys), change in zip(turned.items(), scores, strict=True):
        before, after = leg.state(indicator, place), leg.state(indicator, place + 1)
        yield Explanation(
            leg=leg.name,
            cause=leg.cause(indicator, place, keys),
            changes=[_change(key, before, after) for key in keys],
            score_change=change,
        )


def _scores(leg: Leg, indicator: str, turned: Mapping[int, Sequence[Key]]) -> Iterator[Decimal]:
    """What each step does to the score: the deductions are taken off one step after the other, and capped each time."""
    start = leg.state(indicator, 0)
    one = start.assessed
    if one is None or one.indicator.rule.proportional or leg.length == 1:
        for place, keys in turned.items():
            counts = ("score",) in keys or leg.length == 1
            yield leg.state(indicator, place + 1).score - leg.state(indicator, place).score if counts else NOTHING
        return
    weight, score, assessable = one.indicator.weight, start.score, one.status != "not_assessable"
    deducted = sum((deduction.points for deduction in one.deductions), NOTHING)
    for place, keys in turned.items():
        before, after = leg.state(indicator, place), leg.state(indicator, place + 1)
        for key in keys:
            if key[0] == "points":
                deducted += (after.value(key) or NOTHING) - (before.value(key) or NOTHING)
            if key[0] == "status":
                assessable = after.value(key) != "not_assessable"
        since, score = score, weight - min(weight, deducted) if assessable else NOTHING
        yield score - since


def _change(key: Key, before: State, after: State) -> Json:
    kind, *identity = key
    one, other = _plain(before.value(key)), _plain(after.value(key))
    if kind not in ("points", "evidence"):
        return {"what": kind, "before": one, "after": other}
    if kind == "points":
        kind = "appeared" if one is None else "disappeared" if other is None else "points"
    deduction = after.deductions.get(tuple(identity)) or before.deductions[tuple(identity)]
    of = {name: getattr(deduction, name) for name in _IDENTITY}
    return {"what": kind, "before": one, "after": other, **of, "evidence": list(deduction.evidence)}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return list(value) if isinstance(value, tuple) else value


def _score(assessed: Assessed | None) -> Decimal:
    return NOTHING if assessed is None or assessed.score is None else assessed.score


def _head(assessed: Assessed | None) -> Json | None:
    if assessed is None:
        return None
    return {name: value for name, value in assessed.as_json().items() if name not in ("id", "deductions")}


def _totals(result: Result) -> Json:
    whole = result.as_json()
    return {name: whole[name] for name in ("total", "provisional_total", "assessable_weight", "grade")}


def _side(result: Result) -> Json:
    whole = result.as_json()
    asked = ("year", "rulebook", "rulebook_sha256", "as_of", "known_at")
    return {**{name: whole[name] for name in asked}, **_totals(result)}
