"""Scheduling's wiring."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from uuid_utils import uuid7

from services.scheduling import answers as forms
from services.scheduling import commands, lists, overview, planning, views
from services.scheduling.aggregate import Occurrence, Plan
from services.scheduling.making import Making, Visit, out_of_commission
from services.scheduling.workdays import WorkdayCalendar
from shared import clockwork
from shared.contracts.asset_registry import (
    FacilityRegistered,
    PointsAdded,
    PointsRetired,
    SystemDecommissioned,
    SystemRegistered,
)
from shared.contracts.scheduling import PlanItemChanged, PlanItemWithdrawn, WorkdayCalendarAdopted
from shared.contracts.work_orders import WorkOrderAssigned, WorkOrderOpened, WorkPerformed
from shared.errors import NotFound
from shared.event import Recorded
from shared.pages import Page
from shared.rpc import Peer
from shared.service import answers, command, query
from shared.subscription import subscribe
from shared.unit import Unit

SETTLING = timedelta(seconds=30)
"""How long an event may take from its `recordedat` to its commit: so much later nothing of a day comes in any more."""

Changes = dict[str, list[Any]]
"""What a command changes, or would: added and withdrawn visits, and warnings {code, message, plan_item_id?, system_id?}."""


class Scheduling(clockwork.Clockwork):
    """Makes occurrences from plans ahead of time, and lets the clock judge them."""

    name = "scheduling"
    views = views.VIEWS
    asset_registry = Peer("asset_registry")
    work_orders = Peer("work_orders")

    @answers(forms.PlanChanges)
    @command(commands.AdoptPlan)
    def adopt_plan(self, do: Unit, asked: commands.AdoptPlan) -> Changes:
        """Adopt a plan for systems that are registered, with a workday calendar if any is known, and make what is due."""
        making, today = self._up_to_date(do)
        before = making.outlook()
        planning.must_be_known(asked.items, making)
        planning.record_workdays(making, asked.year, today, do.now)
        plan = do.find(Plan, asked.plan_id)
        plan.adopt(asked.year, asked.items, do.now)
        planning.must_be_planned_once(plan, making)
        making.plans.append(plan)
        making.bring_in_line(today, "workdays", "工作日历发布")
        return self._changes(do, making, before, asked.year, dry_run=asked.dry_run)

    @answers(forms.PlanChanges)
    @command(commands.ChangePlanItem)
    def change_plan_item(self, do: Unit, asked: commands.ChangePlanItem) -> Changes:
        """Change a duty from a day on: what was made ahead by its old reading is withdrawn, and made by the new one."""
        making, today = self._up_to_date(do)
        plan, before = do.edit(Plan, asked.plan_id), making.outlook()
        plan.change(PlanItemChanged(**planning.said(asked)), today, do.now)
        making.bring_in_line(today, "plan", f"计划自 {asked.effective_on} 起变更：{asked.reason}")
        return self._changes(do, making, before, plan.year, dry_run=asked.dry_run)

    @answers(forms.PlanChanges)
    @command(commands.WithdrawPlanItem)
    def withdraw_plan_item(self, do: Unit, asked: commands.WithdrawPlanItem) -> Changes:
        """End a duty from a day on: what was made ahead for later dates is withdrawn."""
        making, today = self._up_to_date(do)
        plan, before = do.edit(Plan, asked.plan_id), making.outlook()
        plan.withdraw(PlanItemWithdrawn(**planning.said(asked)), today, do.now)
        making.bring_in_line(today, "plan", f"计划自 {asked.effective_on} 起取消：{asked.reason}")
        return self._changes(do, making, before, plan.year, dry_run=asked.dry_run)

    @answers(forms.PlanChanges)
    @command(commands.AmendWorkdays)
    def amend_workdays(self, do: Unit, asked: commands.AmendWorkdays) -> Changes:
        """Say anew which days are worked: visits of dates from tomorrow on are read by that, where a plan stands already."""
        making, today = self._up_to_date(do)
        _must_be_registered(do)
        before = making.outlook()
        adopted = WorkdayCalendarAdopted(
            **planning.said(asked), effective_on=planning.takes_effect(making, asked.year, today)
        )
        making.calendar(asked.year).adopt(adopted, do.now)
        making.bring_in_line(today, "workdays", f"工作日历修订：{asked.reason}")
        return self._changes(do, making, before, asked.year, dry_run=asked.dry_run)

    @command(commands.ExcuseOccurrence)
    def excuse_occurrence(self, do: Unit, asked: commands.ExcuseOccurrence) -> None:
        """Excuse a visit, or points of it, once it is known whose work it was."""
        self.must_have_heard(self.work_orders, do.facility)
        self._up_to_date(do)
        doers = {row.doer for row in do.rows(views.doers_of(do.facility, asked.occurrence_id))}
        do.edit(Occurrence, asked.occurrence_id).excuse(asked.point_ids, asked.reason, do.actor, do.now, doers)

    @command(commands.WithdrawOccurrence)
    def withdraw_occurrence(self, do: Unit, asked: commands.WithdrawOccurrence) -> None:
        """Withdraw a visit, once it is sure that no work was reported for it."""
        self.must_have_heard(self.work_orders, do.facility)
        _, today = self._up_to_date(do)
        do.edit(Occurrence, asked.occurrence_id).withdraw(asked.reason, today, do.now)

    @subscribe("asset_registry", SystemRegistered, SystemDecommissioned, PointsAdded, PointsRetired, before=True)
    def make_what_was_due(self, do: Unit, recorded: Recorded) -> None:
        """Make what was to be scheduled before a change of the assets, with the points of then, however late we hear of it."""
        Making(do).make(_told_on(do, recorded))

    @subscribe("asset_registry", FacilityRegistered, SystemRegistered, SystemDecommissioned, PointsAdded, PointsRetired)
    def on_assets(self, do: Unit, recorded: Recorded) -> None:
        """Withdraw the visits that a system's coming or going takes away, if they had not begun then.

        Whether work was done in those that had is known only when the clock is looked at next.
        """
        event = recorded.event
        if isinstance(event, SystemRegistered | SystemDecommissioned):
            told_on, making = _told_on(do, recorded), Making(do)
            if event.system_id in making.systems:
                making.let_leave()
                making.bring_in_line(told_on, "system", out_of_commission(making.systems[event.system_id]))

    @subscribe("work_orders", WorkOrderOpened, WorkOrderAssigned, WorkPerformed)
    def on_work(self, do: Unit, recorded: Recorded) -> None:
        """Say which visits were performed."""
        match recorded.event:
            case WorkPerformed(occurrence_id=str() as visit) as done:
                occurrence = do.find(Occurrence, visit)
                if occurrence.exists:
                    occurrence.perform(done.work_order_id, done.performed_at, recorded.recordedat, _zone(do))

    @answers(forms.ListedPlan)
    @query
    def plans(
        self,
        facility: str,
        *,
        year: int | None = None,
        sort: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page:
        """The plans of a facility: plan_id, year, number of items; by plan_id or year."""
        return lists.plans(self.ledger.database, facility, year, sort=sort, cursor=cursor, limit=limit)

    @answers(forms.PlanAsItReads)
    @query
    def plan(self, facility: str, plan_id: str) -> dict[str, Any]:
        """A plan: plan_id, year, items as they read today, each with its terms."""
        do = self._unit(facility)
        return lists.plan_as_it_reads(do.edit(Plan, plan_id), _today(do))

    @answers(forms.YearOfWorkdays)
    @query
    def workdays(self, facility: str, year: int) -> dict[str, Any]:
        """A year's workday calendar: year, known, source, holidays, make_up_workdays, version (0: not adopted here)."""
        return lists.calendar_of(year, self._unit(facility).find(WorkdayCalendar, str(year)))

    @answers(forms.ListedOccurrence)
    @query
    def occurrences(
        self,
        facility: str,
        *,
        period: str | None = None,
        system_id: str | None = None,
        status: str | None = None,
        assignee: str | None = None,
        since: str | None = None,
        until: str | None = None,
        excused: bool | None = None,
        sort: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page:
        """The occurrences of a facility, also those whose windows touch the days `since` to `until`.

        By window (the day it opens), window_end or system.
        """
        filters = {"period": period, "system_id": system_id, "status": status, "assignee": assignee, "excused": excused}
        paging = {"sort": sort, "cursor": cursor, "limit": limit}
        return lists.occurrences(self.ledger.database, facility, since, until, filters, **paging)

    @answers(forms.OccurrenceWithPoints)
    @query
    def occurrence(self, facility: str, occurrence_id: str) -> dict[str, Any]:
        """One occurrence as the list shows it, with its point_ids and excuses."""
        past = self.ledger.stream(facility, Occurrence(occurrence_id).stream)
        return lists.occurrence(self.ledger.database, facility, occurrence_id, past)

    @answers(forms.YearOfVisits)
    @query
    def year_view(self, facility: str, year: int) -> dict[str, Any]:
        """A year: for each system and month the visits that were made or are expected; and what the plan lacks."""
        making = Making(self._unit(facility))
        systems = overview.year_of(self.ledger.database, facility, making, year)
        return {"year": year, "systems": systems, "warnings": self._warnings(making, year)}

    @query
    def calendar(self, facility: str, assignee: str | None = None) -> dict[str, str]:
        """The visits of a facility, or those that are given to one person, as an iCalendar file (RFC 5545)."""
        return overview.calendar_of(self.ledger, facility, Making(self._unit(facility)), assignee)

    def facilities_that_wait(self) -> list[str]:
        """Those with a plan."""
        return sorted({row.facility for row in self.ledger.database.rows(select(views.plans.c.facility))})

    def look_at_the_clock(self, facility: str) -> None:
        """Judge only what was over before all that is recorded was heard: work of the last moment is never overlooked."""
        clock = self.ledger.clock
        settled = clock.now() if clock.simulated else clock.now() - SETTLING
        self.must_have_heard(self.asset_registry, facility)
        self.must_have_heard(self.work_orders, facility)
        decisions: tuple[Callable[[Unit], None], ...] = (
            _note_what_leaves,
            _make_and_withdraw,
            partial(_judge, settled=settled),
        )
        for decide in decisions:
            do = self._unit(facility)
            decide(do)
            entry = do.entry()
            if entry.drafts:
                # As they would stand had the clock been looked at all the time; a visit's own do so already.
                entry.drafts = sorted(entry.drafts, key=lambda draft: draft.time)
                self.ledger.append(entry)

    def _unit(self, facility: str) -> Unit:
        cause = str(uuid7())
        return Unit(self.ledger, facility, actor=f"service:{self.name}", correlation_id=cause, causation_id=cause)

    def _up_to_date(self, do: Unit) -> tuple[Making, date]:
        """The visits of a facility, made as far ahead as they are to be today, and that day."""
        self.must_have_heard(self.asset_registry, do.facility)
        making, today = Making(do), _today(do)
        making.make(today)
        return making, today

    def _changes(
        self, do: Unit, making: Making, before: dict[tuple[str, ...], Visit], year: int, *, dry_run: bool
    ) -> Changes:
        """What a command changed since `before`; after a dry run nothing did."""
        after = making.outlook()
        changes: Changes = {
            "added": [visit for key, visit in after.items() if key not in before],
            "withdrawn": [visit for key, visit in before.items() if key not in after],
            "warnings": self._warnings(making, year),
        }
        if dry_run:
            do.forget()
        return changes

    def _warnings(self, making: Making, year: int) -> list[dict[str, str]]:
        """What whoever plans a year should know, though nothing of it is refused."""
        return [*planning.unknown_workdays(making, year), *overview.shortfalls(making, year)]


def _note_what_leaves(do: Unit) -> None:
    """Mostly noted when it was heard; not where that was before such a note was an event."""
    Making(do).let_leave()


def _make_and_withdraw(do: Unit) -> None:
    making = Making(do)
    making.withdraw_left()
    making.bring_in_line(_today(do), "plan", "计划中已无此项")


def _judge(do: Unit, settled: datetime) -> None:
    """Let every visit that waits be judged, also those that were made only now and are over already."""
    zone = _zone(do)
    today = settled.astimezone(zone).date()
    for row in do.rows(views.waiting(do.facility)):
        if row.window_end < today.isoformat():
            do.edit(Occurrence, row.occurrence_id).pass_time(today, zone)


def _must_be_registered(do: Unit) -> None:
    if not do.rows(select(views.halls.c.facility).where(views.halls.c.facility == do.facility)):
        raise NotFound(f"no facility {do.facility}")


def _zone(do: Unit) -> ZoneInfo:
    rows = do.rows(select(views.halls.c.timezone).where(views.halls.c.facility == do.facility))
    return ZoneInfo(str(rows[0].timezone) if rows else views.ZONE)


def _told_on(do: Unit, recorded: Recorded) -> date:
    """The local day on which an event was recorded."""
    return recorded.recordedat.astimezone(_zone(do)).date()


def _today(do: Unit) -> date:
    return do.today(_zone(do).key)
