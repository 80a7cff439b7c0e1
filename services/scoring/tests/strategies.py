"""Random histories: few names, few days and many ties, so that everything meets everything."""

from collections.abc import Callable
from datetime import date
from typing import Any

from hypothesis import strategies as st

from services.scoring.tests import histories as h
from shared.event import Recorded

MOMENTS = [
    *("2021-02-28 23:59", "2021-03-01 00:00", "2021-03-01 07:59", "2021-03-15", "2021-03-31 23:59", "2021-04-01 00:00"),
    *("2021-04-05 23:59", "2021-04-06 00:00", "2021-04-20", "2020-12-31", "2022-01-01 00:30"),
]
DAYS = sorted({moment[:10] for moment in MOMENTS})
DAYS_OF_THE_YEAR = [day for day in DAYS if day.startswith("2021")]
POINTS = ["P1", "P2", "P3"]

as_ofs = st.sampled_from([*DAYS_OF_THE_YEAR, "2021-12-31"]).map(date.fromisoformat)
known_ats = st.none() | st.sampled_from(MOMENTS).map(h.local)
moments = st.sampled_from(MOMENTS)
days = st.sampled_from(DAYS)
windows = st.lists(st.sampled_from(DAYS_OF_THE_YEAR), min_size=2, max_size=2).map(sorted)
timezones = st.sampled_from(["Asia/Shanghai", "UTC", "America/New_York"])
systems = st.sampled_from(["hvac", "hvac", "water"])
visits = st.sampled_from(["v1", "v2", "v3"])
activities = st.sampled_from(["inspection", "inspection", "inspection", "maintenance"])
points = st.lists(st.sampled_from(POINTS), max_size=3)
outcomes = st.sampled_from(["normal", "fault", "not_applicable"])
notes = st.sampled_from([None, " ", "柜门锁闭"])
names = st.sampled_from(["a", "b"])
amounts = st.sampled_from(["0.00", "99.99", "100.00", "110.00", "110.01", "-5.00"])
counts = st.integers(0, 3)
periods = st.sampled_from(["2021-02", "2021-03", "2021-03", "2021-04"])
kinds = st.sampled_from(["inspection", "corrective", "service"])
categories = st.sampled_from(["fixed_equipment", "service"])
harms = st.sampled_from([(), ("life",), ("life", "property")])
waived = st.one_of(
    st.fixed_dictionaries({"event_id": st.integers(0, 29).map(lambda number: f"e-{number:02}")}),
    st.fixed_dictionaries({"occurrence_id": visits}, optional={"point_id": st.sampled_from(POINTS)}),
    st.fixed_dictionaries({"period": periods}, optional={"system_id": systems}),
)


def _visit(draw: st.DrawFn, **telling: Any) -> Recorded:
    start, end = draw(windows)
    return h.visit(
        draw(visits),
        period=draw(periods),
        start=start,
        end=end,
        points=draw(points),
        of=draw(systems),
        activity=draw(activities),
        **telling,
    )


def _inspected(draw: st.DrawFn, **telling: Any) -> Recorded:
    return h.inspected(*draw(points), of=draw(visits), outcome=draw(outcomes), note=draw(notes), **telling)


def _report(draw: st.DrawFn, **telling: Any) -> Recorded:
    good, bad = draw(counts), draw(counts)
    defaulted, overturned = draw(st.integers(0, good)), draw(st.integers(0, bad))
    return h.report(
        draw(names), good=good, bad=bad, defaulted=defaulted, overturned=overturned, end=draw(days), **telling
    )


KINDS: list[Callable[..., Recorded]] = [
    lambda draw, **t: h.facility(draw(timezones), **t),
    *[lambda draw, **t: h.system(draw(systems), draw(days), **t)] * 2,
    lambda draw, **t: h.decommissioned(draw(systems), draw(days), **t),
    *[_visit] * 4,
    lambda draw, **t: h.withdrawn(draw(visits), **t),
    lambda draw, **t: h.excused(draw(visits), draw(st.none() | points), **t),
    lambda draw, **t: h.opened(draw(st.none() | visits), **t),
    *[lambda draw, **t: h.performed(draw(visits), draw(moments), kind=draw(kinds), **t)] * 3,
    *[_inspected] * 2,
    lambda draw, **t: h.accepted(draw(names), draw(moments), draw(kinds), **t),
    lambda draw, **t: h.returned(draw(names), draw(moments), draw(kinds), **t),
    lambda draw, **t: h.cost(draw(names), draw(amounts), draw(days), draw(categories), **t),
    lambda draw, **t: h.cost_reversed(draw(names), **t),
    lambda draw, **t: h.baseline(draw(amounts), draw(st.sampled_from([2019, 2020])), **t),
    lambda draw, **t: h.incident(draw(names), draw(moments), draw(harms), draw(st.booleans()), **t),
    lambda draw, **t: h.dismissed(draw(names), **t),
    _report,
    lambda draw, **t: h.budget(draw(amounts), draw(amounts), draw(days), draw(st.sampled_from([2020, 2021])), **t),
    *[lambda draw, **t: h.waiver(**draw(waived), **t)] * 2,
]


@st.composite
def histories(draw: st.DrawFn, /) -> list[Recorded]:
    """Up to thirty events; their ids do not rise in the order of recording."""
    numbers = draw(st.permutations(range(draw(st.integers(1, 30)))))
    return [draw(st.sampled_from(KINDS))(draw, recorded=draw(moments), id_=f"e-{number:02}") for number in numbers]
