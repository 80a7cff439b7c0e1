"""domain.md, Exact semantics, what kind of function the score is: a test a sentence."""

import ast
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring import evaluation, facts, finding, missed, rules
from services.scoring.evaluation import evaluate, result_bytes
from services.scoring.facts import Facts
from services.scoring.rulebooks import rulebook
from services.scoring.rulebooks.rulebook import Rulebook
from services.scoring.tests import histories as h
from services.scoring.tests.strategies import as_ofs, histories, known_ats
from shared.event import Recorded

CLOCKS_AND_CHANCE = {"float", "now", "today", "utcnow", "random", "time_ns", "monotonic", "environ", "open"}


@settings(deadline=None)
@given(history=histories(), as_of=as_ofs)
def test_score_events_rulebook_as_of_known_at_is_a_pure_function(history: Sequence[Recorded], as_of: date) -> None:
    """`score(events, rulebook, as_of, known_at)` is a pure function."""
    facts, told = Facts(), list(history)
    for recorded in history:
        facts.add(recorded)
        evaluate(facts, h.CHENGGONG, as_of)

    asked_again = [result_bytes(evaluate(facts, h.CHENGGONG, as_of)) for _ in range(2)]

    assert asked_again == [result_bytes(evaluate(Facts().extend(history), h.CHENGGONG, as_of))] * 2
    assert history == told


def test_no_clock_no_float_decimal_or_integers_no_order_of_arrival() -> None:
    """No clock, no float (Decimal or integers), no order of arrival:"""
    history = [h.incident(), h.returned("wo"), h.report(good=2, bad=1), h.baseline("300.00"), h.cost("c", "100.00")]

    forwards, backwards = h.score(*history), h.score(*reversed(history))

    assert forwards == backwards
    assert [kind for kind in _kinds_of(forwards) if kind not in (int, str, type(None))] == []
    for module in (evaluation, facts, finding, missed, rulebook, rules):
        nodes = list(ast.walk(ast.parse(Path(module.__file__ or "").read_text())))
        names = {getattr(node, "id", None) or getattr(node, "attr", None) for node in nodes}
        assert names & CLOCKS_AND_CHANCE == set()
        assert [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, float)] == []


@pytest.mark.parametrize("rulebook", [h.CHENGGONG, h.MOF], ids=lambda rulebook: str(rulebook.id))
@settings(deadline=None)
@given(data=st.data(), history=histories(), as_of=as_ofs, known_at=known_ats)
def test_any_interleaving_of_the_sources_and_any_duplicate_gives_the_same_bytes_out(
    rulebook: Rulebook, data: st.DataObject, history: Sequence[Recorded], as_of: date, known_at: Any
) -> None:
    """any interleaving of the sources, and any duplicate, gives the same bytes out."""
    repeated = data.draw(st.lists(st.sampled_from(history)))
    shuffled = data.draw(st.permutations([*history, *repeated]))

    in_order = result_bytes(evaluate(Facts().extend(history), rulebook, as_of, known_at))

    assert result_bytes(evaluate(Facts().extend(shuffled), rulebook, as_of, known_at)) == in_order


def _kinds_of(value: Any) -> list[type]:
    """The types of all values of a JSON tree that hold no others."""
    if isinstance(value, dict):
        return [kind for member in value.values() for kind in _kinds_of(member)]
    if isinstance(value, list):
        return [kind for member in value for kind in _kinds_of(member)]
    return [type(value)]
