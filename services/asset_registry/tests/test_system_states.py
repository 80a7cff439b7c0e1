"""Random commands against a system and a simple model of it: none is accepted that may not be, none refused that may."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.asset_registry.aggregate import System
from shared.contracts.asset_registry import (
    Document,
    EquipmentDescribed,
    Expected,
    Nameplate,
    Point,
    PointReplaced,
    SystemRegistered,
)
from shared.errors import Invalid, Rejected

NOON = datetime(2021, 3, 9, 12, tzinfo=UTC)
TODAY = date(2021, 3, 10)  # where the day begins first
BEGUN = date(2021, 1, 1)

NAMES = [f"P-{number}" for number in range(1, 9)]

# Mostly what is right: a command with many ways to be wrong would hardly ever be accepted, and nothing would come of it.
some_points = st.sets(st.sampled_from(NAMES), min_size=1, max_size=2).map(sorted).map(tuple)
ids = st.one_of(some_points, some_points, some_points, st.sampled_from([(), ("P-1", "P-1"), ("P-1", "X-1")]))
equipment = st.sampled_from(["室内机", "风口"])
days = st.sampled_from([TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=1)])
limits = st.sampled_from([None, None, None, Expected(unit="MPa"), Expected(unit=" ")])
nameplates = st.sampled_from(
    [
        Nameplate(),
        Nameplate(maker="甲"),
        Nameplate(installed_on=TODAY, warranty_until=TODAY),
        Nameplate(maker="甲", warranty_until=TODAY + timedelta(days=1)),
        Nameplate(maker=" "),
        Nameplate(installed_on=TODAY + timedelta(days=1)),
        Nameplate(installed_on=TODAY, warranty_until=TODAY - timedelta(days=1)),
    ]
)
papers = [Document(sha256=64 * name, title="说明书") for name in "ab"]
documents = st.sampled_from([(), (), tuple(papers), (papers[0], papers[1], papers[0])])


def is_sense(nameplate: Nameplate) -> bool:
    """Whether there can be such a nameplate."""
    installed, until = nameplate.installed_on, nameplate.warranty_until
    orderly = installed is None or until is None or installed <= until
    return nameplate.maker != " " and orderly and (installed is None or installed <= TODAY)


class SystemMachine(RuleBasedStateMachine):
    """The model: whether it is in commission, and where each point that ever was belongs, None once it is retired."""

    @initialize(stocked=st.booleans())
    def begins(self, stocked: bool) -> None:
        """With nothing, or in commission with points of two groups."""
        self.system = System("hvac")
        self.in_commission = False
        self.points: dict[str, str | None] = {}
        if stocked:
            self.it_is_registered()
            self.points_are_added(("P-1", "P-2"), "室内机", None, None)
            self.points_are_added(("P-3", "P-4"), "风口", None, None)

    @rule()
    def it_is_registered(self) -> None:
        """If it is not in commission."""
        registered = SystemRegistered(system_id="hvac", name="空调", category="空调", commissioned_on=BEGUN)
        self._take(not self.in_commission, lambda: self.system.register(registered, NOON))
        self.in_commission = True

    @rule(after=st.integers(-1, 1))
    def it_is_decommissioned(self, after: int) -> None:
        """No earlier than it was commissioned."""
        on = BEGUN + timedelta(days=after)
        if self._take(self.in_commission and after >= 0, lambda: self.system.decommission(on, "拆除", NOON)):
            self.in_commission = False

    @rule(names=ids, group=equipment, expected=limits, nameplate=st.none() | st.none() | nameplates)
    def points_are_added(
        self, names: tuple[str, ...], group: str, expected: Expected | None, nameplate: Nameplate | None
    ) -> None:
        """New ones, for ever; each once."""
        points = tuple(Point(point_id=name, label=name, expected=expected, nameplate=nameplate) for name in names)
        new = 0 < len(names) == len(set(names)) and not self.points.keys() & set(names)
        sense = (expected is None or expected.unit == "MPa") and (nameplate is None or is_sense(nameplate))
        if self._take(self.in_commission and new and sense, lambda: self.system.add_points(group, points, NOON)):
            self.points |= dict.fromkeys(names, group)

    @rule(names=ids, really=st.sampled_from([True, False, False]))
    def points_are_retired(self, names: tuple[str, ...], really: bool) -> None:
        """Those that are in use, each once; not too often, since they never come back."""
        if not really:
            return
        in_use = 0 < len(names) == len(set(names)) and all(self.points.get(name) for name in names)
        if self._take(in_use, lambda: self.system.retire_points(names, "拆除", NOON)):
            self.points |= dict.fromkeys(names)

    @rule(name=st.sampled_from(NAMES))
    def a_point_is_relocated(self, name: str) -> None:
        """If it is in use."""
        self._take(bool(self.points.get(name)), lambda: self.system.relocate_point(name, "二层", NOON))

    @rule(names=st.none() | ids, group=equipment, nameplate=nameplates, papers=documents)
    def equipment_is_described(
        self, names: tuple[str, ...] | None, group: str, nameplate: Nameplate, papers: tuple[Document, ...]
    ) -> None:
        """Groups that have points in use, and such points of them, with something to say."""
        said = EquipmentDescribed(
            system_id="hvac", equipment=group, nameplate=nameplate, documents=papers, point_ids=names
        )
        some = names is None or (
            0 < len(names) == len(set(names)) and all(self.points.get(id_) == group for id_ in names)
        )
        something = nameplate != Nameplate() or bool(papers)
        once = len(papers) == len(set(papers))
        right = group in self.points.values() and some and something and once and is_sense(nameplate)
        self._take(right, lambda: self.system.describe_equipment(said, NOON))

    @rule(name=st.sampled_from(NAMES), day=days, nameplate=nameplates)
    def equipment_is_replaced(self, name: str, day: date, nameplate: Nameplate) -> None:
        """At a point in use, on a day that has come."""
        replaced = PointReplaced(point_id=name, replaced_on=day, nameplate=nameplate)
        right = bool(self.points.get(name)) and day <= TODAY and is_sense(nameplate)
        self._take(right, lambda: self.system.replace(replaced, NOON))

    @rule(name=st.sampled_from(NAMES), day=days, nameplate=nameplates)
    def work_reports_a_replacement(self, name: str, day: date, nameplate: Nameplate) -> None:
        """That is never refused, and recorded of points in use."""
        replaced = PointReplaced(point_id=name, replaced_on=day, nameplate=nameplate, work_order_id="wo-1")
        before = len(self.system.new_events)
        self.system.follow_replacement(replaced, NOON)
        assert len(self.system.new_events) == before + bool(self.points.get(name))

    def _take(self, legal: bool, command: Callable[[], None]) -> bool:
        before = len(self.system.new_events)
        if legal:
            command()
        else:
            with pytest.raises((Rejected, Invalid)):
                command()
        assert len(self.system.new_events) == before + legal
        return legal

    @invariant()
    def stands_as_the_model_says_and_as_its_replay(self) -> None:
        """The live state, the model and the replayed state are one."""
        again = System.replay("hvac", [event for event, _ in self.system.new_events])
        in_use = {name: group for name, group in self.points.items() if group is not None}
        for system in (self.system, again):
            assert (system.in_commission, system.points) == (self.in_commission, in_use)
            assert system.retired == self.points.keys() - in_use.keys()
            assert sorted(system.in_use.elements()) == sorted(in_use.values())


TestSystem = SystemMachine.TestCase
TestSystem.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
