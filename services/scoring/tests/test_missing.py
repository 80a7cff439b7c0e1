"""What is missing before a year is signed: each thing under a code, and nothing that was merely missed."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.evaluation import evaluate
from services.scoring.facts import Facts
from services.scoring.questions.missing import missing
from services.scoring.rulebooks.rulebook import Rulebook
from services.scoring.tests import histories as h
from services.scoring.tests.strategies import MOMENTS, histories
from shared.contracts.work_orders import IncidentReported, WorkOrderCancelled
from shared.event import Recorded

YEAR_END = date(2021, 12, 31)
SYSTEMS = ["gas-suppression", "hvac", "fire-shutters", "lighting", "water"]
COMPLETE = [
    *(h.system(name, "2021-12-01") for name in SYSTEMS),
    h.baseline(),
    h.budget("900000.00"),
    h.report(good=9, bad=1, end="2021-12-31"),
]
"""All that a year needs in which every system came into commission in December, and no visit was scheduled."""


def codes(
    *history: Recorded, as_of: date = YEAR_END, known_at: str | None = "2022-03-01", rulebook: Rulebook = h.CHENGGONG
) -> list[str]:
    """The codes of all that is missing."""
    moment = None if known_at is None else h.local(known_at)
    return [one.code for one in missing(Facts().extend(history), rulebook, as_of, moment)]


def test_of_nothing_everything_is_missing() -> None:
    assert codes(h.facility("Asia/Shanghai")) == [
        "no_budget",
        *(f"not_registered:{name}" for name in SYSTEMS),
        "no_baseline",
        *(f"no_ratings:2021-{month:02}" for month in range(1, 13)),
    ]


def test_of_a_complete_year_nothing_is_missing_whatever_was_missed() -> None:
    assert codes(*COMPLETE) == []
    missed = 5 * len(SYSTEMS) + 10  # no visit scheduled in December, and no inspection in any month
    assert evaluate(Facts().extend(COMPLETE), h.CHENGGONG, YEAR_END).total == 100 - missed


@pytest.mark.parametrize("lacking", range(len(COMPLETE)))
def test_each_thing_left_out_is_missing(lacking: int) -> None:
    expected = [*(f"not_registered:{name}" for name in SYSTEMS), "no_baseline", "no_budget", None][lacking]

    found = codes(*COMPLETE[:lacking], *COMPLETE[lacking + 1 :])

    if expected is None:
        assert found == [f"no_ratings:2021-{month:02}" for month in range(1, 13)]
    else:
        assert found == [expected]


def test_before_its_last_day_the_year_is_not_over() -> None:
    budget = h.budget("1.00", as_of="2021-01-01")

    assert codes(*COMPLETE, budget, as_of=date(2021, 12, 30)) == [
        "not_over", *(f"no_ratings:2021-{month:02}" for month in range(1, 12)),
    ]  # fmt: skip


def test_a_budget_that_stood_before_the_years_end_is_none_at_its_end() -> None:
    earlier = [h.budget("1.00", as_of="2021-12-30") if "budget" in one.type else one for one in COMPLETE]

    assert codes(*earlier) == ["no_budget"]


def test_a_month_is_covered_if_reports_cover_each_of_its_days() -> None:
    (covering,) = [one for one in COMPLETE if "satisfaction" in one.type]
    rest = [one for one in COMPLETE if one is not covering]

    assert codes(*rest, h.report(good=1, end="2021-12-30")) == ["no_ratings:2021-12"]
    assert codes(*rest, h.report("a", good=1, end="2021-12-30"), h.report("b", good=1, end="2021-12-31")) == []


def test_reports_of_no_ratings_leave_the_indicator_without_any() -> None:
    rest = [one for one in COMPLETE if "satisfaction" not in one.type]

    assert codes(*rest, h.report(end="2021-12-31")) == ["not_assessable:satisfaction"]


DECEMBER = h.visit(period="2021-12", start="2021-12-01", end="2021-12-20", points=["P1"])
DONE = h.performed(on="2021-12-03")


@pytest.mark.parametrize(
    ("known_at", "then", "is_open"),
    [
        ("2021-12-25 23:59", [], True),
        ("2021-12-26 00:00", [], False),
        ("2021-12-25", [DONE], True),  # P1 has no result yet
        ("2021-12-25", [DONE, h.inspected("P1", recorded="2021-12-03")], False),
        ("2021-12-25", [h.excused(recorded="2021-12-21")], False),
        ("2021-12-25", [h.withdrawn(recorded="2021-12-01")], False),
    ],
)
def test_a_window_is_open_until_nothing_recorded_in_time_could_change_it(
    known_at: str, then: Sequence[Recorded], is_open: bool
) -> None:
    found = codes(*COMPLETE, DECEMBER, *then, known_at=known_at)

    assert ("window_open:v" in found) == is_open


def test_a_visit_that_is_not_judged_yet_is_open_even_if_it_is_done() -> None:
    history = [*COMPLETE, DECEMBER, DONE, h.inspected("P1", recorded="2021-12-03")]

    assert "window_open:v" in codes(*history, as_of=date(2021, 12, 19))
    assert "window_open:v" not in codes(*history, as_of=date(2021, 12, 20))


def test_without_a_moment_it_is_the_day_of_the_newest_event() -> None:
    assert "window_open:v" not in codes(*COMPLETE, DECEMBER, known_at=None)  # as_of is later than the limit

    late = h.visit(period="2021-12", start="2021-12-01", end="2021-12-31")
    assert "window_open:v" in codes(*COMPLETE, late, known_at=None)
    assert "window_open:v" not in codes(*COMPLETE, late, h.accepted("x", recorded="2022-01-06"), known_at=None)


def test_performed_work_waits_for_its_verdict() -> None:
    done = h.performed(None, on="2021-05-03", kind="corrective")
    accepted, returned = (verdict("wo", on="2021-05-04", kind="corrective") for verdict in (h.accepted, h.returned))
    again = h.performed(None, on="2021-05-05", kind="corrective")
    cancelled = h.told(WorkOrderCancelled(work_order_id="wo"), "2021-05-04")

    assert codes(*COMPLETE, done) == ["no_verdict:wo"]
    assert codes(*COMPLETE, done, accepted) == codes(*COMPLETE, done, returned) == []
    assert codes(*COMPLETE, done, returned, again) == ["no_verdict:wo"]
    assert codes(*COMPLETE, done, cancelled) == []
    assert codes(*COMPLETE, h.performed(None, on="2021-05-03", kind="service")) == []
    assert codes(*COMPLETE, h.performed(None, on="2020-12-31", kind="corrective")) == []


def test_a_reported_incident_waits_for_a_decision() -> None:
    def reported(on: str = "2021-06-10") -> Recorded:
        return h.told(
            IncidentReported(incident_id="i", occurred_at=h.local(on), description="滑倒", reported_by="user:li")
        )

    assert codes(*COMPLETE, reported()) == ["incident_undecided:i"]
    assert codes(*COMPLETE, reported(), h.incident()) == codes(*COMPLETE, reported(), h.dismissed()) == []
    assert codes(*COMPLETE, reported("2020-06-10")) == []


def test_what_was_not_known_then_is_missing() -> None:
    late = h.system("hvac", "2021-12-01", recorded="2022-02-01")
    history = [one for one in COMPLETE if getattr(one.event, "system_id", "") != "hvac"]

    assert codes(*history, late, known_at="2022-01-31") == ["not_registered:hvac"]
    assert codes(*history, late, known_at="2022-02-02") == []


as_ofs = st.sampled_from(["2021-02-28", "2021-03-15", "2021-04-20", "2021-12-31"]).map(date.fromisoformat)
known_ats = st.none() | st.sampled_from(MOMENTS).map(h.local)


@settings(deadline=None, max_examples=80)
@given(
    data=st.data(), history=histories(), as_of=as_ofs, known_at=known_ats, book=st.sampled_from([h.CHENGGONG, h.MOF])
)
def test_any_order_gives_the_same_list_and_what_cannot_be_assessed_is_missing(
    data: st.DataObject, history: list[Recorded], as_of: date, known_at: Any, book: Rulebook
) -> None:
    shuffled = data.draw(st.permutations([*history, *history]))

    found = missing(Facts().extend(history), book, as_of, known_at)

    assert missing(Facts().extend(shuffled), book, as_of, known_at) == found
    assert len({one.code for one in found}) == len(found)
    assert all(re.fullmatch(r"[A-Za-z0-9._:-]{1,200}", one.code) for one in found)
    if evaluate(Facts().extend(history), book, as_of, known_at).total is None:
        assert found


@settings(deadline=None, max_examples=100)
@given(
    history=histories(),
    now=st.sampled_from(["2021-03-16", "2021-04-03", "2021-04-06", "2021-04-21"]).map(h.local),
    on=st.sampled_from(["2021-03-01", "2021-03-15", "2021-03-31"]),
)
def test_what_is_told_of_a_visit_that_is_not_open_any_more_changes_no_miss(
    history: list[Recorded], now: datetime, on: str
) -> None:
    known = [recorded for recorded in history if recorded.recordedat <= now]
    told_now = now.strftime("%Y-%m-%d")
    late = [h.performed("v1", on, recorded=told_now), h.inspected("P1", "P2", "P3", of="v1", recorded=told_now)]
    is_open = any(one.code == "window_open:v1" for one in missing(Facts().extend(known), h.CHENGGONG, now.date(), now))

    before, after = (
        [
            (one.reason, one.period, one.occurrence_id, one.point_id, one.points)
            for row in evaluate(Facts("hall").extend(told), h.CHENGGONG, now.date()).indicators[:5]
            for one in row.deductions
        ]
        for told in (known, [*known, *late])
    )

    assert is_open or before == after
