"""The rules of plans."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.scheduling.aggregate import LONGEST_ITEM_ID, MOST_CHANGES, Plan
from services.scheduling.tests.plans import chinese, item
from shared.contracts.scheduling import PlanAdopted, PlanItem, PlanItemChanged, PlanItemWithdrawn
from shared.errors import Invalid, NotFound, Rejected

NOON = datetime(2021, 3, 9, 4, tzinfo=UTC)
TODAY = date(2021, 3, 9)
MONTHLY = item("FREQ=MONTHLY;BYMONTHDAY=1")
MONTHS = {f"FREQ=MONTHLY;BYMONTHDAY={day}": day for day in (1, 10, 28)}
ADOPTED = PlanAdopted(plan_id="p", year=2021, items=(MONTHLY,))


def changed(effective_on: str, **terms: object) -> PlanItemChanged:
    """The duty reads otherwise from a day on."""
    fields = {"plan_id": "p", "plan_item_id": "i", "reason": "改期", **terms}
    return PlanItemChanged(effective_on=date.fromisoformat(effective_on), **fields)  # type: ignore[arg-type]


def withdrawn(effective_on: str, plan_item_id: str = "i") -> PlanItemWithdrawn:
    """The duty ends on a day."""
    day = date.fromisoformat(effective_on)
    return PlanItemWithdrawn(plan_id="p", plan_item_id=plan_item_id, effective_on=day, reason="取消")


def starts(plan: Plan) -> list[str]:
    """The days on which the plan's windows open."""
    return [str(visit.window_start) for visit in plan.due(chinese)]


def test_a_plan_is_adopted_once() -> None:
    plan = Plan("p")

    plan.adopt(2021, (MONTHLY,), NOON)

    assert plan.new_events == [(ADOPTED, NOON)]
    for known in (plan, Plan.replay("p", [ADOPTED])):
        with pytest.raises(Rejected, match="adopted already"):
            known.adopt(2021, (MONTHLY,), NOON)


