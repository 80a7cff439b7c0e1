"""The jobs of a simulated year on site: planned visits, repairs, and the verdicts on them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from services.project.simulation import Job, Simulation, weekday
from services.project.story import (
    CONTRACTORS,
    DISPATCHER,
    FAULT_RATE,
    FAULTS,
    FINANCE,
    INSPECTORS,
    MANAGER,
    NOT_APPLICABLE_RATE,
    SUPERVISOR,
    Lapse,
    told,
    yuan,
)

BACKFILL_DAYS = 5
"""How long after its window a visit may still be written down (rulebook chenggong-2021)."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """An occurrence with the work order that was opened for it, and what goes wrong with it."""

    occurrence_id: str
    work_order_id: str
    system_id: str
    activity: str
    window_start: date
    window_end: date
    point_ids: tuple[str, ...]
    lapse: Lapse | None = None


@dataclass(frozen=True, kw_only=True)
class Hours:
    """When a visit was begun and ended, and when it was written down."""

    begun: datetime
    ended: datetime
    written: datetime


def visit_to(simulation: Simulation, visit: Visit) -> Job:
    """One planned visit: done and judged, or never done."""
    random = simulation.random(visit.occurrence_id)
    if visit.lapse in ("missed", "excused"):
        yield from _left_undone(simulation, visit)
        return
    hours = _hours(simulation, visit, random)
    order, doer = visit.work_order_id, random.choice(INSPECTORS if visit.activity == "inspection" else CONTRACTORS)
    yield hours.begun if hours.written == hours.ended else hours.written
    tell_order(simulation, order, "assign", {"assignee": doer}, DISPATCHER)
    tell_order(simulation, order, "start", {"at": hours.begun.isoformat()}, doer)
    yield hours.written
    repairs, omitted = _write_down(simulation, visit, doer, random) if visit.activity == "inspection" else ([], [])
    done = _performed(hours.ended, "按计划完成") | ({"omitted_point_ids": omitted} if omitted else {})
    tell_order(simulation, order, "perform", done, doer)
    for repair in repairs:
        simulation.begin(f"repair:{repair}", repair_of(simulation, repair))
    returned = visit.lapse == "returned" or (visit.activity != "inspection" and random.random() < 0.02)
    yield from verdict_on(simulation, order, doer, random, returned=returned)


def repair_of(simulation: Simulation, id_: str) -> Job:
    """A corrective order: given out, sometimes waiting for a part, done, paid and judged."""
    (point,) = simulation.ask(f"/work-orders/{id_}")["point_ids"]
    random, requested = simulation.random(f"repair:{id_}"), simulation.now.date()
    doer = random.choice(CONTRACTORS)
    yield simulation.later(random, 1, 3)
    tell_order(simulation, id_, "assign", {"assignee": doer}, DISPATCHER)
    tell_order(simulation, id_, "start", {"at": simulation.now.isoformat()}, doer)
    if random.random() < 0.3:
        tell_order(simulation, id_, "hold", {"at": simulation.now.isoformat(), "reason": told("等待备件")}, doer)
        yield simulation.later(random, 2, 6)
        tell_order(simulation, id_, "resume", {"at": simulation.now.isoformat()}, doer)
    yield simulation.now + timedelta(minutes=random.randint(30, 150))
    if random.random() < 0.5:
        replaced = {"point_id": point, "requested_on": str(requested), "replaced_on": str(simulation.now.date())}
        tell_order(simulation, id_, "replacements", replaced, doer)
    tell_order(simulation, id_, "perform", _performed(simulation.now, "故障已排除"), doer)
    cost = {"cost_id": f"cost-{id_}"[:80], "amount": yuan(random, 180, 1600), "category": "fixed_equipment"}
    simulation.pay({**cost, "work_order_id": id_, "supplier": told("维修单位")}, FINANCE)
    yield from verdict_on(simulation, id_, doer, random)


def verdict_on(simulation: Simulation, order: str, doer: str, random: Random, *, returned: bool = False) -> Job:
    """A supervisor's look at performed work; what is returned is done again, and then accepted."""
    yield simulation.later(random, 1, 2)
    if returned:
        tell_order(simulation, order, "return", {"reason": told("未按质按量，部分记录不清")}, SUPERVISOR)
        yield simulation.later(random, 1, 2)
        tell_order(simulation, order, "perform", _performed(simulation.now, "已返工"), doer, attempt=2)
        yield simulation.later(random, 1, 2)
    tell_order(simulation, order, "accept", {}, SUPERVISOR)
    tell_order(simulation, order, "close", {}, DISPATCHER)


