"""The form of each file in a project folder (`projects/README.md`), as dataclasses.

Their marshmallow schemas are derived as those of events are, so a date or an amount means the same in both.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

import msgspec

from shared.contracts.asset_registry import Expected, FacilityRegistered, Nameplate, Point, SystemRegistered
from shared.contracts.scheduling import PlanItem
from shared.schema import Id, Money, Reading

Positive = Annotated[int, msgspec.Meta(ge=1)]


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """Something that the source does not say; `of` is its path in this file."""

    of: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Assumable:
    """An entry that may be made up, and then says why."""

    assumption: bool = False
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The year's money in CNY: 年初预算数 and 全年预算数."""

    initial: Money
    annual: Money


@dataclass(frozen=True, kw_only=True)
class Baseline(Assumable):
    """What the repair of fixed equipment cost in the year before, in CNY."""

    year: int
    amount: Money
    basis: str


@dataclass(frozen=True, kw_only=True)
class Rulebooks:
    """The rulebook files, relative to the folder, and the id of the one that counts."""

    official: Id
    files: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Role:
    """A part in the daily work; never a person."""

    role: Id
    name: str
    does: str


@dataclass(frozen=True, kw_only=True)
class ProjectFile:
    """`project.yaml`."""

    project_id: Id
    name: str
    unit: str
    source_of_funds: str | None = None
    year: int
    starts_on: date
    ends_on: date
    budget: Budget
    cost_baseline: Baseline | None = None
    rulebooks: Rulebooks
    roles: tuple[Role, ...] = ()
    assumptions: tuple[Assumption, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FacilityFile:
    """`facility.yaml`."""

    facility: FacilityRegistered
    assumptions: tuple[Assumption, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Group(Assumable):
    """Like things: `count` of them, each a point `<prefix>-<number>`, or the `points` one by one.

    The numbers have at least three digits and begin at 001. `location` and `expected` are those of each counted point;
    the nameplate is that of them all.
    """

    equipment: str
    count: Positive | None = None
    prefix: Id | None = None
    label: str | None = None
    location: str | None = None
    expected: Expected | None = None
    points: tuple[Point, ...] = ()
    nameplate: Nameplate | None = None

    @property
    def key(self) -> str:
        """What the group is known by: its prefix, or its first point."""
        return self.prefix or self.points[0].point_id

    def each(self) -> tuple[Point, ...]:
        """The points of the group; counted ones that are made up say so in their label (假定)."""
        mark = "（假定）" if self.assumption else ""
        return self.points or tuple(
            Point(
                point_id=f"{self.prefix}-{n:03}",
                label=f"{self.label}{n:03}{mark}",
                location=self.location,
                expected=self.expected,
            )
            for n in range(1, (self.count or 0) + 1)
        )


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A quantity that is weighed or gauged, so never points."""

    quantity: str
    amount: Reading
    unit: str
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class System:
    """One building system with its groups of points; `uncounted` is there in unknown number, `source` said so."""

    system_id: Id
    name: str
    category: str
    commissioned_on: date
    source: str
    equipment: tuple[Group, ...] = ()
    measured: tuple[Measured, ...] = ()
    uncounted: tuple[str, ...] = ()

    def registration(self) -> SystemRegistered:
        """The event that its registration is to become."""
        return SystemRegistered(
            system_id=self.system_id, name=self.name, category=self.category, commissioned_on=self.commissioned_on
        )


@dataclass(frozen=True, kw_only=True)
class SystemsFile:
    """`systems.yaml`."""

    systems: tuple[System, ...]
    assumptions: tuple[Assumption, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Item(PlanItem, Assumable):
    """One recurring duty of the plan."""

    def planned(self) -> PlanItem:
        """The duty alone, as the plan's event carries it."""
        return PlanItem(
            plan_item_id=self.plan_item_id,
            system_id=self.system_id,
            activity=self.activity,
            rrule=self.rrule,
            workdays=self.workdays,
            window_days=self.window_days,
            assignee=self.assignee,
        )


@dataclass(frozen=True, kw_only=True)
class PlanFile:
    """`plan.yaml`."""

    plan_id: Id
    year: int
    items: tuple[Item, ...]
    assumptions: tuple[Assumption, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RulebookFile:
    """A rulebook's text, and what identifies it: SHA-256 of its bytes, bare lower-case hex."""

    rulebook_id: str
    year: int
    sha256: str
    text: str
