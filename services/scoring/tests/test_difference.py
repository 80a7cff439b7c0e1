"""`diff`: every difference between two answers has one cause, and what causes are said to do, they do."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.evaluation import evaluate
from services.scoring.facts import Facts
from services.scoring.questions.difference import Difference, Question, diff, difference_bytes
from services.scoring.rulebooks.rulebook import Rulebook
from services.scoring.tests import histories as h
from services.scoring.tests.strategies import MOMENTS, histories
from shared.event import Recorded

DAY = "2021-12-31"

as_ofs = st.sampled_from(["2021-02-28", "2021-03-15", "2021-04-20", DAY]).map(date.fromisoformat)
known_ats = st.none() | st.sampled_from(MOMENTS).map(h.local)
questions = st.builds(Question, rulebook=st.sampled_from([h.CHENGGONG, h.MOF]), as_of=as_ofs, known_at=known_ats)


def question(as_of: str = DAY, known_at: str | None = None, rulebook: Rulebook = h.CHENGGONG) -> Question:
    """A question by its words."""
    return Question(
        rulebook=rulebook, as_of=date.fromisoformat(as_of), known_at=None if known_at is None else h.local(known_at)
    )


def explained(history: Sequence[Recorded], first: Question, second: Question, indicator: str = "hvac") -> list[Any]:
    """What is said of one indicator: (leg, cause, what changed, score change)."""
    found = {one["id"]: one for one in diff(Facts().extend(history), first, second).as_json()["indicators"]}
    return [
        (one["leg"], one["cause"], [change["what"] for change in one["changes"]], one["score_change"])
        for one in found.get(indicator, {"explanations": []})["explanations"]
    ]


MARCH = [h.system(), h.visit(points=["P1", "P2"], id_="plan"), h.inspected("P1", "P2", id_="results")]


def test_what_became_known_is_explained_by_the_event_that_was_told() -> None:
    history = [*MARCH, h.performed(on="2021-03-09", recorded="2021-04-02", id_="done")]

    (one,) = explained(history, question("2021-03-31", "2021-04-01"), question("2021-03-31"), "hvac")

    leg, cause, changes, score = one
    assert (leg, cause["kind"], cause["known"], cause["event"]["id"]) == ("knowledge", "event", True, "done")
    assert (changes, score) == (["disappeared", "actual", "status"], "5.00")


def test_going_back_in_knowledge_the_same_event_is_not_known_yet() -> None:
    history = [*MARCH, h.performed(on="2021-03-09", recorded="2021-04-02", id_="done")]

    (one,) = explained(history, question("2021-03-31"), question("2021-03-31", "2021-04-01"))

    _, cause, changes, score = one
    assert (cause["known"], cause["event"]["id"], changes, score) == (
        False, "done", ["appeared", "actual", "status"], "-5.00",
    )  # fmt: skip


def test_of_several_events_of_one_instant_the_one_that_flips_it_is_named() -> None:
    at = "2021-04-20 08:00"
    history = [
        *MARCH,
        h.excused("another", recorded=at, id_="e-1"),
        h.excused(recorded=at, id_="e-2"),
        h.excused(recorded=at, id_="e-3"),
    ]

    (one,) = explained(history, question("2021-03-31", "2021-04-20 07:59"), question("2021-03-31", at))

    assert one[1]["event"]["id"] == "e-2"


def test_an_event_is_named_with_its_place_in_the_ledger_and_who_told_it() -> None:
    told = h.performed(on="2021-03-09", recorded="2021-04-02", id_="done")
    placed = msgspec.structs.replace(told, position=7, actor="user:li")

    (one,) = explained([*MARCH, placed], question("2021-03-31", "2021-04-01"), question("2021-03-31"))

    event = one[1]["event"]
    assert {name: event[name] for name in ("type", "source", "position", "actor", "recordedat")} == {
        "type": "work_orders.work_performed.v1",
        "source": "/work_orders",
        "position": 7,
        "actor": "user:li",
        "recordedat": "2021-04-02T04:00:00Z",
    }


def test_what_time_made_due_is_explained_by_the_first_day_on_which_it_is_so_and_the_schedule() -> None:
    (one,) = explained(MARCH, question("2021-03-01"), question("2021-03-31"))
    assert explained(MARCH, question("2021-03-01"), question("2021-03-30")) == []

    leg, cause, changes, score = one
    assert (leg, cause["day"], cause["come"], [event["id"] for event in cause["events"]]) == (
        "time", "2021-03-31", True, ["plan"],
    )  # fmt: skip
    assert (changes, score) == (["appeared", "status"], "-5.00")


def test_a_month_without_a_visit_is_explained_by_its_last_day_alone() -> None:
    (one,) = explained([h.system()], question("2021-03-01"), question("2021-04-29"))

    assert (one[1]["day"], one[1]["events"]) == ("2021-03-31", [])


@pytest.mark.parametrize(
    ("indicator", "event", "day"),
    [
        ("quality", h.returned("wo", on="2021-05-04", id_="the-event"), "2021-05-04"),
        ("incidents", h.incident(on="2021-05-04", id_="the-event"), "2021-05-04"),
        ("cost", h.cost("c", "1100.01", on="2021-05-04", id_="the-event"), "2021-05-04"),
        ("satisfaction", h.report(good=1, bad=1, end="2021-05-04", id_="the-event"), "2021-05-04"),
    ],
)
def test_a_dated_event_explains_what_its_day_brought(indicator: str, event: Recorded, day: str) -> None:
    history = [h.baseline(), h.report("before", good=9, end="2021-01-31"), event]

    found = explained(history, question("2021-04-30"), question("2021-05-31"), indicator)

    assert [(cause["day"], [one["id"] for one in cause["events"]]) for _, cause, _, _ in found] == [
        (day, ["the-event"])
    ]


def test_two_returns_in_one_month_of_one_system_are_told_apart() -> None:
    history = [
        h.returned("wo-1", on="2021-05-04", recorded="2021-05-04", id_="first"),
        h.returned("wo-2", on="2021-05-04", recorded="2021-06-04", id_="second"),
    ]

    found = explained(history, question(known_at="2021-05-01"), question(), "quality")

    assert [(cause["event"]["id"], score) for _, cause, _, score in found] == [("first", "-10.00"), ("second", "0.00")]


def test_a_visit_that_was_not_scheduled_then_not_made_and_then_made_is_followed_through() -> None:
    history = [
        h.system(recorded="2021-01-01"),
        h.visit(recorded="2021-02-01", id_="plan"),
        h.performed(on="2021-03-09", id_="done"),
    ]

    found = explained(history, question("2021-03-31", "2021-01-15"), question("2021-03-31"))

    assert [(cause["event"]["id"], changes[:2], score) for _, cause, changes, score in found] == [
        ("plan", ["appeared", "disappeared"], "0.00"),
        ("done", ["disappeared", "actual"], "5.00"),
    ]


def test_a_waiver_is_the_event_that_changed_the_points() -> None:
    history = [*MARCH, h.waiver(recorded="2021-12-30", id_="waived", occurrence_id="v")]

    (one,) = explained(history, question("2021-03-31", "2021-12-29"), question("2021-03-31"))

    assert (one[1]["event"]["id"], one[2], one[3]) == ("waived", ["points", "status"], "5.00")


def test_evidence_that_grew_is_a_difference_too() -> None:
    history = [*MARCH, h.performed(on="2021-03-09", recorded="2021-05-02", id_="too-late")]

    (one,) = explained(history, question("2021-03-31", "2021-05-01"), question("2021-03-31"))

    assert (one[1]["event"]["id"], one[2], one[3]) == ("too-late", ["evidence"], "0.00")


def test_another_rulebook_is_explained_by_what_it_says_differently() -> None:
    softer = replace(
        h.CHENGGONG,
        indicators=[
            replace(
                one,
                rule=replace(one.rule, parameters={**one.rule.parameters, "per_missed_inspection": Decimal("2.00")}),
            )
            if one.id == "hvac"
            else one
            for one in h.CHENGGONG.indicators
        ],
    )

    difference = diff(Facts().extend(MARCH), question("2021-03-31"), question("2021-03-31", rulebook=softer)).as_json()

    (only,) = difference["indicators"]
    (one,) = only["explanations"]
    assert (one["leg"], one["cause"]["differs"]) == (
        "rulebook",
        [{"what": "per_missed_inspection", "first": "5.00", "second": "2.00"}],
    )
    assert [change["what"] for change in one["changes"]] == ["points"]
    assert one["score_change"] == "3.00"


def test_an_indicator_that_only_one_rulebook_has_comes_or_goes_whole() -> None:
    history = [h.budget("450000.00")]

    found = explained(history, question(), question(rulebook=h.MOF), "budget_execution")

    ((leg, cause, changes, score),) = found
    assert (leg, score) == ("rulebook", "5.00")
    assert cause["differs"][0] == {"what": "indicator", "first": None, "second": "budget_execution"}
    assert "score" in changes


def test_knowledge_comes_first_then_time_then_the_rulebook() -> None:
    history = [*MARCH, h.incident(on="2021-02-10", recorded="2021-05-01"), h.incident("j", on="2021-06-10")]

    found = explained(history, question("2021-05-31", "2021-04-30"), question(DAY, rulebook=h.MOF), "incidents")

    assert [leg for leg, *_ in found] == ["knowledge", "time", "rulebook"]


@settings(deadline=None)
@given(history=histories(), asked=questions)
def test_a_question_does_not_differ_from_itself(history: Sequence[Recorded], asked: Question) -> None:
    difference = diff(Facts().extend(history), asked, asked)

    assert not difference
    assert difference.as_json()["indicators"] == []


@settings(deadline=None, max_examples=80)
@given(history=histories(), first=questions, second=questions)
def test_the_explained_changes_of_each_score_sum_up_to_its_difference(
    history: Sequence[Recorded], first: Question, second: Question
) -> None:
    difference = diff(Facts().extend(history), first, second)

    for one in difference.indicators:
        assert one.explanations
        assert sum((step.score_change for step in one.explanations), Decimal(0)) == one.score_change
    assert sum((one.score_change for one in difference.indicators), Decimal(0)) == (
        difference.second.subtotal - difference.first.subtotal
    )


@settings(deadline=None, max_examples=80)
@given(history=histories(), first=questions, second=questions)
def test_every_change_of_a_deduction_is_told_and_leads_from_the_first_answer_to_the_second(
    history: Sequence[Recorded], first: Question, second: Question
) -> None:
    difference = diff(Facts().extend(history), first, second)

    rows = [{one.indicator.id: one.as_json()["deductions"] for one in answer.indicators}
            for answer in (difference.first, difference.second)]  # fmt: skip
    told = {one.id: one.explanations for one in difference.indicators}
    for id_ in {*rows[0], *rows[1]}:
        points = [sum(Decimal(one["points"]) for one in side.get(id_, [])) for side in rows]
        changes = [change for step in told.get(id_, ()) for change in step.changes]
        moved = [one for one in changes if one["what"] in ("appeared", "disappeared", "points")]
        assert points[0] + sum(Decimal(one["after"] or 0) - Decimal(one["before"] or 0) for one in moved) == points[1]
        number = sum({"appeared": 1, "disappeared": -1}.get(one["what"], 0) for one in changes)
        assert len(rows[0].get(id_, [])) + number == len(rows[1].get(id_, []))


@settings(deadline=None, max_examples=80)
@given(history=histories(), asked=questions, known_at=known_ats)
def test_the_event_that_is_named_really_flips_what_it_is_said_to(
    history: Sequence[Recorded], asked: Question, known_at: datetime | None
) -> None:
    difference = diff(Facts().extend(history), asked, replace(asked, known_at=known_at))

    in_order = sorted(history, key=lambda recorded: (recorded.recordedat, recorded.id))
    for one in difference.indicators:
        for step in one.explanations:
            assert step.leg == "knowledge"
            number = [recorded.id for recorded in in_order].index(step.cause["event"]["id"])
            without, with_ = (_deductions(in_order[:count], asked, one.id) for count in (number, number + 1))
            before, after = (without, with_) if step.cause["known"] else (with_, without)
            for change in step.changes:
                _assert_flips(change, before, after)


@settings(deadline=None, max_examples=60)
@given(history=histories(), asked=questions, as_of=as_ofs)
def test_on_the_day_that_is_named_it_is_so_and_on_the_day_before_it_is_not(
    history: Sequence[Recorded], asked: Question, as_of: date
) -> None:
    difference = diff(Facts().extend(history), asked, replace(asked, as_of=as_of))

    for one in difference.indicators:
        for step in one.explanations:
            day = date.fromisoformat(step.cause["day"])
            yesterday, today = (
                _deductions(history, replace(asked, as_of=on), one.id, asked.known_at)
                for on in (day - timedelta(days=1), day)
            )
            before, after = (yesterday, today) if step.cause["come"] else (today, yesterday)
            for change in step.changes:
                _assert_flips(change, before, after)


@settings(deadline=None, max_examples=50)
@given(data=st.data(), history=histories(), first=questions, second=questions)
def test_any_order_and_any_duplicate_gives_the_same_bytes(
    data: st.DataObject, history: Sequence[Recorded], first: Question, second: Question
) -> None:
    repeated = data.draw(st.lists(st.sampled_from(history)))
    shuffled = data.draw(st.permutations([*history, *repeated]))

    in_order = difference_bytes(diff(Facts().extend(history), first, second))

    assert difference_bytes(diff(Facts().extend(shuffled), first, second)) == in_order


@settings(deadline=None, max_examples=50)
@given(history=histories(), first=questions, second=questions)
def test_answers_differ_if_and_only_if_something_is_told(
    history: Sequence[Recorded], first: Question, second: Question
) -> None:
    difference: Difference = diff(Facts().extend(history), first, second)

    rows = [[one.as_json() for one in answer.indicators] for answer in (difference.first, difference.second)]
    assert bool(difference.indicators) == (rows[0] != rows[1])


def _deductions(history: Sequence[Recorded], asked: Question, indicator: str, known_at: Any = None) -> Any:
    """An indicator's row by facts that are built of just these events."""
    result = evaluate(Facts("hall").extend(history), asked.rulebook, asked.as_of, known_at)
    (found,) = (one for one in result.indicators if one.indicator.id == indicator)
    return found.as_json()


def _assert_flips(change: dict[str, Any], before: Any, after: Any) -> None:
    kind = change["what"]
    if kind not in ("appeared", "disappeared", "points", "evidence"):
        assert (before[kind], after[kind]) == (change["before"], change["after"])
        return
    names = ("reason", "period", "occurrence_id", "point_id", "system_id")
    member = "evidence" if kind == "evidence" else "points"
    sides = [
        [one[member] for one in row["deductions"] if all(one[name] == change[name] for name in names)]
        for row in (before, after)
    ]
    if change["before"] is not None:
        assert sides[0].count(change["before"]) > sides[1].count(change["before"])
    if change["after"] is not None:
        assert sides[1].count(change["after"]) > sides[0].count(change["after"])
