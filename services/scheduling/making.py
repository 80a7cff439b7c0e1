"""Brings the visits that are made in line with what the plans ask for.

Whatever is asked follows from what is on record alone: the plans and their changes, the versions of the workday calendars,
the systems in commission. So it comes out the same whenever, and however often, it is looked at.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from operator import attrgetter
from typing import Any

from sqlalchemy import select

from services.scheduling import views
from services.scheduling.aggregate import Occurrence, Plan, Status
from services.scheduling.recurrence import Due, IsWorkday
from services.scheduling.workdays import WorkdayCalendar
from shared.contracts.scheduling import WithdrawnBecause
from shared.unit import Unit

HORIZON_DAYS = 45
"""How long before its window an occurrence is made."""

Visit = dict[str, str]
"""A visit as an answer shows it: occurrence_id, system_id, plan_item_id, period, window_start, window_end."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A visit as it was made."""

    occurrence_id: str
    system_id: str
    plan_item_id: str
    period: str
    window_start: date
    window_end: date
    status: str = Status.PLANNED.value
    because: str | None = None

    @property
    def stands(self) -> bool:
        """Whether it was not withdrawn."""
        return self.status != Status.WITHDRAWN


class Making:
    """What the plans of a facility ask for, and what was made of it.

    A visit that was withdrawn because the calendar or its system changed, and that is asked again, gets a new id:
    `{id}m2` for the second making, and so on. One that somebody withdrew alone is made no more.
    """

    def __init__(self, do: Unit) -> None:
        self._do = do
        rows = do.rows(select(views.plans.c.plan_id).where(views.plans.c.facility == do.facility))
        self.plans = [do.edit(Plan, row.plan_id) for row in rows]
        self.systems = systems_of(do)
        self._calendars: dict[int, WorkdayCalendar] = {}
        self._made: defaultdict[str, list[Made]] = defaultdict(list)
        for made in _made(do) if self.plans else ():
            self._made[_asked_id(made.occurrence_id)].append(made)

    @cached_property
    def _points(self) -> dict[str, list[str]]:
        """The points of each system; not read before a visit is made."""
        return _points_of(self._do)

    def calendar(self, year: int) -> WorkdayCalendar:
        """The workday calendar of a year, perhaps without any version."""
        if year not in self._calendars:
            self._calendars[year] = self._do.find(WorkdayCalendar, str(year))
        return self._calendars[year]

    def asked(self) -> dict[str, Due]:
        """Every visit that the plans ask of systems in commission, made or not, by the id of its first making."""
        return {
            visit.occurrence_id: visit
            for plan in self.plans
            for visit in plan.due(self._calendar_for)
            if in_commission(self.systems.get(visit.item.system_id), visit.window_start, visit.window_end)
        }

    def to_be_made(self) -> list[Due]:
        """Those of them that were not made so far, by window, under the ids that they will have."""
        waiting = (
            replace(visit, occurrence_id=_next_id(asked_id, self._made.get(asked_id, [])))
            for asked_id, visit in self.asked().items()
            if all(made.status == Status.WITHDRAWN and made.because for made in self._made.get(asked_id, []))
        )
        return sorted(waiting, key=attrgetter("window_start"))

    def outlook(self) -> dict[tuple[str, ...], Visit]:
        """Every visit that is asked, made or to be made, by window."""
        asked = self.asked()
        made = [
            _shown(made) for asked_id, all_ in self._made.items() for made in all_ if made.stands and asked_id in asked
        ]
        visits = [*made, *(_shown(_as_made(visit)) for visit in self.to_be_made())]
        ordered = sorted(visits, key=lambda visit: (visit["window_start"], visit["occurrence_id"]))
        return {tuple(visit.values()): visit for visit in ordered}

    def make(self, today: date) -> None:
        """Make every visit whose window opens within the horizon and that was not made yet, with the points of now."""
        horizon = today + timedelta(days=HORIZON_DAYS)
        for visit in self.to_be_made():
            if visit.window_start <= horizon and (visit.held_until or today) <= today:
                self._schedule(visit)

    def bring_in_line(self, today: date, because: WithdrawnBecause, reason: str) -> None:
        """Withdraw what has not begun and is not asked any more, or in another window, and make what is asked instead."""
        asked = self.asked()
        for asked_id, made in self._planned():
            visit = asked.get(asked_id)
            same = visit and (visit.window_start, visit.window_end) == (made.window_start, made.window_end)
            if made.window_start > today and not same:
                self._withdraw(asked_id, made, today, because, reason)
        self.make(today)

    def let_leave(self) -> None:
        """Note which visits had begun, and were not over, on the day that their system was told out of commission.

        Whether work was done in them is known only later: see `withdraw_left`.
        """
        known = self._leaving()
        for _, made in self._planned():
            system = self.systems.get(made.system_id)
            if system is None or in_commission(system, made.window_start, made.window_end):
                continue
            told_on = date.fromisoformat(system.told_on)
            if made.window_start <= told_on <= made.window_end and made.occurrence_id not in known:
                occurrence = self._do.find(Occurrence, made.occurrence_id)
                occurrence.defer_withdrawal(out_of_commission(system), told_on, self._do.now)

    def withdraw_left(self) -> None:
        """Withdraw these visits, as of that day, unless their work was done; to be asked when all work was heard of."""
        leaving = self._leaving()
        for asked_id, made in self._planned() if leaving else ():
            if one := leaving.get(made.occurrence_id):
                self._withdraw(asked_id, made, date.fromisoformat(one.told_on), "system", one.reason)

    def _leaving(self) -> dict[str, Any]:
        table = views.leaving
        rows = self._do.rows(select(table).where(table.c.facility == self._do.facility))
        return {row.occurrence_id: row for row in rows}

    def _calendar_for(self, day: date) -> IsWorkday | None:
        return self.calendar(day.year).for_date(day)

    def _planned(self) -> Iterator[tuple[str, Made]]:
        for asked_id, all_ in self._made.items():
            for made in tuple(all_):
                if made.status == Status.PLANNED:
                    yield asked_id, made

    def _schedule(self, visit: Due) -> None:
        occurrence = self._do.find(Occurrence, visit.occurrence_id)
        if not occurrence.exists:
            occurrence.schedule(visit, tuple(self._points.get(visit.item.system_id, ())), self._do.now)
            self._made[_asked_id(visit.occurrence_id)].append(_as_made(visit))

    def _withdraw(self, asked_id: str, made: Made, today: date, because: WithdrawnBecause, reason: str) -> None:
        occurrence = self._do.find(Occurrence, made.occurrence_id)
        if occurrence.status is Status.PLANNED:
            occurrence.withdraw(reason, today, self._do.now, because)
            withdrawn = replace(made, status=Status.WITHDRAWN.value, because=because)
            self._made[asked_id] = [withdrawn if one is made else one for one in self._made[asked_id]]


