"""The rules of occurrences."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.scheduling.aggregate import Occurrence, Status
from services.scheduling.recurrence import Due
from services.scheduling.tests.plans import item
from shared.contracts.scheduling import (
    OccurrenceExcused,
    OccurrenceMissed,
    OccurrenceOverdue,
    OccurrencePerformed,
    OccurrenceScheduled,
    OccurrenceWithdrawn,
)
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Event

ZONE = ZoneInfo("Asia/Shanghai")
MARCH = OccurrenceScheduled(
    occurrence_id="i:2021-03:1",
    plan_item_id="i",
    system_id="hvac",
    activity="inspection",
    period="2021-03",
    window_start=date(2021, 3, 10),
    window_end=date(2021, 3, 20),
    point_ids=("P-1", "P-2"),
)
NOTICE: Any = {"occurrence_id": MARCH.occurrence_id, "system_id": "hvac", "period": "2021-03"}
OVERDUE = OccurrenceOverdue(**NOTICE)


def local(text: str) -> datetime:
    """A local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


MISSED = OccurrenceMissed(**NOTICE, closed_at=local("2021-03-26"))
PERFORMED = OccurrencePerformed(
    occurrence_id=MARCH.occurrence_id, work_order_id="wo", performed_at=local("2021-03-15 09:00")
)
WITHDRAWN = OccurrenceWithdrawn(occurrence_id=MARCH.occurrence_id, reason="停用")


def march(*past: Event) -> Occurrence:
    """The visit of March, with a past."""
    return Occurrence.replay(MARCH.occurrence_id, [MARCH, *past])


def test_it_is_made_for_the_points_of_its_system() -> None:
    occurrence = Occurrence("i:2021-03:1")
    visit = Due(
        occurrence_id="i:2021-03:1",
        item=item("FREQ=MONTHLY"),
        period="2021-03",
        window_start=date(2021, 3, 10),
        window_end=date(2021, 3, 20),
    )

    occurrence.schedule(visit, ("P-1", "P-2"), local("2021-02-01"))

    assert occurrence.new_events == [(MARCH, local("2021-02-01"))]


@pytest.mark.parametrize("moment", ["2021-03-10 00:00", "2021-03-20 23:59:59.999999"])
def test_work_in_its_window_performs_it(moment: str) -> None:
    occurrence = march()

    occurrence.perform("wo", local(moment), local("2021-03-25 23:59"), ZONE)

    assert occurrence.status is Status.PERFORMED
    ((event, at),) = occurrence.new_events
    assert event == OccurrencePerformed(
        occurrence_id=MARCH.occurrence_id, work_order_id="wo", performed_at=local(moment)
    )
    assert at == local("2021-03-25 23:59")


@pytest.mark.parametrize(
    ("performed_at", "recorded_at"),
    [
        ("2021-03-09 23:59:59.999999", "2021-03-12"),
        ("2021-03-21 00:00", "2021-03-21"),
        ("2021-03-15 09:00", "2021-03-26 00:00"),
    ],
)
def test_work_outside_its_window_or_recorded_late_changes_nothing(performed_at: str, recorded_at: str) -> None:
    for occurrence in (march(), march(OVERDUE)):
        occurrence.perform("wo", local(performed_at), local(recorded_at), ZONE)

        assert occurrence.new_events == []


def test_the_local_date_of_the_facility_decides() -> None:
    occurrence = march()

    occurrence.perform("wo", datetime.fromisoformat("2021-03-09T16:00:00Z"), local("2021-03-12"), ZONE)

    assert occurrence.status is Status.PERFORMED


def test_overdue_work_may_still_be_recorded_and_is_performed_then() -> None:
    occurrence = march(OVERDUE)

    occurrence.perform("wo", local("2021-03-15 09:00"), local("2021-03-25 23:59"), ZONE)

    assert occurrence.status is Status.PERFORMED


@pytest.mark.parametrize("past", [(PERFORMED,), (OVERDUE, MISSED), (WITHDRAWN,)])
def test_work_for_one_that_is_settled_changes_nothing(past: tuple[Event, ...]) -> None:
    occurrence = march(*past)

    occurrence.perform("wo-2", local("2021-03-15 09:00"), local("2021-03-16"), ZONE)

    assert occurrence.new_events == []


