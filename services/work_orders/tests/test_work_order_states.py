"""Random commands against a work order and a table of what domain.md (States) allows: no illegal step is ever taken."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.work_orders.aggregate import WorkOrder
from services.work_orders.clock_trust import Told
from services.work_orders.findings import Known
from shared.contracts.asset_registry import Expected
from shared.contracts.work_orders import Outcome, PointResult, WorkKind, WorkOrderOpened
from shared.errors import Invalid, Refused, Rejected

BEFORE = {
    "assign": {"opened", "assigned"},
    "start": {"assigned"},
    "hold": {"in_progress"},
    "resume": {"on_hold"},
    "inspect": {"in_progress"},
    "perform": {"in_progress"},
    "accept": {"performed"},
    "return_work": {"performed"},
    "close": {"accepted"},
    "cancel": {"opened", "assigned", "in_progress", "on_hold"},
}
AFTER = {
    "assign": "assigned",
    "start": "in_progress",
    "hold": "on_hold",
    "resume": "in_progress",
    "inspect": "in_progress",
    "perform": "performed",
    "accept": "accepted",
    "return_work": "in_progress",
    "close": "closed",
    "cancel": "cancelled",
}
people = st.sampled_from(["user:li", "user:wang", "user:zhao"])
workers = st.sampled_from(["user:li"] * 4 + ["user:wang"] * 4 + ["user:zhao"])
offsets = st.sampled_from([0] * 8 + [-90000, -1, 1, 3600]).map(lambda seconds: timedelta(seconds=seconds))
captured = st.sampled_from([None, None, None]) | offsets
SHANGHAI = ZoneInfo("Asia/Shanghai")
POINTS = {"P-1", "P-2"}
MARCH = (date(2021, 3, 1), date(2021, 3, 31))
KNOWN = Known(expected={"P-1": Expected(unit="MPa", low=Decimal("3.78"))}, missing_photos={"b" * 64})


def said(point_id: str = "P-1", outcome: Outcome = "normal", **more: Any) -> PointResult:
    """What is said of a point; P-1 has a gauge, P-2 has none."""
    return PointResult(point_id=point_id, outcome=outcome, **more)


SAYABLE = [
    said(),
    said("P-2"),
    said(reading=Decimal("3.78"), unit="MPa"),
    said(outcome="fault", reading=Decimal("3.77"), unit="MPa", fixed_on_site=True),
    said("P-2", reading=Decimal("3.77"), unit="V", photos=("a" * 64,)),
    said("P-2", "not_applicable", note="现场封闭"),
]
UNSAYABLE = [
    said("P-9"),
    said(reading=Decimal("3.77"), unit="MPa"),
    said(reading=Decimal("3.78"), unit="V"),
    said("P-2", reading=Decimal("3.78")),
    said("P-2", unit="V"),
    said("P-2", fixed_on_site=True),
    said("P-2", "not_applicable", note=" "),
    said("P-2", photos=("b" * 64,)),
]
results = st.lists(st.sampled_from(SAYABLE), max_size=2) | st.lists(st.sampled_from(SAYABLE + UNSAYABLE), max_size=3)


def mostly(*steps: str) -> Callable[[Any], Any]:
    """Try one of these steps where it is allowed, and every fifth time wherever; else a run seldom gets far."""
    return precondition(lambda self: self.taken % 5 == 0 or any(self.state in BEFORE[step] for step in steps))


class WorkOrderMachine(RuleBasedStateMachine):
    """The model: a state, who it is assigned to, who ever did some of it, what was looked at, when it last moved on."""

    @initialize(
        kind=st.sampled_from(["inspection", "inspection", "corrective"]),
        march_9=st.sampled_from([-8, 0, 0, 22, 23]).map(lambda days: timedelta(days=days)),
        steps=st.integers(0, 3),
    )
    def is_opened(self, kind: WorkKind, march_9: timedelta, steps: int) -> None:
        """By an occurrence of March, or for a fault; mostly, Li has begun to work, or is done."""
        self.now = datetime(2021, 3, 9, 4, tzinfo=UTC) + march_9
        self.order, self.kind = WorkOrder("wo"), kind
        opens, ends = MARCH if kind == "inspection" else (None, None)
        opened = WorkOrderOpened(
            work_order_id="wo",
            kind=kind,
            system_id="hvac",
            point_ids=("P-1", "P-2"),
            priority="normal",
            window_start=opens,
            window_end=ends,
        )
        self.order.open(opened, self.now)
        self.state, self.taken = "opened", 0
        self.assignee: str | None = None
        self.doers: set[str] = set()
        self.inspected: set[str] = set()
        self.last: datetime | None = None
        begin: Sequence[Callable[[], None]] = (
            lambda: self.somebody_is_assigned("user:li"),
            lambda: self.work_starts_rests_or_goes_on(timedelta(seconds=-90000), "start"),
            lambda: self.work_is_performed(timedelta(), None, "user:li", exactly=True, others=set()),
        )
        for step in begin[:steps]:
            step()

    @rule(seconds=st.integers(1, 10**6))
    def time_goes_on(self, seconds: int) -> None:
        """So that the past grows."""
        self.taken += 1
        self.now += timedelta(seconds=seconds)

    @mostly("assign")
    @rule(who=workers)
    def somebody_is_assigned(self, who: str) -> None:
        """Until work begins."""
        if self._try("assign", True, lambda: self.order.assign(who, self.now)):
            self.assignee = who

    @mostly("start", "hold", "resume")
    @rule(offset=offsets, what=st.sampled_from(["start", "hold", "resume"]))
    def work_starts_rests_or_goes_on(self, offset: timedelta, what: str) -> None:
        """At a time that is no later than now and no earlier than it last moved on."""
        at, commands = self.now + offset, self._timed()
        if self._try(what, self._can_be(at), lambda: commands[what](at)):
            self.last = at

    def _can_be(self, at: datetime, captured_at: datetime | None = None) -> bool:
        return (self.last or at) <= at <= (captured_at or self.now) <= self.now

    def _timed(self) -> Mapping[str, Callable[[datetime], None]]:
        return {
            "start": lambda at: self.order.start(at, self.now),
            "hold": lambda at: self.order.hold(at, "等配件", self.now),
            "resume": lambda at: self.order.resume(at, self.now),
        }

    @mostly("inspect")
    @rule(
        found=results,
        who=workers,
        offset=offsets,
        since=captured,
    )
    def points_are_inspected(
        self, found: list[PointResult], who: str, offset: timedelta, since: timedelta | None
    ) -> None:
        """Some, each once, all of the order, each as it can be said; when, only the clock limits."""
        told, names = self._told(offset, since), [result.point_id for result in found]
        right = 0 < len(names) == len(set(names)) and all(one in SAYABLE for one in found)
        right = right and told.at <= (told.captured_at or self.now) <= self.now
        if self._try("inspect", right, lambda: self.order.inspect(tuple(found), told, who, KNOWN)):
            self.doers.add(who)
            self.inspected.update(names)

    @mostly("perform")
    @rule(
        offset=offsets,
        since=captured,
        who=workers,
        exactly=st.booleans(),
        others=st.sets(st.sampled_from(["P-1", "P-2", "P-9"])),
    )
    def work_is_performed(
        self,
        offset: timedelta,
        since: timedelta | None,
        who: str,
        exactly: bool,
        others: set[str],
    ) -> None:
        """By anybody who names the points left out, no later than now."""
        left_out = POINTS - self.inspected if self.kind == "inspection" else set()
        told, omitted = self._told(offset, since), left_out if exactly else others
        right = omitted == left_out and self._can_be(told.at, told.captured_at)
        if self._try("perform", right, lambda: self._perform(told, who, omitted)):
            self.doers.add(who)
            self.last = told.at

    def _told(self, offset: timedelta, since: timedelta | None) -> Told:
        captured_at = None if since is None else self.now + since
        return Told(at=self.now + offset, now=self.now, captured_at=captured_at)

    def _perform(self, told: Told, who: str, omitted: set[str]) -> None:
        flags = self.order.perform(told, who, omitted=tuple(sorted(omitted)), zone=SHANGHAI)
        done, now = (moment.astimezone(SHANGHAI).date() for moment in (told.at, told.now))
        expected = {"before_window": done < MARCH[0], "after_window": done > MARCH[1], "recorded_late": now > MARCH[1]}
        assert set(flags) == {flag for flag, so in expected.items() if so and self.kind == "inspection"}

    @mostly("accept")
    @rule(who=people, what=st.sampled_from(["accept", "return_work"]))
    def work_is_judged(self, who: str, what: str) -> None:
        """By somebody who has not done it and was not to do it."""
        commands: Mapping[str, Callable[[], None]] = {
            "accept": lambda: self.order.accept(who, self.now),
            "return_work": lambda: self.order.return_work(who, "字迹不清", self.now),
        }
        self._try(what, who not in self.doers | {self.assignee}, commands[what])

    @mostly("close")
    @rule()
    def it_is_closed(self) -> None:
        """Once accepted."""
        self._try("close", True, lambda: self.order.close(None, self.now))

    @rule(patience=st.integers(0, 9))
    def it_is_cancelled(self, patience: int) -> None:
        """Before it is performed; seldom, since little can be tried after that."""
        self.taken += 1
        if patience == 0 or self.state not in BEFORE["cancel"]:
            self._try("cancel", True, lambda: self.order.cancel(None, self.now))

    @rule(point=st.sampled_from(["P-1", "P-9"]), days=st.integers(-2, 2), later=st.integers(-1, 3))
    def equipment_is_replaced(self, point: str, days: int, later: int) -> None:
        """In any state; changes none."""
        requested = self.now.date() + timedelta(days=days)
        replaced = requested + timedelta(days=later)
        today: date = (self.now + timedelta(hours=14)).date()
        right = point == "P-1" and later >= 0 and replaced <= today
        self._take(right, lambda: self.order.replace_equipment(point, requested, replaced, self.now))

    def _try(self, what: str, right: bool, command: Callable[[], None]) -> bool:
        legal = right and self.state in BEFORE[what]
        self._take(legal, command)
        if legal:
            self.state = AFTER[what]
        return legal

    def _take(self, legal: bool, command: Callable[[], None]) -> None:
        self.taken += 1
        before = len(self.order.new_events)
        if legal:
            command()
        else:
            with pytest.raises((Rejected, Invalid)):
                command()
        assert len(self.order.new_events) == before + legal

    @invariant()
    def stands_as_the_model_says_and_as_its_replay(self) -> None:
        """The live state, the model and the replayed state are one."""
        again = WorkOrder.replay("wo", [event for event, _ in self.order.new_events])
        model = (self.state, self.assignee, self.doers, self.inspected, self.last)
        assert self._state(again) == self._state(self.order) == model

    @staticmethod
    def _state(order: WorkOrder) -> tuple[Any, ...]:
        return order.status.value, order.assignee, order.doers, order.inspected, order.last_at

    @invariant()
    def what_is_finished_stays_finished(self) -> None:
        """Closed and cancelled orders take no step any more."""
        if self.state in {"closed", "cancelled"}:
            with pytest.raises(Refused):
                self.order.assign("user:li", self.now)
            with pytest.raises(Refused):
                self.order.perform(Told(at=self.now, now=self.now), "user:li", omitted=("P-1", "P-2"))
            with pytest.raises(Refused):
                self.order.cancel(None, self.now)


TestWorkOrder = WorkOrderMachine.TestCase
TestWorkOrder.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