def in_commission(system: Any, start: date, end: date) -> bool:
    """Whether a system (a row of the view, or None) is in commission on some day of a window."""
    if system is None or system.commissioned_on > end.isoformat():
        return False
    return system.decommissioned_on is None or bool(system.decommissioned_on >= start.isoformat())


def out_of_commission(system: Any) -> str:
    """Why visits of a system are withdrawn, in the office's words."""
    if system.decommissioned_on is not None:
        return f"系统自 {system.decommissioned_on} 起停用"
    return f"系统自 {system.commissioned_on} 起才启用"


def systems_of(do: Unit) -> dict[str, Any]:
    """The systems of a facility, as rows of the view by system_id."""
    return {row.system_id: row for row in do.rows(select(views.systems).where(views.systems.c.facility == do.facility))}


def _points_of(do: Unit) -> dict[str, list[str]]:
    points: defaultdict[str, list[str]] = defaultdict(list)
    table = views.points.c
    for row in do.rows(select(views.points).where(table.facility == do.facility).order_by(table.point_id)):
        points[row.system_id].append(row.point_id)
    return points


def _made(do: Unit) -> Iterator[Made]:
    for row in do.rows(select(views.occurrences).where(views.occurrences.c.facility == do.facility)):
        yield Made(
            occurrence_id=row.occurrence_id,
            system_id=row.system_id,
            plan_item_id=row.plan_item_id,
            period=row.period,
            window_start=date.fromisoformat(row.window_start),
            window_end=date.fromisoformat(row.window_end),
            status=row.status,
            because=row.because,
        )


def _as_made(visit: Due) -> Made:
    return Made(
        occurrence_id=visit.occurrence_id,
        system_id=visit.item.system_id,
        plan_item_id=visit.item.plan_item_id,
        period=visit.period,
        window_start=visit.window_start,
        window_end=visit.window_end,
    )


def _asked_id(occurrence_id: str) -> str:
    """The id of a visit's first making."""
    return re.sub(r"m[0-9]+\Z", "", occurrence_id)


def _next_id(asked_id: str, made: list[Made]) -> str:
    return f"{asked_id}m{len(made) + 1}" if made else asked_id


def _shown(made: Made) -> Visit:
    names = ("occurrence_id", "system_id", "plan_item_id", "period", "window_start", "window_end")
    return {name: str(getattr(made, name)) for name in names}
