"""A year of a hall for the forms: five scored systems, mostly well looked after, and what went wrong in each of them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from services.scoring.facts import Facts
from services.scoring.forms.form import Form, form_of
from services.scoring.questions.difference import Question
from services.scoring.tests import histories as h
from shared.contracts.asset_registry import Point, PointsAdded
from shared.event import Recorded

SCORED = ("gas-suppression", "hvac", "fire-shutters", "lighting", "water")
PERIODS = [f"2021-{month:02}" for month in range(1, 13)]


def visits(system: str, without: Iterable[str] = ()) -> list[Recorded]:
    """A visit a month, due from the 1st to the 20th and made on the 9th, named `system:period`."""
    return [
        told
        for period in PERIODS
        if period not in set(without)
        for told in (due(system, period), h.performed(f"{system}:{period}", f"{period}-09", of=system))
    ]


def due(system: str, period: str, points: Iterable[str] = ()) -> Recorded:
    """One visit that is due."""
    name = f"{system}:{period}"
    return h.visit(name, period=period, start=f"{period}-01", end=f"{period}-20", of=system, points=points)


def hall() -> list[Recorded]:
    """The hall, its systems in commission all year, and what is needed to assess everything."""
    points = tuple(Point(point_id=f"g-{number}", label=f"喷嘴 {number}") for number in range(1, 6))
    return [
        h.facility("Asia/Shanghai"),
        *(h.system(name, "2021-01-01") for name in SCORED),
        h.told(PointsAdded(system_id="gas-suppression", equipment="喷嘴", points=points)),
        h.baseline(),
        h.budget("853801.37"),
        h.report(good=90, bad=10),
    ]


def good_year() -> list[Recorded]:
    """Nothing to deduct."""
    return [*hall(), *(told for name in SCORED for told in visits(name))]


def bad_year() -> list[Recorded]:
    """Missed points in June, a missed and an unscheduled visit of water, a return, an accident, unhappy visitors."""
    june, march, may = "2021-06", "2021-03", "2021-05"
    return [
        *(told for name in SCORED[1:4] for told in visits(name)),
        *visits("gas-suppression", without=[june]),
        due("gas-suppression", june, ["g-1", "g-2", "g-3", "g-4", "g-5"]),
        h.performed(f"gas-suppression:{june}", "2021-06-09", of="gas-suppression"),
        h.inspected("g-5", of=f"gas-suppression:{june}", recorded="2021-06-09"),
        *visits("water", without=[march, may]),
        due("water", march),
        h.returned("wo-9", "2021-11-10"),
        h.accepted("wo-9", "2021-11-12"),
        h.incident(on="2021-08-09"),
        *hall()[:-1],
        h.report(good=80, bad=20),
    ]


def form(
    *history: Recorded,
    rulebook: Any = h.CHENGGONG,
    as_of: str = "2021-12-31",
    known_at: str | None = None,
    simulated: bool = False,
) -> Form:
    """The form of a history."""
    moment = None if known_at is None else h.local(known_at)
    asked = Question(rulebook=rulebook, as_of=date.fromisoformat(as_of), known_at=moment)
    return form_of(Facts().extend(history), asked, simulated=simulated)


def without_project(rulebook: Any) -> Any:
    """A rulebook that does not carry the words of the project."""
    return replace(rulebook, project=None)
