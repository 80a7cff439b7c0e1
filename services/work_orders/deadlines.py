"""The wiring of due times: service levels, the workdays that scheduling knows, and what the clock escalates."""

from datetime import date
from typing import Any

from sqlalchemy import select
from uuid_utils import uuid7

from services.work_orders import commands
from services.work_orders.aggregate import UNFINISHED, WorkOrder
from services.work_orders.answers import ServiceLevelsInForce
from services.work_orders.assets import zone_of
from services.work_orders.books import workday_calendars
from services.work_orders.due_times import Reckoning, Workdays, with_due_times
from services.work_orders.levels import ServiceLevels
from services.work_orders.tables import sortable
from services.work_orders.views import work_orders
from shared import clockwork
from shared.contracts.scheduling import WorkdayCalendarAdopted
from shared.contracts.work_orders import ServiceLevelsAdopted, WorkOrderOpened
from shared.event import Recorded
from shared.service import answers, command, query
from shared.subscription import subscribe
from shared.unit import Unit


class Deadlines(clockwork.Clockwork):
    """Says when jobs are due, and tells leaders of those that are not done."""

    @command(commands.AdoptServiceLevels)
    def adopt_service_levels(self, do: Unit, asked: commands.AdoptServiceLevels) -> None:
        """Let these service levels hold for jobs opened from now on."""
        do.find(ServiceLevels, do.facility).adopt(ServiceLevelsAdopted(**vars(asked)), do.now)

    @subscribe("scheduling", WorkdayCalendarAdopted)
    def on_workday_calendar_adopted(self, do: Unit, recorded: Recorded) -> None:
        """Know the workdays of a year."""

    @answers(ServiceLevelsInForce)
    @query
    def service_levels(self, facility: str) -> dict[str, Any]:
        """What holds for jobs opened now: {low, normal, high, urgent, shifts, source: "adopted", or "default": ours}."""
        stream = ServiceLevels(facility).stream
        past = (recorded.event for recorded in self.ledger.stream(facility, stream))
        levels = ServiceLevels.replay(facility, past)
        return {**levels.in_force.data(), "source": "adopted" if levels.adopted else "default"}

    def facilities_that_wait(self) -> list[str]:
        """Those with an order that somebody may have to be told of now."""
        return list(self._late())

    def look_at_the_clock(self, facility: str) -> None:
        """Escalate what is due and not done, in one entry, as it would stand had the clock been looked at all the time."""
        cause = str(uuid7())
        do = Unit(self.ledger, facility, actor=f"service:{self.name}", correlation_id=cause, causation_id=cause)
        for id_ in self._late(facility).get(facility, ()):
            do.edit(WorkOrder, id_).escalate(do.now)
        entry = do.entry()
        if entry.drafts:
            entry.drafts = sorted(entry.drafts, key=lambda draft: draft.time)
            self.ledger.append(entry)

    def _late(self, facility: str | None = None) -> dict[str, list[str]]:
        """The orders by facility, or those of one, that somebody may have to be told of now."""
        order, now = work_orders.c, sortable(self.ledger.clock.now())
        wanted = (
            select(order.facility, order.work_order_id)
            .where(order.status.in_([status.value for status in UNFINISHED]), order.occurrence_id.is_(None))
            .where(
                ((order.escalated == 0) & (order.due_sort <= now))
                | ((order.escalated == 1) & (order.escalates_at <= now))
            )
            .order_by(order.facility, order.due_sort, order.work_order_id)
        )
        if facility is not None:
            wanted = wanted.where(order.facility == facility)
        late: dict[str, list[str]] = {}
        for row in self.ledger.database.rows(wanted):
            late.setdefault(row.facility, []).append(row.work_order_id)
        return late


def timed(do: Unit, order: WorkOrderOpened) -> WorkOrderOpened:
    """An order that is opened now, with its due times; raises Invalid for a due time before now."""
    if order.occurrence_id is not None:
        return order  # its window judges it
    by = Reckoning(levels=do.find(ServiceLevels, do.facility).in_force, zone=zone_of(do), calendars=_calendars(do))
    return with_due_times(order, do.now, by)


def _calendars(do: Unit) -> dict[int, Workdays]:
    rows = do.rows(select(workday_calendars).where(workday_calendars.c.facility == do.facility))
    return {
        row.year: Workdays(
            holidays=frozenset(map(date.fromisoformat, row.holidays)),
            make_up_workdays=frozenset(map(date.fromisoformat, row.make_up_workdays)),
        )
        for row in rows
    }
