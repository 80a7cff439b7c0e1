"""Random commands against a work order and a table of what domain.md (States) allows: no illegal step is ever taken."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.work_orders.aggregate import WorkOrder
from shared.contracts.work_orders import PointResult, WorkOrderOpened
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
points = st.lists(st.sampled_from(["P-1", "P-2", "P-9"]), max_size=3)
offsets = st.sampled_from([-90000, -1, 0, 0, 0, 1, 3600]).map(lambda seconds: timedelta(seconds=seconds))


class WorkOrderMachine(RuleBasedStateMachine):
    """The model: a state, who it is assigned to, who ever said it was done."""

    @initialize()
    def is_opened(self) -> None:
        """By an occurrence."""
        self.now = datetime(2021, 3, 9, 4, tzinfo=UTC)
        self.order = WorkOrder("wo")
        opened = WorkOrderOpened(
            work_order_id="wo", kind="inspection", system_id="hvac", point_ids=("P-1", "P-2"), priority="normal"
        )
        self.order.open(opened, self.now)
        self.state = "opened"
        self.assignee: str | None = None
        self.doers: set[str] = set()

    @rule(seconds=st.integers(1, 10**6))
    def time_goes_on(self, seconds: int) -> None:
        """So that the past grows."""
        self.now += timedelta(seconds=seconds)

    @rule(who=people)
    def somebody_is_assigned(self, who: str) -> None:
        """Until work begins."""
        if self._try("assign", True, lambda: self.order.assign(who, self.now)):
            self.assignee = who

    @rule(offset=offsets, what=st.sampled_from(["start", "hold", "resume"]))
    def work_starts_rests_or_goes_on(self, offset: timedelta, what: str) -> None:
        """At a time that is no later than now."""
        at, commands = self.now + offset, self._timed()
        self._try(what, at <= self.now, lambda: commands[what](at))

    def _timed(self) -> Mapping[str, Callable[[datetime], None]]:
        return {
            "start": lambda at: self.order.start(at, self.now),
            "hold": lambda at: self.order.hold(at, "等配件", self.now),
            "resume": lambda at: self.order.resume(at, self.now),
        }

    @rule(names=points)
    def points_are_inspected(self, names: list[str]) -> None:
        """Some, each once, all of the order."""
        results = tuple(PointResult(point_id=name, outcome="normal") for name in names)
        right = 0 < len(names) == len(set(names)) and "P-9" not in names
        self._try("inspect", right, lambda: self.order.inspect(results, self.now))

    @rule(offset=offsets, who=people)
    def work_is_performed(self, offset: timedelta, who: str) -> None:
        """By anybody, no later than now."""
        at = self.now + offset
        if self._try("perform", at <= self.now, lambda: self.order.perform(at, who, None, self.now)):
            self.doers.add(who)

    @rule(who=people, what=st.sampled_from(["accept", "return_work"]))
    def work_is_judged(self, who: str, what: str) -> None:
        """By somebody who has not done it and was not to do it."""
        commands: Mapping[str, Callable[[], None]] = {
            "accept": lambda: self.order.accept(who, self.now),
            "return_work": lambda: self.order.return_work(who, "字迹不清", self.now),
        }
        self._try(what, who not in self.doers | {self.assignee}, commands[what])

    @rule(what=st.sampled_from(["close", "cancel"]))
    def it_is_closed_or_cancelled(self, what: str) -> None:
        """Once accepted; before it is performed."""
        self._try(what, True, lambda: getattr(self.order, what)(None, self.now))

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
        assert self._state(again) == self._state(self.order) == (self.state, self.assignee, self.doers)

    @staticmethod
    def _state(order: WorkOrder) -> tuple[Any, ...]:
        return order.status.value, order.assignee, set(order.doers)

    @invariant()
    def what_is_finished_stays_finished(self) -> None:
        """Closed and cancelled orders take no step any more."""
        if self.state in {"closed", "cancelled"}:
            with pytest.raises(Refused):
                self.order.assign("user:li", self.now)
            with pytest.raises(Refused):
                self.order.perform(self.now, "user:li", None, self.now)
            with pytest.raises(Refused):
                self.order.cancel(None, self.now)


TestWorkOrder = WorkOrderMachine.TestCase
TestWorkOrder.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