def test_the_clock_says_overdue_the_day_after_its_window_and_missed_once_nothing_can_be_recorded_in_time() -> None:
    occurrence = march()

    for day in ("2021-03-20", "2021-03-21", "2021-03-25", "2021-03-26", "2021-05-01"):
        occurrence.pass_time(date.fromisoformat(day), ZONE)

    assert occurrence.new_events == [(OVERDUE, local("2021-03-21")), (MISSED, local("2021-03-26"))]


def test_after_downtime_it_is_overdue_and_missed_in_order_dated_when_it_became_so() -> None:
    occurrence = march()

    occurrence.pass_time(date(2022, 1, 1), ZONE)

    assert occurrence.new_events == [(OVERDUE, local("2021-03-21")), (MISSED, local("2021-03-26"))]


@pytest.mark.parametrize("past", [(PERFORMED,), (OVERDUE, PERFORMED), (WITHDRAWN,)])
def test_one_that_was_performed_or_withdrawn_never_becomes_missed(past: tuple[Event, ...]) -> None:
    occurrence = march(*past)

    occurrence.pass_time(date(2022, 1, 1), ZONE)

    assert occurrence.new_events == []


@pytest.mark.parametrize("points", [None, (), ("P-2",)])
def test_a_miss_or_points_of_it_are_excused_and_stay_on_record(points: tuple[str, ...] | None) -> None:
    occurrence = march(OVERDUE, MISSED)

    occurrence.excuse(points, "停电", "user:chen", local("2021-04-01"))

    expected = OccurrenceExcused(
        occurrence_id=MARCH.occurrence_id, point_ids=points or None, reason="停电", approved_by="user:chen"
    )
    assert occurrence.new_events == [(expected, local("2021-04-01"))]
    assert occurrence.status is Status.MISSED


def test_points_that_are_not_its_own_are_not_excused() -> None:
    occurrence = march()

    with pytest.raises(Invalid, match="not of this occurrence: P-8, P-9"):
        occurrence.excuse(("P-9", "P-1", "P-8"), "停电", "user:chen", local("2021-04-01"))

    assert occurrence.new_events == []


def test_a_withdrawn_one_is_not_excused() -> None:
    occurrence = march(WITHDRAWN)

    with pytest.raises(Rejected, match="needs no excuse"):
        occurrence.excuse(None, "停电", "user:chen", local("2021-04-01"))

    assert occurrence.new_events == []


def test_it_is_withdrawn_until_its_window_is_over() -> None:
    occurrence = march()

    occurrence.withdraw("停用", date(2021, 3, 20), local("2021-03-20 12:00"))

    assert occurrence.new_events == [(WITHDRAWN, local("2021-03-20 12:00"))]


@pytest.mark.parametrize(
    ("past", "today"),
    [
        ((), date(2021, 3, 21)),
        ((PERFORMED,), date(2021, 3, 15)),
        ((WITHDRAWN,), date(2021, 3, 15)),
        ((OVERDUE,), date(2021, 3, 22)),
        ((OVERDUE, MISSED), date(2021, 4, 1)),
    ],
)
def test_it_is_not_withdrawn_after_its_window_nor_once_it_is_settled(past: tuple[Event, ...], today: date) -> None:
    occurrence = march(*past)

    with pytest.raises(Rejected, match="can be withdrawn while it is planned"):
        occurrence.withdraw("停用", today, local("2021-04-01"))

    assert occurrence.new_events == []


def test_a_performed_one_is_excused_for_points_only() -> None:
    occurrence = march(PERFORMED)

    for points in (None, ()):
        with pytest.raises(Rejected, match="unless for points of it"):
            occurrence.excuse(points, "停电", "user:chen", local("2021-04-01"))
    occurrence.excuse(("P-2",), "封闭施工", "user:chen", local("2021-04-01"))

    assert [type(event) for event, _ in occurrence.new_events] == [OccurrenceExcused]


@pytest.mark.parametrize("points", [None, ("P-2",)])
def test_it_is_never_excused_by_who_should_have_done_it(points: tuple[str, ...] | None) -> None:
    occurrence = Occurrence.replay(MARCH.occurrence_id, [replace(MARCH, assignee="user:li"), OVERDUE, MISSED])

    for by in ("user:li", "user:wang"):
        with pytest.raises(Rejected, match=f"someone other than who should have done it, not {by}"):
            occurrence.excuse(points, "停电", by, local("2021-04-01"), doers={"user:wang"})
    assert occurrence.new_events == []
    occurrence.excuse(points, "停电", "user:chen", local("2021-04-01"), doers={"user:wang"})

    assert len(occurrence.new_events) == 1