@pytest.mark.parametrize(
    ("items", "faults"),
    [
        ((), {"items": "at least one"}),
        ((MONTHLY, MONTHLY), {"items[1].plan_item_id": "there twice"}),
        ((MONTHLY, item("hourly", plan_item_id="j")), {"items[1].rrule": "RFC 5545"}),
        ((item("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),), {"items[0].rrule": "names a day of 2021"}),
        ((item("FREQ=YEARLY;UNTIL=20201231"),), {"items[0].rrule": "names a day of 2021"}),
        ((item("FREQ=DAILY", plan_item_id="i" * (LONGEST_ITEM_ID + 1)),), {"items[0].plan_item_id": "at most 60"}),
        ((item("FREQ=DAILY", assignee=" "),), {"items[0].assignee": "not blank"}),
        ((item("FREQ=X"), item("FREQ=Y", plan_item_id="j")), {"items[0].rrule": "FREQ", "items[1].rrule": "FREQ"}),
    ],
)
def test_every_fault_of_its_items_is_named(items: tuple[PlanItem, ...], faults: dict[str, str]) -> None:
    plan = Plan("p")

    with pytest.raises(Invalid) as refused:
        plan.adopt(2021, items, NOON)

    assert list(refused.value.errors) == list(faults)
    for field, expected in faults.items():
        assert expected in refused.value.errors[field][0]
    assert plan.new_events == []


def test_a_change_holds_from_its_day_on_and_what_it_leaves_out_stays() -> None:
    plan = Plan.replay("p", [PlanAdopted(plan_id="p", year=2021, items=(item("FREQ=MONTHLY", window_days=3),))])

    plan.change(changed("2021-11-01", workdays="move"), TODAY, NOON)
    plan.change(changed("2021-12-01", rrule="FREQ=MONTHLY;BYMONTHDAY=5"), TODAY, NOON)

    assert starts(plan)[8:] == ["2021-09-01", "2021-10-01", "2021-11-01", "2021-12-06"]
    assert {(visit.window_end - visit.window_start).days for visit in plan.due(chinese)} == {1, 2}


def test_a_withdrawn_item_has_no_visits_from_its_day_on() -> None:
    plan = Plan.replay("p", [ADOPTED])

    plan.withdraw(withdrawn("2021-05-01"), TODAY, NOON)

    assert starts(plan) == ["2021-01-01", "2021-02-01", "2021-03-01", "2021-04-01"]


@pytest.mark.parametrize("day", ["2021-03-08", "2021-03-09", "2020-12-31"])
def test_a_plan_changes_only_from_tomorrow_on(day: str) -> None:
    plan = Plan.replay("p", [ADOPTED])

    with pytest.raises(Rejected, match="only the future"):
        plan.change(changed(day, workdays="skip"), TODAY, NOON)
    with pytest.raises(Rejected, match="only the future"):
        plan.withdraw(withdrawn(day), TODAY, NOON)

    assert plan.new_events == []


def test_changes_of_an_item_follow_each_other() -> None:
    plan = Plan.replay("p", [ADOPTED, changed("2021-06-01", workdays="skip")])

    for day in ("2021-05-01", "2021-06-01"):
        with pytest.raises(Rejected, match="the last change"):
            plan.change(changed(day, workdays="move"), TODAY, NOON)
        with pytest.raises(Rejected, match="the last change"):
            plan.withdraw(withdrawn(day), TODAY, NOON)

    assert plan.new_events == []


def test_a_plan_is_changed_for_its_whole_year_before_it_begins() -> None:
    for day in ("2020-12-11", "2021-01-01"):
        plan = Plan.replay("p", [ADOPTED])

        plan.change(changed(day, rrule="FREQ=YEARLY"), date(2020, 12, 10), NOON)

        assert starts(plan) == ["2021-01-01"]


def test_a_plan_is_not_changed_after_its_year() -> None:
    plan = Plan.replay("p", [ADOPTED])

    with pytest.raises(Invalid) as refused:
        plan.change(changed("2022-01-01", workdays="skip"), TODAY, NOON)

    assert list(refused.value.errors) == ["effective_on"]
    assert plan.new_events == []


def test_an_item_that_is_unknown_or_withdrawn_is_not_changed() -> None:
    plan = Plan.replay("p", [ADOPTED, withdrawn("2021-06-01")])

    with pytest.raises(NotFound, match="no item i in plan p"):
        plan.change(changed("2021-07-01", workdays="skip"), TODAY, NOON)
    with pytest.raises(NotFound, match="no item i in plan p"):
        plan.withdraw(withdrawn("2021-07-01"), TODAY, NOON)
    with pytest.raises(NotFound, match="no item j in plan p"):
        plan.withdraw(withdrawn("2021-07-01", "j"), TODAY, NOON)

    assert plan.new_events == []


def test_a_change_that_changes_nothing_is_refused() -> None:
    plan = Plan.replay("p", [PlanAdopted(plan_id="p", year=2021, items=(item("FREQ=WEEKLY", assignee="user:li"),))])

    for same in ({}, {"rrule": "FREQ=WEEKLY"}, {"workdays": "ignore", "assignee": "user:li"}):
        with pytest.raises(Rejected, match="nothing would change"):
            plan.change(changed("2021-06-01", **same), TODAY, NOON)
    plan.change(changed("2021-06-01", assignee="user:wang"), TODAY, NOON)

    assert [visit.item.assignee for visit in plan.due(chinese)][:21] == 21 * ["user:li"]
    assert {visit.item.assignee for visit in plan.due(chinese)} == {"user:li", "user:wang"}
    assert [term.reason for term in plan.terms["i"]] == [None, "改期"]


def test_an_item_is_changed_so_often_that_ids_stay_within_80_characters() -> None:
    plan = Plan("p")
    plan.adopt(2021, (item("FREQ=DAILY", plan_item_id="i" * LONGEST_ITEM_ID),), NOON)
    for number in range(1, MOST_CHANGES + 1):
        day = TODAY + timedelta(days=number)
        plan.change(changed(str(day), plan_item_id="i" * LONGEST_ITEM_ID, window_days=number), TODAY, NOON)

    with pytest.raises(Rejected, match="at most 99 times"):
        plan.change(changed("2021-12-01", plan_item_id="i" * LONGEST_ITEM_ID, window_days=1), TODAY, NOON)

    assert max(len(f"wo:{visit.occurrence_id}m9") for visit in plan.due(chinese)) <= 80


@pytest.mark.parametrize("rrule", ["", "FREQ=HOURLY", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"])
def test_a_change_to_a_rule_that_is_none_or_never_fires_is_refused(rrule: str) -> None:
    plan = Plan.replay("p", [ADOPTED])

    with pytest.raises(Invalid) as refused:
        plan.change(changed("2021-06-01", rrule=rrule), TODAY, NOON)

    assert list(refused.value.errors) == ["rrule"]
    assert plan.new_events == []


def test_replay_gives_the_same_visits_as_deciding() -> None:
    plan = Plan("p")
    plan.adopt(2021, (MONTHLY, item("FREQ=WEEKLY", "skip", plan_item_id="j")), NOON)
    plan.change(changed("2021-06-01", window_days=3, workdays="move"), TODAY, NOON)
    plan.withdraw(withdrawn("2021-09-01", "j"), TODAY, NOON)

    again = Plan.replay("p", [event for event, _ in plan.new_events])

    assert list(again.due(chinese)) == list(plan.due(chinese))
    assert again.version == 3


class PlanMachine(RuleBasedStateMachine):
    """Random commands on random days; the model is the list of an item's days and rules."""

    @initialize()
    def begins(self) -> None:
        """Nothing is planned yet."""
        self.plan = Plan("p")
        self.today = date(2021, 1, 10)
        self.terms: dict[str, list[tuple[date, str | None]]] = {}

    @rule(days=st.integers(1, 60))
    def time_goes_on(self, days: int) -> None:
        """Up to the next year."""
        self.today += timedelta(days=days)

    @rule(ids=st.lists(st.sampled_from("ab"), max_size=2), rrule=st.sampled_from([*MONTHS, "FREQ=HOURLY"]))
    def is_adopted(self, ids: list[str], rrule: str) -> None:
        """Once, with items that are there once and whose rule fires."""
        items = tuple(item(rrule, plan_item_id=id_) for id_ in ids)
        allowed = not self.terms and len(set(ids)) == len(ids) > 0 and rrule in MONTHS
        self._try(allowed, lambda: self.plan.adopt(2021, items, NOON))
        if allowed:
            self.terms = {id_: [(date.min, rrule)] for id_ in ids}

    @rule(
        id_=st.sampled_from("abc"),
        ahead=st.integers(-20, 200),
        rrule=st.sampled_from([*MONTHS, "FREQ=YEARLY;UNTIL=20201231"]),
    )
    def is_changed(self, id_: str, ahead: int, rrule: str) -> None:
        """From a day of the year that is ahead, behind the last change, to another rule that fires."""
        day = self.today + timedelta(days=ahead)
        allowed = self._is_ahead(id_, day) and rrule in MONTHS and self.terms[id_][-1][1] != rrule
        self._try(allowed, lambda: self.plan.change(changed(str(day), plan_item_id=id_, rrule=rrule), self.today, NOON))
        if allowed:
            self.terms[id_].append((day, rrule))

    @rule(id_=st.sampled_from("abc"), ahead=st.integers(-20, 200))
    def is_withdrawn(self, id_: str, ahead: int) -> None:
        """From a day of the year that is ahead, behind the last change, for good."""
        day = self.today + timedelta(days=ahead)
        allowed = self._is_ahead(id_, day)
        self._try(allowed, lambda: self.plan.withdraw(withdrawn(str(day), id_), self.today, NOON))
        if allowed:
            self.terms[id_].append((day, None))

    def _is_ahead(self, id_: str, day: date) -> bool:
        terms = self.terms.get(id_)
        return bool(terms and terms[-1][1] and day.year <= 2021 and day > max(self.today, terms[-1][0]))

    def _try(self, allowed: bool, command: Callable[[], None]) -> None:
        before = len(self.plan.new_events)
        if allowed:
            command()
        else:
            with pytest.raises((Rejected, Invalid, NotFound)):
                command()
        assert len(self.plan.new_events) == before + allowed

    @invariant()
    def asks_what_the_model_asks_and_so_does_its_replay(self) -> None:
        """In each month the visit of the rule that holds on its date."""
        expected = sorted(
            (id_, str(day))
            for id_, terms in self.terms.items()
            for (since, rrule), (until, _) in zip(terms, [*terms[1:], (date.max, None)], strict=True)
            for day in (date(2021, month, MONTHS[rrule]) for month in range(1, 13) if rrule)
            if since <= day < until
        )
        again = Plan.replay("p", [event for event, _ in self.plan.new_events])
        for plan in (self.plan, again):
            assert sorted((visit.item.plan_item_id, str(visit.window_start)) for visit in plan.due(chinese)) == expected


TestPlan = PlanMachine.TestCase
TestPlan.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
