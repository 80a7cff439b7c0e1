"""The jobs of a simulated year at desks: ratings, costs, the budget, incidents and requests."""

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal

from services.project.field_work import tell_order, verdict_on
from services.project.simulation import Job, Simulation
from services.project.story import CONTRACTORS, DISPATCHER, FINANCE, MANAGER, RATINGS, RECEPTION, ratings, told, yuan

MONTHLY_COSTS = (
    ("guarding", "service", 27800, 29200),
    ("parking", "service", 5900, 6500),
    ("greening", "service", 3400, 4200),
    ("elevators", "service", 2400, 2800),
    ("equipment", "fixed_equipment", 12100, 14600),
    ("electricity", "other", 9800, 16500),
    ("consumables", "consumables", 1500, 3200),
)
"""What is paid every month: for what, its category, and from how much to how much in CNY; made up."""


def month_end(year: int, month: int) -> date:
    """The last day of a month."""
    return date(year, month, monthrange(year, month)[1])


def ratings_of_visitors(simulation: Simulation, year: int) -> Job:
    """Each month's ratings, reported on the 3rd of the next."""
    for month in range(1, 13):
        end = month_end(year, month)
        yield simulation.at(end + timedelta(days=3), 9, 30)
        report = {
            "report_id": f"satisfaction-{year}-{month:02}",
            "period_start": f"{end:%Y-%m}-01",
            "period_end": str(end),
        }
        told_of = {**report, **ratings(simulation.random(report["report_id"]))}
        simulation.tell(report["report_id"], "/satisfaction-reports", told_of, RATINGS)


def bills(simulation: Simulation, year: int) -> Job:
    """Each month's costs on the 25th; one is booked twice, and the second is reversed."""
    twice = simulation.random("booked twice").randint(2, 11)
    for month in range(1, 13):
        yield simulation.at(date(year, month, 25), 14)
        for name, category, low, high in MONTHLY_COSTS:
            cost_id = f"cost-{year}-{month:02}-{name}"
            amount = yuan(simulation.random(cost_id), low, high)
            cost = {"cost_id": cost_id, "amount": amount, "category": category, "supplier": told("供应商")}
            simulation.pay(cost, FINANCE)
            if month == twice and name == "guarding":
                simulation.pay({**cost, "cost_id": f"{cost_id}-again"}, FINANCE)
                yield simulation.now + timedelta(days=2)
                simulation.take_back(f"{cost_id}-again", told("重复入账"), FINANCE)


def budget_reports(simulation: Simulation, year: int, budget: Decimal) -> Job:
    """What of the budget was spent by the end of each quarter, reported on the 5th after it."""
    for month in (3, 6, 9, 12):
        end = month_end(year, month)
        yield simulation.at(end + timedelta(days=5), 16)
        report = {
            "year": year,
            "initial": f"{budget:.2f}",
            "annual": f"{budget:.2f}",
            "executed": f"{simulation.spent_by(end):.2f}",
            "as_of": str(end),
        }
        simulation.tell(f"budget-{end}", "/budgets", report, FINANCE)


def incidents(simulation: Simulation, year: int) -> Job:
    """Two reports in a year: one is no accident, one is."""
    random = simulation.random("incidents")
    false_alarm, accident = random.sample(range(2, 12), k=2)
    for month in sorted((false_alarm, accident)):
        at = simulation.at(date(year, month, random.randint(3, 26)), random.randint(9, 16), random.randrange(60))
        yield at
        id_ = f"incident-{year}-{month:02}"
        report = {"incident_id": id_, "occurred_at": at.isoformat(), "description": told("大厅地面湿滑，有人摔倒")}
        simulation.tell(f"{id_}:report", "/incidents", report, RECEPTION)
        yield simulation.later(random, 1, 2)
        if month == false_alarm:
            simulation.tell(f"{id_}:dismiss", f"/incidents/{id_}/dismiss", {"reason": told("经核实未发生")}, MANAGER)
        else:
            confirmed = {
                "occurred_at": at.isoformat(),
                "harms": ["property"],
                "visitors_affected": random.random() < 0.5,
                "description": told("随身物品损坏，无人受伤"),
            }
            simulation.tell(f"{id_}:confirm", f"/incidents/{id_}/confirm", confirmed, MANAGER)


def emergency(simulation: Simulation, year: int, system_id: str) -> Job:
    """A burst pipe in the fourth quarter: asked for, opened, repaired at once, judged."""
    random = simulation.random("emergency")
    yield simulation.at(date(year, random.randint(10, 11), random.randint(2, 27)), 11)
    request, order, doer = f"request-{year}-1", f"emergency-{year}-1", random.choice(CONTRACTORS)
    asked = {"request_id": request, "description": told("水管爆裂"), "system_id": system_id}
    simulation.tell(request, "/work-requests", asked, RECEPTION)
    opened = {
        "work_order_id": order,
        "kind": "emergency",
        "system_id": system_id,
        "point_ids": [],
        "priority": "urgent",
        "description": told("应急抢修"),
    }
    simulation.tell(order, f"/work-requests/{request}/approve", opened, DISPATCHER)
    tell_order(simulation, order, "assign", {"assignee": doer}, DISPATCHER)
    yield simulation.now + timedelta(minutes=30)
    tell_order(simulation, order, "start", {"at": simulation.now.isoformat()}, doer)
    yield simulation.now + timedelta(minutes=random.randint(60, 200))
    done = {"performed_at": simulation.now.isoformat(), "summary": told("已抢修")}
    tell_order(simulation, order, "perform", done, doer)
    cost = {"cost_id": f"cost-{order}", "amount": yuan(random, 1200, 4800), "category": "other", "work_order_id": order}
    simulation.pay(cost, FINANCE)
    yield from verdict_on(simulation, order, doer, random)


def vain_request(simulation: Simulation, year: int) -> Job:
    """A request that is turned down."""
    random = simulation.random("vain request")
    yield simulation.at(date(year, random.randint(3, 9), random.randint(2, 27)), 11)
    request = f"request-{year}-2"
    simulation.tell(request, "/work-requests", {"request_id": request, "description": told("要求更换座椅")}, RECEPTION)
    yield simulation.later(random, 1, 3)
    refused = {"reason": told("不属于本项目范围")}
    simulation.tell(f"{request}:reject", f"/work-requests/{request}/reject", refused, MANAGER)
