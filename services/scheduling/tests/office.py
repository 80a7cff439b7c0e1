"""An office whose schedules are looked after: assets and work are told as events, the clock is looked at when a test says so."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.scheduling.tests.plans import item
from shared.contracts.asset_registry import (
    FacilityRegistered,
    Point,
    PointsAdded,
    PointsRetired,
    SystemDecommissioned,
    SystemRegistered,
)
from shared.contracts.scheduling import OccurrenceMissed, OccurrenceOverdue, OccurrenceScheduled, PlanItem
from shared.contracts.work_orders import WorkOrderAssigned, WorkOrderOpened, WorkPerformed
from shared.tests.alone import Alone

ZONE = ZoneInfo("Asia/Shanghai")
MONTHLY = item("FREQ=MONTHLY;BYMONTHDAY=1", system_id="hvac", plan_item_id="hvac")


def local(text: str) -> datetime:
    """A local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


class Office:
    """The scheduling service of one hall with one system, hvac, with points P-1 and P-2."""

    def __init__(self, alone: Alone) -> None:
        self.alone = alone

    def open(self, day: str = "2020-12-20", since: str = "2020-01-01", timezone: str = ZONE.key) -> "Office":
        """Begin anew with a hall of its own."""
        self.alone.new_hall()
        self.at(day)
        self.alone.tell(
            "facility/hall",
            FacilityRegistered(
                facility_id=self.alone.hall, name="大厅", uscc="x", region_code="530114", timezone=timezone
            ),
        )
        self.register(since)
        self.add_points("P-1", "P-2")
        return self

    def at(self, moment: str) -> None:
        """Let it be some local time."""
        self.alone.set_time(local(moment))

    def look(self, moment: str | None = None) -> None:
        """Look at the clock, of this hall only."""
        if moment is not None:
            self.at(moment)
        self.alone.service.look_at_the_clock(self.alone.hall)

    def register(self, since: str, system: str = "hvac") -> None:
        """Put a system in commission."""
        day = date.fromisoformat(since)
        registered = SystemRegistered(system_id=system, name=system, category="any", commissioned_on=day)
        self.alone.tell(f"system/{system}", registered)

    def decommission(self, on: str, system: str = "hvac") -> None:
        """Take a system out of commission."""
        day = date.fromisoformat(on)
        self.alone.tell(
            f"system/{system}", SystemDecommissioned(system_id=system, decommissioned_on=day, reason="拆除")
        )

    def add_points(self, *ids: str) -> None:
        """Add points to hvac."""
        points = tuple(Point(point_id=id_, label=id_) for id_ in ids)
        self.alone.tell("system/hvac", PointsAdded(system_id="hvac", equipment="室内机", points=points))

    def retire_points(self, *ids: str) -> None:
        """Retire points of hvac."""
        self.alone.tell("system/hvac", PointsRetired(system_id="hvac", point_ids=ids, reason="拆除"))

    def adopt(self, *items: PlanItem, plan_id: str = "p", year: int = 2021, **more: Any) -> Any:
        """Adopt a plan."""
        return self.alone.ask("adopt_plan", plan_id=plan_id, year=year, items=[_json(one) for one in items], **more)

    def change(self, effective_on: str, plan_item_id: str = "hvac", **terms: Any) -> Any:
        """Let a duty read otherwise."""
        change = {"plan_id": "p", "plan_item_id": plan_item_id, "effective_on": effective_on, "reason": "改期"}
        return self.alone.ask("change_plan_item", **{**change, **terms})

    def end(self, effective_on: str, plan_item_id: str = "hvac", **more: Any) -> Any:
        """Withdraw a duty."""
        withdrawal = {"plan_id": "p", "plan_item_id": plan_item_id, "effective_on": effective_on, "reason": "取消"}
        return self.alone.ask("withdraw_plan_item", **withdrawal, **more)

    def amend(self, year: int, holidays: Iterable[str] = (), make_up: Iterable[str] = (), **more: Any) -> Any:
        """Say which days of a year are worked."""
        days = {"year": year, "holidays": list(holidays), "make_up_workdays": list(make_up)}
        told: dict[str, Any] = {**days, "source": "国办发明电", "reason": "放假通知", **more}
        return self.alone.ask("amend_workdays", **told)

    def give(self, occurrence_id: str, *people: str) -> None:
        """The work of a visit is given to one after the other."""
        id_ = f"wo:{occurrence_id}"
        opened = WorkOrderOpened(
            work_order_id=id_,
            kind="inspection",
            system_id="hvac",
            point_ids=(),
            priority="normal",
            occurrence_id=occurrence_id,
        )
        given = [WorkOrderAssigned(work_order_id=id_, assignee=one) for one in people]
        self.alone.tell(f"work-order/{id_}", opened, *given)

    def perform(self, occurrence_id: str, performed_at: str) -> None:
        """Work on a visit is reported."""
        done = WorkPerformed(
            work_order_id=f"wo:{occurrence_id}",
            kind="inspection",
            occurrence_id=occurrence_id,
            system_id="hvac",
            performed_at=local(performed_at),
            performed_by="user:li",
        )
        self.alone.tell(f"work-order/wo:{occurrence_id}", done)

    def made(self) -> list[str]:
        """The ids of the visits made so far, in the order of their making."""
        return [event.occurrence_id for event in self.alone.events(OccurrenceScheduled)]

    def statuses(self) -> dict[str, str]:
        """Where each visit stands, as shown."""
        return {row["occurrence_id"]: row["status"] for row in self.shown()}

    def shown(self, **filters: Any) -> list[dict[str, Any]]:
        """The visits as listed."""
        rows: list[dict[str, Any]] = self.alone.service.occurrences(self.alone.hall, **filters)["items"]
        return rows

    def standing(self) -> list[tuple[str, str]]:
        """The visits made and not withdrawn: (id, first day), by that day."""
        return [(row["occurrence_id"], row["window_start"]) for row in self.shown() if row["status"] != "withdrawn"]

    def verdicts(self) -> list[tuple[str, str, str]]:
        """What the clock said, in order: (overdue or missed, visit, local time)."""
        return [
            (
                one.event.event_name.removeprefix("occurrence_"),
                one.event.occurrence_id,
                f"{one.time.astimezone(ZONE):%Y-%m-%d %H:%M}",
            )
            for one in self.alone.recorded(OccurrenceOverdue, OccurrenceMissed)
            if isinstance(one.event, OccurrenceOverdue | OccurrenceMissed)
        ]


def _json(duty: PlanItem) -> dict[str, Any]:
    return {name: value for name, value in asdict(duty).items() if value is not None}
