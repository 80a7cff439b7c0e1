"""Scheduling's wiring."""

from collections import defaultdict
from datetime import date, timedelta
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from nameko.timer import timer
from sqlalchemy import insert, select, update
from uuid_utils import uuid7

from services.scheduling import commands, views
from services.scheduling.aggregate import Occurrence, Plan
from services.scheduling.workdays import is_workday
from shared import service
from shared.contracts.asset_registry import (
    FacilityRegistered,
    PointsAdded,
    PointsRetired,
    SystemDecommissioned,
    SystemRegistered,
)
from shared.contracts.scheduling import PlanItemChanged, PlanItemWithdrawn
from shared.contracts.work_orders import WorkPerformed
from shared.errors import Conflict, Invalid, Unavailable
from shared.event import Recorded
from shared.rpc import Peer
from shared.service import command, query
from shared.subscription import subscribe
from shared.unit import Unit

log = structlog.get_logger()

HORIZON_DAYS = 45
"""How long before its window an occurrence is made."""
TICK_SECONDS = 60


class Scheduling(service.LedgerService):
    """Makes occurrences from plans ahead of time, and lets the clock judge them."""

    name = "scheduling"
    fold = staticmethod(views.fold)
    asset_registry = Peer("asset_registry")
    work_orders = Peer("work_orders")

    @command(commands.AdoptPlan)
    def adopt_plan(self, do: Unit, asked: commands.AdoptPlan) -> None:
        """Adopt a plan for systems that are registered, and make what is due soon."""
        self.must_have_heard(self.asset_registry, do.facility)
        table = views.systems.c
        known = {row.system_id for row in do.rows(select(table.system_id).where(table.facility == do.facility))}
        unknown = {
            f"items[{number}].system_id": [f"expected a registered system, not {item.system_id}"]
            for number, item in enumerate(asked.items)
            if item.system_id not in known
        }
        if unknown:
            raise Invalid(unknown)
        plan = do.find(Plan, asked.plan_id)
        plan.adopt(asked.year, asked.items, do.now)
        self._must_be_planned_once(do, plan)
        self._make_due(do, [plan], self._today(do))

    @command(commands.ChangePlanItem)
    def change_plan_item(self, do: Unit, asked: commands.ChangePlanItem) -> None:
        """Change a duty from a day on; what was to be scheduled before now is, as it was planned then."""
        plan, today = self._up_to_date(do, asked.plan_id), self._today(do)
        plan.change(PlanItemChanged(**vars(asked)), today, do.now)
        self._make_due(do, [plan], today)

    @command(commands.WithdrawPlanItem)
    def withdraw_plan_item(self, do: Unit, asked: commands.WithdrawPlanItem) -> None:
        """End a duty from a day on; what was to be scheduled before now is."""
        plan = self._up_to_date(do, asked.plan_id)
        plan.withdraw(PlanItemWithdrawn(**vars(asked)), self._today(do), do.now)

    @command(commands.ExcuseOccurrence)
    def excuse_occurrence(self, do: Unit, asked: commands.ExcuseOccurrence) -> None:
        """Excuse a visit, or points of it."""
        do.edit(Occurrence, asked.occurrence_id).excuse(asked.point_ids, asked.reason, do.actor, do.now)

    @command(commands.WithdrawOccurrence)
    def withdraw_occurrence(self, do: Unit, asked: commands.WithdrawOccurrence) -> None:
        """Withdraw a visit, once it is sure that no work was reported for it."""
        self.must_have_heard(self.work_orders, do.facility)
        do.edit(Occurrence, asked.occurrence_id).withdraw(asked.reason, self._today(do), do.now)

    @subscribe("asset_registry", FacilityRegistered, SystemRegistered, SystemDecommissioned, PointsAdded, PointsRetired)
    def on_assets(self, do: Unit, recorded: Recorded) -> None:
        """Know the facilities, systems and points that plans are about.

        What was to be scheduled before such a change is made first, with the points of then, however late we hear of it.
        """
        facility, event = recorded.facility, recorded.event
        self._make_due(do, self._plans(do), recorded.recordedat.astimezone(ZoneInfo(self._timezone(do))).date())
        system = views.systems.c
        match event:
            case FacilityRegistered():
                do.execute(insert(views.halls).values(facility=facility, timezone=event.timezone))
            case SystemRegistered():
                this = (system.facility == facility) & (system.system_id == event.system_id)
                do.execute(views.systems.delete().where(this))
                row = {"system_id": event.system_id, "commissioned_on": str(event.commissioned_on)}
                do.execute(insert(views.systems).values(facility=facility, decommissioned_on=None, **row))
            case SystemDecommissioned():
                this = (system.facility == facility) & (system.system_id == event.system_id)
                do.execute(update(views.systems).where(this).values(decommissioned_on=str(event.decommissioned_on)))
            case PointsAdded():
                do.execute(views.add_points(facility, event))
            case PointsRetired():
                do.execute(views.drop_points(facility, event.point_ids))

    @subscribe("work_orders", WorkPerformed)
    def on_work_performed(self, do: Unit, recorded: Recorded) -> None:
        """Know which visits were performed."""
        event = recorded.event
        if isinstance(event, WorkPerformed) and event.occurrence_id is not None:
            occurrence = do.find(Occurrence, event.occurrence_id)
            if occurrence.exists:
                zone = ZoneInfo(self._timezone(do))
                occurrence.perform(event.work_order_id, event.performed_at, recorded.recordedat, zone)

    @query
    def plans(self, facility: str) -> list[dict[str, Any]]:
        """The plans of a facility: plan_id, year, number of items."""
        return self.ledger.database.mappings(select(views.plans).where(views.plans.c.facility == facility))

    @query
    def occurrences(
        self, facility: str, period: str | None = None, system_id: str | None = None, status: str | None = None
    ) -> list[dict[str, Any]]:
        """The occurrences of a facility by window, filtered by month, system and status."""
        table = views.occurrences.c
        wanted = select(views.occurrences).where(table.facility == facility)
        for column, value in ((table.period, period), (table.system_id, system_id), (table.status, status)):
            if value is not None:
                wanted = wanted.where(column == value)
        return self.ledger.database.mappings(wanted.order_by(table.window_start, table.occurrence_id))

    @timer(interval=TICK_SECONDS, eager=True)
    def tick(self) -> None:
        """Look at the clock now and then; in a simulated installation it is moved by `set_clock` instead."""
        if not self.ledger.clock.simulated:
            self.on_clock()

    def on_clock(self) -> None:
        """Make what is due soon and judge what is over, facility by facility, catching up whatever was slept through."""
        faults: list[Exception] = []
        for facility in sorted({row.facility for row in self.ledger.database.rows(select(views.plans.c.facility))}):
            try:
                self._look_at_the_clock(facility)
            except (Conflict, Unavailable) as fault:
                log.info("the clock is looked at again soon", facility=facility, fault=str(fault))
                faults.append(fault)
            except Exception as fault:
                log.exception("the clock was not looked at", facility=facility)
                faults.append(fault)
        if faults and self.ledger.clock.simulated:
            raise faults[0]

    def _look_at_the_clock(self, facility: str) -> None:
        self.must_have_heard(self.asset_registry, facility)
        self.must_have_heard(self.work_orders, facility)
        for decide in (self._schedule, self._judge):
            cause = str(uuid7())
            do = Unit(self.ledger, facility, actor=f"service:{self.name}", correlation_id=cause, causation_id=cause)
            decide(do)
            entry = do.entry()
            if entry.drafts:
                # As they would stand had the clock been looked at all the time; a visit's own do so already.
                entry.drafts = sorted(entry.drafts, key=lambda draft: draft.time)
                self.ledger.append(entry)

    def _schedule(self, do: Unit) -> None:
        self._make_due(do, self._plans(do), self._today(do))

    def _judge(self, do: Unit) -> None:
        """Let every visit that waits be judged, also those that were made only now and are over already."""
        today, zone = self._today(do), ZoneInfo(self._timezone(do))
        for row in do.rows(views.waiting(do.facility)):
            if row.window_end < today.isoformat():
                do.edit(Occurrence, row.occurrence_id).pass_time(today, zone)

    def _plans(self, do: Unit) -> list[Plan]:
        rows = do.rows(select(views.plans.c.plan_id).where(views.plans.c.facility == do.facility))
        return [do.edit(Plan, row.plan_id) for row in rows]

    def _up_to_date(self, do: Unit, plan_id: str) -> Plan:
        """A plan whose visits are made as far ahead as they are to be today."""
        self.must_have_heard(self.asset_registry, do.facility)
        plan = do.edit(Plan, plan_id)
        self._make_due(do, [plan], self._today(do))
        return plan

    def _must_be_planned_once(self, do: Unit, plan: Plan) -> None:
        """Refuse items that another plan of the year has: their visits would have the same ids."""
        others = [other for other in self._plans(do) if other.year == plan.year and other is not plan]
        taken = {
            f"items[{number}].plan_item_id": [f"{item_id} is in plan {other.id} of {plan.year} already"]
            for number, item_id in enumerate(plan.terms)
            for other in others
            if item_id in other.terms
        }
        if taken:
            raise Invalid(taken)

    def _make_due(self, do: Unit, plans: list[Plan], today: date) -> None:
        """Make every occurrence whose window opens within the horizon and that was not made yet."""
        if not plans:
            return
        horizon = today + timedelta(days=HORIZON_DAYS)
        table = views.occurrences.c
        made = {row.occurrence_id for row in do.rows(select(table.occurrence_id).where(table.facility == do.facility))}
        systems = {
            row.system_id: row for row in do.rows(select(views.systems).where(views.systems.c.facility == do.facility))
        }
        points = self._points(do)
        visits = [visit for plan in plans for visit in plan.due(is_workday)]
        for visit in sorted(visits, key=attrgetter("window_start")):
            if visit.window_start > horizon or visit.occurrence_id in made:
                continue
            if _in_commission(systems.get(visit.item.system_id), visit.window_start, visit.window_end):
                occurrence = do.find(Occurrence, visit.occurrence_id)
                if not occurrence.exists:
                    occurrence.schedule(visit, tuple(points[visit.item.system_id]), do.now)

    def _points(self, do: Unit) -> defaultdict[str, list[str]]:
        points: defaultdict[str, list[str]] = defaultdict(list)
        table = views.points.c
        for row in do.rows(select(views.points).where(table.facility == do.facility).order_by(table.point_id)):
            points[row.system_id].append(row.point_id)
        return points

    def _timezone(self, do: Unit) -> str:
        rows = do.rows(select(views.halls.c.timezone).where(views.halls.c.facility == do.facility))
        return str(rows[0].timezone) if rows else "Asia/Shanghai"

    def _today(self, do: Unit) -> date:
        return do.today(self._timezone(do))


def _in_commission(system: Any, start: date, end: date) -> bool:
    """Whether a system is in commission on some day of a window."""
    if system is None or system.commissioned_on > end.isoformat():
        return False
    return system.decommissioned_on is None or bool(system.decommissioned_on >= start.isoformat())
