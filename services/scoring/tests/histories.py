"""Small builders of histories: each event in one line, told at a local time of the hall."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.scoring.evaluation import evaluate
from services.scoring.facts import Facts
from services.scoring.rulebooks.rulebook import Rulebook, read_rulebook
from shared.contracts.asset_registry import FacilityRegistered, SystemDecommissioned, SystemRegistered
from shared.contracts.scheduling import OccurrenceExcused, OccurrenceScheduled, OccurrenceWithdrawn
from shared.contracts.scoring import BudgetRecorded, CostBaselineRecorded, DeductionWaived, SatisfactionReported
from shared.contracts.work_orders import (
    CostRecorded,
    CostReversed,
    EquipmentReplaced,
    IncidentConfirmed,
    IncidentDismissed,
    PointResult,
    PointsInspected,
    WorkAccepted,
    WorkOrderOpened,
    WorkPerformed,
    WorkReturned,
)
from shared.event import Event, Recorded, check

RULEBOOKS = Path(__file__).parents[3] / "projects/chenggong-2021/rulebooks"
CHENGGONG = read_rulebook((RULEBOOKS / "chenggong-2021.yaml").read_bytes())
MOF = read_rulebook((RULEBOOKS / "mof-2020.yaml").read_bytes())
SHANGHAI = ZoneInfo("Asia/Shanghai")
LONG_AGO = "2020-12-01"

_numbers = count(1)


def local(text: str) -> datetime:
    """`2021-03-09` (noon) or `2021-03-09 23:59` in Shanghai."""
    moment = datetime.fromisoformat(text)
    return (moment if " " in text else datetime.combine(moment, time(12))).replace(tzinfo=SHANGHAI)


def told(
    event: Event, recorded: str = LONG_AGO, happened: str | None = None, id_: str | None = None, facility: str = "hall"
) -> Recorded:
    """An event in its envelope; ids rise in the order of telling."""
    return Recorded(
        id=id_ or f"e-{next(_numbers):06}",
        source=f"/{event.type.partition('.')[0]}",
        type=event.type,
        time=local(happened or recorded),
        recordedat=local(recorded),
        facility=facility,
        event=event,
    )


def facility(timezone: str, **telling: Any) -> Recorded:
    """The hall, in a time zone."""
    event = FacilityRegistered(
        facility_id="hall", name="政务中心", uscc="11530121MB198972XH", region_code="530114", timezone=timezone
    )
    return told(event, **telling)


def system(name: str = "hvac", since: str = "2021-03-01", **telling: Any) -> Recorded:
    """A system in commission."""
    event = SystemRegistered(system_id=name, name=name, category="safety", commissioned_on=date.fromisoformat(since))
    return told(event, **telling)


def decommissioned(name: str = "hvac", on: str = "2021-03-31", **telling: Any) -> Recorded:
    """A system out of commission after a day."""
    event = SystemDecommissioned(system_id=name, decommissioned_on=date.fromisoformat(on), reason="拆除")
    return told(event, **{"recorded": "2021-02-01", **telling})


def visit(
    name: str = "v",
    *,
    period: str = "2021-03",
    start: str = "2021-03-01",
    end: str = "2021-03-31",
    points: Iterable[str] = (),
    of: str = "hvac",
    activity: Any = "inspection",
    **telling: Any,
) -> Recorded:
    """A visit due within a window."""
    event = OccurrenceScheduled(
        occurrence_id=name,
        plan_item_id="item",
        system_id=of,
        activity=activity,
        period=period,
        window_start=date.fromisoformat(start),
        window_end=date.fromisoformat(end),
        point_ids=tuple(points),
    )
    return told(event, **telling)


def withdrawn(name: str = "v", recorded: str = "2021-03-01", **telling: Any) -> Recorded:
    """A visit is not due after all."""
    return told(OccurrenceWithdrawn(occurrence_id=name, reason="改期"), recorded, **telling)


def excused(
    name: str = "v", points: Iterable[str] | None = None, recorded: str = "2021-04-20", **telling: Any
) -> Recorded:
    """A visit, or points of it, excused."""
    point_ids = None if points is None else tuple(points)
    event = OccurrenceExcused(occurrence_id=name, reason="停电", approved_by="user:chen", point_ids=point_ids)
    return told(event, recorded, **telling)


def opened(name: str | None = "v", **telling: Any) -> Recorded:
    """A work order for a visit."""
    event = WorkOrderOpened(
        work_order_id="wo", kind="inspection", occurrence_id=name, system_id="hvac", point_ids=(), priority="normal"
    )
    return told(event, **telling)


def performed(
    name: str | None = "v",
    on: str = "2021-03-09",
    recorded: str | None = None,
    kind: Any = "inspection",
    of: str = "hvac",
    **telling: Any,
) -> Recorded:
    """Work done on a day, recorded the same day unless said otherwise."""
    event = WorkPerformed(
        work_order_id="wo",
        kind=kind,
        occurrence_id=name,
        system_id=of,
        performed_at=local(on),
        performed_by="user:li",
    )
    return told(event, recorded or on, **telling)


def inspected(
    *points: str,
    of: str | None = "v",
    outcome: Any = "normal",
    note: str | None = None,
    recorded: str = "2021-03-09",
    **telling: Any,
) -> Recorded:
    """Results for points, all alike."""
    results = tuple(PointResult(point_id=point, outcome=outcome, note=note) for point in points)
    event = PointsInspected(work_order_id="wo", occurrence_id=of, system_id="hvac", results=results)
    return told(event, recorded, **telling)


def accepted(order: str, on: str = "2021-03-10", kind: Any = "inspection", **telling: Any) -> Recorded:
    """Work up to standard."""
    event = WorkAccepted(work_order_id=order, kind=kind, system_id="hvac", accepted_by="user:wang")
    return told(event, happened=on, **{"recorded": on, **telling})


def returned(order: str, on: str = "2021-03-10", kind: Any = "inspection", **telling: Any) -> Recorded:
    """Work not up to standard."""
    event = WorkReturned(work_order_id=order, kind=kind, system_id="hvac", returned_by="user:wang", reason="未按质按量")
    return told(event, happened=on, **{"recorded": on, **telling})


def cost(name: str, amount: str, on: str = "2021-05-05", category: Any = "fixed_equipment", **telling: Any) -> Recorded:
    """Money spent."""
    event = CostRecorded(cost_id=name, amount=Decimal(amount), category=category, incurred_on=date.fromisoformat(on))
    return told(event, **telling)


def cost_reversed(name: str, **telling: Any) -> Recorded:
    """Money booked by mistake."""
    return told(CostReversed(cost_id=name, reason="误记"), **telling)


def baseline(amount: str = "1000.00", year: int = 2020, **telling: Any) -> Recorded:
    """What a year cost."""
    return told(CostBaselineRecorded(year=year, amount=Decimal(amount), basis="决算"), **telling)


def incident(
    name: str = "i", on: str = "2021-06-10", harms: Iterable[Any] = ("life",), visitors: bool = True, **telling: Any
) -> Recorded:
    """A confirmed accident."""
    event = IncidentConfirmed(
        incident_id=name, occurred_at=local(on), harms=tuple(harms), visitors_affected=visitors, description="滑倒"
    )
    return told(event, **telling)


def dismissed(name: str = "i", **telling: Any) -> Recorded:
    """No accident."""
    return told(IncidentDismissed(incident_id=name, reason="非事故"), **telling)


def report(
    name: str = "r",
    *,
    good: int = 0,
    bad: int = 0,
    defaulted: int = 0,
    overturned: int = 0,
    end: str = "2021-06-30",
    **telling: Any,
) -> Recorded:
    """Ratings up to a day; all the good ones basically satisfied, all the bad ones dissatisfied."""
    event = SatisfactionReported(
        report_id=name,
        period_start=date(2020, 1, 1),
        period_end=date.fromisoformat(end),
        very_satisfied=0,
        satisfied=0,
        basically_satisfied=good,
        dissatisfied=bad,
        very_dissatisfied=0,
        defaulted=defaulted,
        overturned=overturned,
    )
    return told(event, **telling)


def ratings(name: str = "r", *levels: int, overturned: int = 0, end: str = "2021-06-30", **telling: Any) -> Recorded:
    """Ratings up to a day, from very satisfied to very dissatisfied."""
    event = SatisfactionReported(
        report_id=name,
        period_start=date(2021, 1, 1),
        period_end=date.fromisoformat(end),
        very_satisfied=levels[0],
        satisfied=levels[1],
        basically_satisfied=levels[2],
        dissatisfied=levels[3],
        very_dissatisfied=levels[4],
        defaulted=0,
        overturned=overturned,
    )
    return told(event, **telling)


def replaced(point: str = "P1", requested: str = "2021-01-04", on: str = "2021-12-30", **telling: Any) -> Recorded:
    """Equipment replaced, long after it was asked for."""
    event = EquipmentReplaced(
        work_order_id="wo",
        point_id=point,
        requested_on=date.fromisoformat(requested),
        replaced_on=date.fromisoformat(on),
    )
    return told(event, **telling)


def budget(
    executed: str, annual: str = "900000.00", as_of: str = "2021-12-31", year: int = 2021, **telling: Any
) -> Recorded:
    """The budget as it stood on a day."""
    event = BudgetRecorded(
        year=year,
        initial=Decimal("900000.00"),
        annual=Decimal(annual),
        executed=Decimal(executed),
        as_of=date.fromisoformat(as_of),
    )
    return told(event, **telling)


def waiver(recorded: str = "2021-12-30", id_: str | None = None, **names: str) -> Recorded:
    """A deduction waived."""
    return told(DeductionWaived(waiver_id="w", reason="不可抗力", approved_by="user:chen", **names), recorded, id_=id_)


def in_a_file(type_: str, data: dict[str, Any]) -> Recorded:
    """An event as it stands in a file, read from there; raises Invalid where it may not stand so."""
    moment = local(LONG_AGO).isoformat()
    envelope = {"id": f"e-{next(_numbers):06}", "time": moment, "recordedat": moment, "facility": "hall"}
    return check({**envelope, "source": f"/{type_.partition('.')[0]}", "type": type_, "data": data})


def ruled(indicator: str, rulebook: Rulebook = CHENGGONG, **parameters: Any) -> Rulebook:
    """The rulebook with other parameters of an indicator's rule."""
    rows = [
        replace(one, rule=replace(one.rule, parameters={**one.rule.parameters, **parameters}))
        if one.id == indicator
        else one
        for one in rulebook.indicators
    ]
    return replace(rulebook, indicators=rows)


def score(
    *history: Recorded, as_of: str = "2021-12-31", known_at: str | None = None, rulebook: Any = CHENGGONG
) -> dict[str, Any]:
    """The whole result as JSON values."""
    moment = None if known_at is None else local(known_at)
    return evaluate(Facts().extend(history), rulebook, date.fromisoformat(as_of), moment).as_json()


def row(indicator: str, *history: Recorded, **question: Any) -> dict[str, Any]:
    """One indicator's result."""
    found: dict[str, Any] = next(one for one in score(*history, **question)["indicators"] if one["id"] == indicator)
    return found


def march(*history: Recorded, as_of: str = "2021-03-31", **question: Any) -> dict[str, Any]:
    """Indicator hvac when nothing but March is due."""
    return row("hvac", system(), *history, as_of=as_of, **question)


def reasons(found: dict[str, Any]) -> list[str]:
    """Why points were taken off."""
    return [deduction["reason"] for deduction in found["deductions"]]