def tell_order(
    simulation: Simulation, order: str, verb: str, body: dict[str, Any], actor: str, *, attempt: int = 1
) -> Any:
    """Send a command about a work order."""
    return simulation.tell(f"{order}:{verb}:{attempt}", f"/work-orders/{order}/{verb}", body, actor)


def _left_undone(simulation: Simulation, visit: Visit) -> Job:
    """Nobody comes; when that is certain, the order is called off, and one miss is excused by the manager."""
    yield simulation.at(visit.window_end + timedelta(days=BACKFILL_DAYS + 2), 10)
    simulation.move_clock()
    if visit.lapse == "excused":
        reason = {"reason": told("设备停用检修，无法检查")}
        simulation.tell(f"{visit.occurrence_id}:excuse", f"/occurrences/{visit.occurrence_id}/excuse", reason, MANAGER)
    tell_order(simulation, visit.work_order_id, "cancel", {"reason": told("已过期，未执行")}, DISPATCHER)


def _hours(simulation: Simulation, visit: Visit, random: Random) -> Hours:
    """A weekday in the window where there is one, mostly in its first half; longer where there is more to look at."""
    first = max(visit.window_start, simulation.now.date())
    span = (visit.window_end - first).days
    day = min(weekday(first + timedelta(days=int(span * random.triangular(0, 0.9, 0.3)))), visit.window_end)
    begun = simulation.at(day, random.randint(8, 10), random.randrange(60))
    minutes = 20 + random.randint(1, 3) * min(len(visit.point_ids), 360) // 4
    ended = begun + timedelta(minutes=minutes)
    match visit.lapse:
        case "late":
            written = simulation.at(visit.window_end + timedelta(days=BACKFILL_DAYS + 3), 10)
        case "backfilled":
            written = simulation.at(visit.window_end + timedelta(days=2), 10)
        case _:
            written = ended
    return Hours(begun=begun, ended=ended, written=written)


def _write_down(simulation: Simulation, visit: Visit, doer: str, random: Random) -> tuple[list[str], list[str]]:
    """The results of all points, but for those that a forgetful round passed by.

    Answers the repairs that it opened, and the points passed by.
    """
    points = sorted(visit.point_ids)
    forgotten = random.sample(points, k=min(len(points), random.randint(1, 3))) if visit.lapse == "forgotten" else []
    results = [_result(point, random) for point in points if point not in forgotten]
    if not results:
        return [], forgotten
    answer = tell_order(simulation, visit.work_order_id, "inspect", {"results": results}, doer)
    return list(answer["opened"]), forgotten


def _result(point: str, random: Random) -> dict[str, Any]:
    luck = random.random()
    if luck < FAULT_RATE:
        fixed = random.random() < 0.4
        note = random.choice(FAULTS) + ("，已当场处理" if fixed else "，已报修")
        return {"point_id": point, "outcome": "fault", "note": told(note), "fixed_on_site": fixed}
    if luck < FAULT_RATE + NOT_APPLICABLE_RATE:
        return {"point_id": point, "outcome": "not_applicable", "note": told("现场封闭，不具备检查条件")}
    return {"point_id": point, "outcome": "normal"}


def _performed(at: datetime, summary: str) -> dict[str, Any]:
    return {"performed_at": at.isoformat(), "summary": told(summary)}
