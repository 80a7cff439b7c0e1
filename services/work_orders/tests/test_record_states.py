"""Random commands against requests, costs and incidents and a table of what is allowed: no illegal step is ever taken."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.work_orders.records import Cost, Incident, WorkRequest
from shared.aggregate import Aggregate
from shared.contracts.work_orders import CostRecorded, IncidentConfirmed, IncidentReported, WorkRequested
from shared.errors import Refused

NOW = datetime(2021, 3, 9, 4, tzinfo=UTC)
people = st.sampled_from(["user:li", "user:zhao"])
offsets = st.sampled_from([-3600, 0, 1]).map(lambda seconds: timedelta(seconds=seconds))


class _Machine(RuleBasedStateMachine):
    """The model: a state and who began."""

    subject: Aggregate

    @initialize()
    def is_nothing(self) -> None:
        """Before the first word."""
        self.state = "none"
        self.began = ""
        self.subject = self.fresh()

    def fresh(self) -> Aggregate:
        """One without a past."""
        raise NotImplementedError

    def take(self, legal: bool, command: Callable[[], None], state: str) -> bool:
        """One more event and the next state where it is legal; else a refusal and nothing."""
        before = len(self.subject.new_events)
        if legal:
            command()
            self.state = state
        else:
            with pytest.raises(Refused):
                command()
        assert len(self.subject.new_events) == before + legal
        return legal

    @invariant()
    def stands_as_its_replay(self) -> None:
        """The live state and the replayed state are one."""
        events = [event for event, _ in self.subject.new_events]
        again = vars(type(self.subject).replay(self.subject.id, events))
        assert {**again, "version": 0, "new_events": []} == {**vars(self.subject), "version": 0, "new_events": []}


class RequestMachine(_Machine):
    """reported → approved | rejected."""

    subject: WorkRequest

    def fresh(self) -> WorkRequest:
        """A request."""
        return WorkRequest("r")

    @rule(who=people)
    def somebody_asks(self, who: str) -> None:
        """Once."""
        request = WorkRequested(request_id="r", description="灯不亮", requested_by=who)
        if self.take(self.state == "none", lambda: self.subject.make(request, NOW), "reported"):
            self.began = who

    @rule(who=people)
    def somebody_approves(self, who: str) -> None:
        """Somebody else."""
        legal = self.state == "reported" and who != self.began
        self.take(legal, lambda: self.subject.approve(who, "w", NOW), "approved")

    @rule()
    def it_is_rejected(self) -> None:
        """By anybody."""
        self.take(self.state == "reported", lambda: self.subject.reject("已修", NOW), "rejected")

    @invariant()
    def is_as_the_model_says(self) -> None:
        """Whatever was tried."""
        assert self.state in {"none", self.subject.status}


class CostMachine(_Machine):
    """booked → reversed."""

    subject: Cost

    def fresh(self) -> Cost:
        """A cost."""
        return Cost("c")

    @rule(fen=st.integers(-1, 2), days=st.integers(-1, 1))
    def money_is_spent(self, fen: int, days: int) -> None:
        """Not less than nothing, on a day that has begun: NOW is noon in Beijing and the evening of the day in Kiribati."""
        cost = CostRecorded(
            cost_id="c",
            amount=Decimal(fen).scaleb(-2),
            category="other",
            incurred_on=date(2021, 3, 9) + timedelta(days=days),
        )
        self.take(self.state == "none" and fen >= 0 and days <= 0, lambda: self.subject.book(cost, NOW), "booked")

    @rule()
    def it_is_taken_back(self) -> None:
        """Once."""
        self.take(self.state == "booked", lambda: self.subject.reverse("误记", NOW), "reversed")

    @invariant()
    def is_as_the_model_says(self) -> None:
        """Whatever was tried."""
        assert self.subject.reversed == (self.state == "reversed")


class IncidentMachine(_Machine):
    """reported → confirmed (again and again) → dismissed."""

    subject: Incident

    def fresh(self) -> Incident:
        """An incident."""
        return Incident("i")

    @rule(who=people, offset=offsets)
    def somebody_reports(self, who: str, offset: timedelta) -> None:
        """After it happened."""
        report = IncidentReported(incident_id="i", occurred_at=NOW + offset, description="滑倒", reported_by=who)
        legal = self.state == "none" and report.occurred_at <= NOW
        if self.take(legal, lambda: self.subject.report(report, NOW), "reported"):
            self.began = who

    @rule(offset=offsets)
    def it_is_confirmed(self, offset: timedelta) -> None:
        """Also once more, while it stands."""
        finding = IncidentConfirmed(
            incident_id="i", occurred_at=NOW + offset, harms=("life",), visitors_affected=True, description="滑倒"
        )
        legal = self.state in {"reported", "confirmed"} and finding.occurred_at <= NOW
        self.take(legal, lambda: self.subject.confirm(finding, NOW), "confirmed")

    @rule(who=people)
    def it_is_dismissed(self, who: str) -> None:
        """By somebody who did not report it."""
        legal = self.state in {"reported", "confirmed"} and who != self.began
        self.take(legal, lambda: self.subject.dismiss(who, "非事故", NOW), "dismissed")

    @invariant()
    def is_as_the_model_says(self) -> None:
        """Whatever was tried."""
        assert self.subject.dismissed == (self.state == "dismissed")


for _machine in (RequestMachine, CostMachine, IncidentMachine):
    _machine.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestRequest = RequestMachine.TestCase
TestCost = CostMachine.TestCase
TestIncident = IncidentMachine.TestCase
