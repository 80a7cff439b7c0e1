"""Whenever the clock was looked at and whenever it was not: the same facts."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scheduling.recurrence import Term, due
from services.scheduling.service import Scheduling
from services.scheduling.tests.office import Office, local
from services.scheduling.tests.plans import item
from services.scheduling.workdays import is_workday
from shared.contracts.scheduling import OccurrenceMissed, OccurrenceOverdue, OccurrenceScheduled, PlanItem
from shared.event import Event
from shared.tests.alone import alone

BEGIN, END = local("2020-12-20 08:00"), local("2021-06-30 20:00")
DUTIES = st.sampled_from([
    item("FREQ=MONTHLY;BYMONTHDAY=1"),
    item("FREQ=DAILY;INTERVAL=15", window_days=15),
    item("FREQ=MONTHLY;BYDAY=1SA", "move", window_days=10),
    item("FREQ=MONTHLY;BYMONTHDAY=1,15", "skip", window_days=20),
    item("FREQ=YEARLY;BYMONTH=1,4;BYMONTHDAY=1", window_days=90),
])  # fmt: skip

moments = st.integers(0, int((END - BEGIN).total_seconds()) // 3600).map(lambda hours: BEGIN + timedelta(hours=hours))


def _retire(office: Office) -> None:
    office.retire_points("P-1")


def _add(office: Office) -> None:
    office.add_points("P-3")


def _decommission(office: Office) -> None:
    office.decommission("2021-04-10")


def _change(office: Office) -> None:
    tomorrow = office.alone.ledger.clock.now() + timedelta(days=2)
    change = {"plan_id": "p", "plan_item_id": "i", "effective_on": f"{tomorrow:%Y-%m-%d}", "reason": "改期"}
    office.alone.ask("change_plan_item", **change, rrule="FREQ=WEEKLY;BYDAY=TU", window_days=7)


def _work(office: Office) -> None:
    office.perform("i:2021-01:1", f"{office.alone.ledger.clock.now():%Y-%m-%d %H:%M:%S}")


def _work_before(office: Office) -> None:
    earlier = office.alone.ledger.clock.now() + timedelta(hours=8) - timedelta(days=4)
    office.perform("j:2021-01:1", f"{earlier:%Y-%m-%d %H:%M:%S}")


WHAT_HAPPENS = {
    "a point is retired": _retire,
    "a point is added": _add,
    "the system is decommissioned": _decommission,
    "the plan is changed": _change,
    "work is done": _work,
    "work of some days ago is reported": _work_before,
}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office that goes through many histories, each in a hall of its own."""
    folder = tmp_path_factory.mktemp("downtime")
    with alone(Scheduling, f"sqlite:///{folder / 'alone.db'}", folder) as service:
        yield Office(service)


def facts_of(
    office: Office, duties: list[PlanItem], happens: Mapping[str, datetime], looks: list[datetime]
) -> set[Any]:
    """What is recorded in the end when this happens and the clock is looked at then; with times where the clock judges."""
    office.open(f"{BEGIN:%Y-%m-%d %H:%M}")
    office.adopt(*duties)
    steps = sorted([*((at, name) for name, at in happens.items()), *((at, "") for at in looks), (END, "")])
    for at, name in steps:
        office.alone.set_time(at)
        if name:
            WHAT_HAPPENS[name](office)
        else:
            office.look()
    return {_fact(one.event, one.time) for one in office.alone.recorded()}


def _fact(event: Event, time: datetime) -> tuple[str, Any, datetime | None]:
    judged = isinstance(event, OccurrenceOverdue | OccurrenceMissed)
    return event.event_name, repr(event), time if judged else None


@settings(max_examples=25, deadline=None)
@given(
    duties=st.tuples(DUTIES, DUTIES).map(lambda two: [two[0], replace(two[1], plan_item_id="j")]),
    happens=st.dictionaries(st.sampled_from(sorted(WHAT_HAPPENS)), moments, max_size=4),
    looks=st.lists(moments, max_size=5),
)
def test_the_facts_are_the_same_after_any_sequence_of_downtimes(
    office: Office, duties: list[PlanItem], happens: dict[str, datetime], looks: list[datetime]
) -> None:
    at_the_end = facts_of(office, duties, happens, [])

    now_and_then = facts_of(office, duties, happens, looks)

    assert now_and_then == at_the_end


@settings(max_examples=15, deadline=None)
@given(duty=DUTIES, looks=st.lists(moments, max_size=5))
def test_every_visit_that_is_due_is_made_just_once_and_judged(
    office: Office, duty: PlanItem, looks: list[datetime]
) -> None:
    facts_of(office, [duty], {}, looks)

    terms = [Term(effective_on=BEGIN.date(), item=duty)]
    horizon = END.date() + timedelta(days=45)
    expected = [visit for visit in due(terms, 2021, is_workday) if visit.window_start <= horizon]
    made = office.alone.events(OccurrenceScheduled)
    assert [event.occurrence_id for event in made] == [visit.occurrence_id for visit in expected]
    over = {visit.occurrence_id for visit in expected if visit.window_end < END.date() - timedelta(days=5)}
    assert {event.occurrence_id for event in office.alone.events(OccurrenceMissed)} == over
