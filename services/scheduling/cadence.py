"""The least that the standards ask of a year's plan, as data, and where a plan falls below it. Pure.

A plan below a minimum is adopted all the same: whoever decides is only told.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from shared.contracts.scheduling import Activity, PlanItem

Nominal = tuple[date, PlanItem]
"""A day on which a visit comes due, and the duty as it reads on that day."""


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """How often one activity must come at the least, of the systems with these ids or, by default, of these categories.

    `standard` is its name or its words, verbatim; `source` says where they stand. `each_month`: a visit in every month;
    `most_days`: never more days than that from one visit to the next; `times`: so many visits a year.
    """

    standard: str
    source: str
    activity: Activity
    systems: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    but_not: frozenset[str] = frozenset()
    each_month: bool = False
    most_days: int | None = None
    times: int = 1

    def covers(self, system: "InYear") -> bool:
        """Whether it asks anything of a system."""
        return system.system_id not in self.but_not and (
            system.system_id in self.systems or system.category in self.categories
        )


@dataclass(frozen=True, kw_only=True)
class InYear:
    """A system and the days of a year on which it is in commission, `first` to `last`; `whole` if those are all."""

    system_id: str
    name: str
    category: str | None
    first: date
    last: date

    @property
    def whole(self) -> bool:
        """Whether it is in commission all year."""
        return (self.first.month, self.first.day, self.last.month, self.last.day) == (1, 1, 12, 31)

    @property
    def months(self) -> tuple[str, ...]:
        """The months on whose last day it is in commission (domain.md, missed_inspections), YYYY-MM."""
        ends = (_last_day(self.first.year, month) for month in range(1, 13))
        return tuple(f"{end:%Y-%m}" for end in ends if self.first <= end <= self.last)


CADENCES = (
    Cadence(
        standard="1年不低于12次",
        source="project file, indicators 1–5: 指标值 ≥ 12 次",
        activity="inspection",
        systems=frozenset({"gas-suppression", "hvac", "fire-shutters", "lighting", "water"}),
        each_month=True,
        times=12,
    ),
    Cadence(
        standard="每月对大厅灭火、空调、防火卷帘、给排水、消对防喷淋、火灾自动报警、防排烟、电器照明、配电用电设备等进行维修维护各不低于1次",
        source="project file, content of indicator 5; indicator 7: 每月进行不低于一次安全检查",
        activity="inspection",
        systems=frozenset({"sprinklers", "fire-alarm", "smoke-control", "power-distribution"}),
        categories=frozenset({"fire-safety"}),
        but_not=frozenset({"fire-maintenance"}),  # work on the other systems, planned for the fourth quarter
        each_month=True,
        times=12,
    ),
    Cadence(
        standard="TSG T5002",
        source="TSG T5002: maintenance at least every 15 days",
        activity="maintenance",
        systems=frozenset({"elevators"}),
        categories=frozenset({"lift"}),
        most_days=15,
    ),
    Cadence(
        standard="电梯年检",
        source="project file: 电梯管理年检维保服务; the periodic inspection is yearly",
        activity="test",
        systems=frozenset({"elevators"}),
        categories=frozenset({"lift"}),
    ),
)
"""The first that covers a system's activity holds."""

WHOLE_HALL = "每月进行不低于一次安全检查"
"""Indicator 7, ≥ 1 月/次: of the hall, whatever the system."""


def in_year(year: int, system: Mapping[str, Any]) -> InYear | None:
    """A row of the view `system` as far as it is in commission in a year; None where it is not."""
    since, until = system["commissioned_on"], system["decommissioned_on"] or f"{year:04}-12-31"
    first = max(date.fromisoformat(since), date(year, 1, 1))
    last = min(date.fromisoformat(until), date(year, 12, 31))
    if first > last:
        return None
    return InYear(
        system_id=system["system_id"], name=system["name"], category=system["category"], first=first, last=last
    )


def below_minimum(planned: Iterable[Nominal], systems: Iterable[InYear]) -> list[dict[str, str]]:
    """Where the visits planned for a year, of all its plans, fall below a minimum.

    Each warning: code `below_minimum`, message, system_id (not where it is about the whole hall), and plan_item_id where
    one duty alone is concerned.
    """
    visits: defaultdict[tuple[str, Activity], list[Nominal]] = defaultdict(list)
    for day, item in planned:
        visits[item.system_id, item.activity].append((day, item))
    known = sorted(systems, key=lambda system: system.system_id)
    return [*_of_hall(visits, known), *(warning for system in known for warning in _of_system(visits, system))]


def _of_hall(
    visits: Mapping[tuple[str, Activity], Sequence[Nominal]], systems: Sequence[InYear]
) -> Iterator[dict[str, str]]:
    inspected = {
        f"{day:%Y-%m}" for (_, activity), days in visits.items() if activity == "inspection" for day, _ in days
    }
    asked = {month for system in systems for month in system.months}
    if missing := sorted(asked - inspected):
        message = f"no inspection of any system is planned in {_listed(missing)} ({WHOLE_HALL})"
        yield {"code": "below_minimum", "message": message}


def _of_system(visits: Mapping[tuple[str, Activity], Sequence[Nominal]], system: InYear) -> Iterator[dict[str, str]]:
    done: set[Activity] = set()
    for cadence in CADENCES:
        if cadence.activity in done or not cadence.covers(system):
            continue
        done.add(cadence.activity)
        of_it = visits.get((system.system_id, cadence.activity), ())
        days = sorted({day for day, _ in of_it if system.first <= day <= system.last})
        if said := "; ".join(_shortfalls(cadence, system, days)):
            message = f"{system.name} ({system.system_id}): {said} ({cadence.standard})"
            warning = {"code": "below_minimum", "message": message, "system_id": system.system_id}
            items = {item.plan_item_id for _, item in of_it}
            yield warning | ({"plan_item_id": items.pop()} if len(items) == 1 else {})


def _shortfalls(cadence: Cadence, system: InYear, days: Sequence[date]) -> Iterator[str]:
    """What is missing, in words; where nothing at all is planned, only that."""
    missing = sorted(set(system.months) - {f"{day:%Y-%m}" for day in days}) if cadence.each_month else []
    gaps = [*_gaps(system, days, cadence.most_days)] if cadence.most_days else []
    few = system.whole and len(days) < cadence.times
    if not days and (missing or gaps or few):
        yield f"no {cadence.activity} is planned"
        return
    if missing:
        yield f"no {cadence.activity} is planned in {_listed(missing)}"
    if few:
        yield f"{cadence.activity} is planned on {len(days)} days, at least {cadence.times} a year are asked"
    if gaps:
        yield f"more than {cadence.most_days} days without {cadence.activity}: {_listed(gaps)}"


def _gaps(system: InYear, days: Sequence[date], most: int) -> Iterator[str]:
    """Each stretch that is too long, from one visit to the next and at both ends of the year.

    What was done in the year before, or will be in the next, is taken as done on its last or first day.
    """
    before = system.first - timedelta(days=1) if system.first == date(system.first.year, 1, 1) else system.first
    after = system.last + timedelta(days=1)
    for earlier, later in pairwise((before, *days, after)):
        if (later - earlier).days > most:
            yield f"{earlier} to {later}"


def _listed(words: Sequence[str], most: int = 12) -> str:
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def _last_day(year: int, month: int) -> date:
    return date(year, 12, 31) if month == 12 else date(year, month + 1, 1) - timedelta(days=1)
