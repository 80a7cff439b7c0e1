"""Where on a leg an indicator turns into what it is at the end: found by halving, so that few states are looked at."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from services.scoring.questions.legs import Key, Leg, State

HEAD = ("weight", "target", "status", "actual", "actual_without_defaulted", "score")
"""Members of an indicator's result that are followed beside its deductions, the score only where it is pro rata."""


def turns(leg: Leg, indicator: str) -> Mapping[int, list[Key]]:
    """The places after which something of an indicator turned that is not the same at both ends, and what did.

    Where such a turn comes with another deduction that is not there at either end (a visit not scheduled becomes one not
    made, until it is made), that one is followed as well.
    """
    first, last = leg.state(indicator, 0), leg.state(indicator, leg.length)
    places: dict[Key, list[int]] = {}
    for key in _changed(first, last):
        at = partial(_value, leg, indicator, key)
        every = _every_turn(first, last, key)
        places[key] = list(_turns_of(at, 0, leg.length)) if every else [_last_turn(at, leg.length)]
    waiting = sorted({place for found in places.values() for place in found})
    while waiting:
        place = waiting.pop(0)
        for key in _points_turned(leg.state(indicator, place), leg.state(indicator, place + 1)):
            if key not in places:
                at = partial(_value, leg, indicator, key)
                places[key] = [*_turns_of(at, 0, place), place, *_turns_of(at, place + 1, leg.length)]
                waiting += places[key]
    turned: dict[int, list[Key]] = defaultdict(list)
    for key in sorted(places, key=_sortable):
        for place in places[key]:
            turned[place].append(key)
    return {place: turned[place] for place in sorted(turned)}


def _value(leg: Leg, indicator: str, key: Key, place: int) -> Any:
    return leg.state(indicator, place).value(key)


def _points_turned(before: State, after: State) -> list[Key]:
    """Deductions that came, went or changed their points."""
    keys: set[Key] = {("points", *identity) for identity in (*before.deductions, *after.deductions)}
    return sorted((key for key in keys if before.value(key) != after.value(key)), key=_sortable)


def _changed(first: State, last: State) -> list[Key]:
    """What is to be explained: points of deductions, or else their evidence, and what else the result says."""
    proportional = any(state.assessed and state.assessed.indicator.rule.proportional for state in (first, last))
    points = _points_turned(first, last)
    both = first.deductions.keys() & last.deductions.keys()
    told: list[Key] = [
        *(("evidence", *identity) for identity in sorted(both, key=_sortable) if ("points", *identity) not in points),
        *((name,) for name in (HEAD if proportional else HEAD[:-1])),
    ]
    return [*points, *(key for key in told if first.value(key) != last.value(key))]


def _every_turn(first: State, last: State, key: Key) -> bool:
    """Whether each turn is told; rates and evidence go along with so many events that only the last one is."""
    one = last.assessed or first.assessed
    counts = one is not None and one.indicator.rule.type in ("missed_inspections", "incidents")
    return key[0] in ("points", "status", "score") or (key[0] == "actual" and counts)


def _turns_of(at: Callable[[int], Any], low: int, high: int) -> Iterator[int]:
    """Places after which a value turns, found by halving the stretches whose ends differ."""
    waiting = [(low, high)]
    while waiting:
        low, high = waiting.pop()
        if at(low) == at(high):
            continue
        if high - low == 1:
            yield low
            continue
        middle = (low + high) // 2
        waiting += [(middle, high), (low, middle)]


def _last_turn(at: Callable[[int], Any], length: int) -> int:
    """A place after which a value is what it is at the end, and before which it was not."""
    low, high, final = 0, length, at(length)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at(middle) == final else (middle, high)
    return low


def _sortable(key: Key) -> tuple[str | bool, ...]:
    """Deductions first, and then what else the result says."""
    return len(key) == 1, *(name or "" for name in key)