def test_a_withdrawal_says_what_it_follows_from() -> None:
    occurrence = march()

    occurrence.withdraw("计划变更", date(2021, 3, 1), local("2021-03-01"), "plan")

    ((event, _),) = occurrence.new_events
    assert event == OccurrenceWithdrawn(occurrence_id=MARCH.occurrence_id, reason="计划变更", because="plan")


def test_one_that_was_never_made_is_not_found() -> None:
    with pytest.raises(NotFound, match="no occurrence i:2021-04:1"):
        Occurrence("i:2021-04:1").excuse(None, "停电", "user:chen", local("2021-04-01"))


class OccurrenceMachine(RuleBasedStateMachine):
    """Random commands on random days; the model knows what each may do, by the words of domain.md."""

    @initialize()
    def is_made(self) -> None:
        """Before its window."""
        self.occurrence = self._replayed([])
        self.status = "planned"
        self.now = local("2021-03-01")

    @rule(hours=st.integers(1, 24 * 12))
    def time_goes_on(self, hours: int) -> None:
        """Nobody looks at the clock."""
        self.now += timedelta(hours=hours)

    @rule()
    def the_clock_is_looked_at(self) -> None:
        """Overdue from the 21st on, missed from the 26th on."""
        self.occurrence.pass_time(self.now.date(), ZONE)
        if self.status in {"planned", "overdue"} and self.now >= local("2021-03-21"):
            self.status = "missed" if self.now >= local("2021-03-26") else "overdue"

    @rule(ago=st.integers(0, 24 * 20))
    def work_is_reported(self, ago: int) -> None:
        """It counts in its window and in time."""
        performed_at = self.now - timedelta(hours=ago)
        in_window = local("2021-03-10") <= performed_at < local("2021-03-21")
        in_time = self.now < local("2021-03-26")
        self.occurrence.perform("wo", performed_at, self.now, ZONE)
        if in_window and in_time and self.status in {"planned", "overdue"}:
            self.status = "performed"

    @rule(
        points=st.none() | st.lists(st.sampled_from(["P-1", "P-2", "P-3"]), max_size=3).map(tuple),
        by=st.sampled_from(["user:chen", "user:li", "user:wang"]),
    )
    def is_excused(self, points: tuple[str, ...] | None, by: str) -> None:
        """Any but a withdrawn one, by its own points, and those only once performed; never by its doers."""
        allowed = self.status != "withdrawn" and "P-3" not in (points or ()) and by == "user:chen"
        allowed = allowed and (self.status != "performed" or bool(points))
        self._try(allowed, lambda: self.occurrence.excuse(points, "停电", by, self.now, {"user:wang"}))

    @rule()
    def is_withdrawn(self) -> None:
        """While planned and until its window is over."""
        allowed = self.status == "planned" and self.now < local("2021-03-21")
        self._try(allowed, lambda: self.occurrence.withdraw("停用", self.now.date(), self.now))
        if allowed:
            self.status = "withdrawn"

    @staticmethod
    def _replayed(events: list[Event]) -> Occurrence:
        return Occurrence.replay(MARCH.occurrence_id, [replace(MARCH, assignee="user:li"), *events])

    def _try(self, allowed: bool, command: Callable[[], None]) -> None:
        before = len(self.occurrence.new_events)
        if allowed:
            command()
            assert len(self.occurrence.new_events) == before + 1
        else:
            with pytest.raises((Rejected, Invalid)):
                command()
            assert len(self.occurrence.new_events) == before

    @invariant()
    def stands_as_the_model_says_and_as_its_replay(self) -> None:
        """The live state, the model and the replayed state are one."""
        events = [event for event, _ in self.occurrence.new_events]
        assert self.occurrence.status == self.status
        assert self._replayed(events).status == self.status
        kinds = [type(event) for event in events if not isinstance(event, OccurrenceExcused)]
        assert kinds in (
            [],
            [OccurrencePerformed],
            [OccurrenceWithdrawn],
            [OccurrenceOverdue],
            [OccurrenceOverdue, OccurrencePerformed],
            [OccurrenceOverdue, OccurrenceMissed],
        )


TestOccurrence = OccurrenceMachine.TestCase
TestOccurrence.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
