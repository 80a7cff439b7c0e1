"""The score if it were frozen today, and what the rest of the month costs if nothing more is done."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.evaluation import evaluate
from services.scoring.facts import Facts
from services.scoring.finding import Deduction, Span, period_of
from services.scoring.questions.at_risk import Outlook, at_risk
from services.scoring.rulebooks.rulebook import Rulebook
from services.scoring.tests import histories as h
from services.scoring.tests.strategies import MOMENTS, histories
from shared.event import Recorded, canonical

WATER = h.visit("w", of="water", end="2021-03-20", points=["W1"], id_="water-plan")
HVAC = h.visit("v", end="2021-03-31", points=["P1", "P2"], id_="hvac-plan")
TWO = [h.system("hvac"), h.system("water"), HVAC, WATER]


def outlook(*history: Recorded, as_of: str, rulebook: Rulebook = h.CHENGGONG, **more: Any) -> dict[str, Any]:
    """The answer of a day, known until noon of it."""
    known_at = h.local(more.pop("known_at", as_of))
    return at_risk(Facts().extend(history), rulebook, date.fromisoformat(as_of), known_at, **more).as_json()


def row(found: dict[str, Any], indicator: str) -> dict[str, Any]:
    """One indicator of an answer."""
    return next(one for one in found["indicators"] if one["id"] == indicator)


def test_visits_that_are_not_made_yet_are_at_risk() -> None:
    found = outlook(*TWO, as_of="2021-03-10")

    assert row(found, "hvac") | {"to_do": None} == {
        "id": "hvac",
        "weight": "5.00",
        "score_now": "5.00",
        "score_then": "0.00",
        "at_risk": "5.00",
        "added": [
            {
                "points": "5.00",
                "reason": "missed_inspection",
                "period": "2021-03",
                "system_id": "hvac",
                "occurrence_id": "v",
                "point_id": None,
                "window_end": "2021-03-31",
                "record_until": "2021-04-05",
            }
        ],
        "still_mendable": [],
        "to_do": None,
    }
    assert found["until"] == "2021-03-31"
    frozen = 5 + 5 + 10 + 15  # hvac, water, quality and incidents; nothing was inspected in January and February
    assert found["if_frozen"]["provisional_total"] == f"{frozen}.00"
    assert found["if_nothing_is_done"]["provisional_total"] == f"{frozen - 5 - 5}.00"


def test_what_is_to_do_is_listed_with_its_days_soonest_first() -> None:
    second = h.visit("u", end="2021-03-25", points=["P1"])

    found = row(outlook(*TWO, second, as_of="2021-03-10"), "hvac")

    assert [(one["occurrence_id"], one["window_end"], one["points_left"]) for one in found["to_do"]] == [
        ("u", "2021-03-25", 1), ("v", "2021-03-31", 2),
    ]  # fmt: skip
    assert [one["occurrence_id"] for one in found["added"]] == ["u", "v"]
    assert found["at_risk"] == "5.00"  # of ten points no more than the weight can be lost


def test_points_without_a_result_in_a_visit_that_was_made_are_named() -> None:
    history = [*TWO, h.performed(on="2021-03-09"), h.inspected("P1", recorded="2021-03-09")]

    found = row(outlook(*history, as_of="2021-03-10"), "hvac")

    assert [(one["performed"], one["points_without_result"]) for one in found["to_do"]] == [(True, ["P2"])]
    assert [(one["reason"], one["point_id"]) for one in found["added"]] == [("missed_point", "P2")]


def test_what_is_done_is_not_at_risk() -> None:
    history = [*TWO, h.performed(on="2021-03-09"), h.inspected("P1", "P2", recorded="2021-03-09")]

    found = row(outlook(*history, as_of="2021-03-10"), "hvac")

    assert (found["at_risk"], found["added"], found["to_do"]) == ("0.00", [], [])


def test_the_months_first_inspection_is_at_risk_until_it_is_made() -> None:
    before, after = (
        row(outlook(*history, as_of="2021-01-10"), "timeliness")
        for history in (TWO, [*TWO, h.performed(on="2021-01-09")])
    )

    assert (before["at_risk"], after["at_risk"]) == ("10.00", "0.00")
    assert [(one["reason"], one["window_end"]) for one in before["added"]] == [
        ("periods_without_inspection", "2021-01-31")
    ]


def test_a_miss_can_be_mended_until_its_backfill_limit() -> None:
    def mendable(known_at: str) -> list[Any]:
        found = row(outlook(*TWO, as_of="2021-03-22", known_at=known_at), "water")
        return [(one["occurrence_id"], one["record_until"]) for one in found["still_mendable"]]

    assert mendable("2021-03-25 23:59") == [("w", "2021-03-25")]
    assert mendable("2021-03-26 00:00") == []


def test_on_the_last_day_of_its_window_a_visit_is_counted_and_can_still_be_made() -> None:
    found = row(outlook(*TWO, as_of="2021-03-20"), "water")

    assert (found["score_now"], found["at_risk"]) == ("0.00", "0.00")
    assert [one["occurrence_id"] for one in found["to_do"]] == ["w"]
    assert [one["window_end"] for one in found["still_mendable"]] == ["2021-03-20"]


def test_a_waived_miss_is_neither_at_risk_nor_to_be_mended() -> None:
    waived = h.waiver(recorded="2021-03-01", occurrence_id="w")

    for as_of in ("2021-03-10", "2021-03-22"):
        found = row(outlook(*TWO, waived, as_of=as_of), "water")
        assert (found["at_risk"], found["added"], found["still_mendable"]) == ("0.00", [], [])


def test_who_asks_may_say_what_day_it_is() -> None:
    found = outlook(*TWO, as_of="2021-03-22", known_at="2021-03-22", today=date(2021, 3, 26))

    assert row(found, "water")["still_mendable"] == []


def test_known_at_is_echoed_as_it_was_asked() -> None:
    found = outlook(*TWO, as_of="2021-03-22", known_at_given="2021-03-22T12:00:00.000+08:00")

    assert found["known_at"] == "2021-03-22T12:00:00.000+08:00"


as_ofs = st.sampled_from(["2021-02-28", "2021-03-15", "2021-03-31", "2021-04-20"]).map(date.fromisoformat)
known_ats = st.none() | st.sampled_from(MOMENTS).map(h.local)


@settings(deadline=None, max_examples=100)
@given(history=histories(), as_of=as_ofs, known_at=known_ats, book=st.sampled_from([h.CHENGGONG, h.MOF]))
def test_no_month_costs_less_than_nothing_nor_more_than_the_weight(
    history: Sequence[Recorded], as_of: date, known_at: datetime | None, book: Rulebook
) -> None:
    found: Outlook = at_risk(Facts().extend(history), book, as_of, known_at)

    month_end = Span(as_of.year, as_of).months[period_of(as_of)]
    then = evaluate(Facts().extend(history), book, month_end, known_at)
    for one, later in zip(found.indicators, then.indicators, strict=True):
        assert Decimal(0) <= one.at_risk <= one.now.indicator.weight
        if one.now.score is not None and later.score is not None:
            assert one.at_risk >= one.now.score - later.score
        told = {_of(deduction) for deduction in [*one.now.deductions, *(threat.deduction for threat in one.added)]}
        assert {_of(deduction) for deduction in later.deductions if deduction.points} <= told


def _of(deduction: Deduction) -> tuple[str | None, ...]:
    names = (deduction.occurrence_id, deduction.point_id, deduction.system_id)
    return deduction.reason, deduction.period, *names


@settings(deadline=None, max_examples=50)
@given(data=st.data(), history=histories(), as_of=as_ofs, known_at=known_ats)
def test_any_order_and_any_duplicate_gives_the_same_bytes(
    data: st.DataObject, history: list[Recorded], as_of: date, known_at: datetime | None
) -> None:
    shuffled = data.draw(st.permutations([*history, *history]))

    in_order, otherwise = (
        canonical(at_risk(Facts().extend(told), h.CHENGGONG, as_of, known_at).as_json()) for told in (history, shuffled)
    )

    assert in_order == otherwise
