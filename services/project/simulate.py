"""A made-up year of work in a simulated installation, through the same commands that people send.

The same seed gives the same year: the same visits, lapses, costs and ratings, and so the same score.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from services.project import office_work
from services.project.client import Client
from services.project.field_work import BACKFILL_DAYS, Visit, visit_to
from services.project.load import Progress, assessment_id, settle
from services.project.simulation import Job, Simulation
from services.project.story import MANAGER, RECEPTION, SUPERVISOR, Lapse, lapses, told
from shared.errors import Conflict, Invalid, NotFound, Rejected

BUDGET = Decimal("900000.00")
"""全年安排资金90万元, of which a simulated year spends what it spends."""

EMERGENCIES = "emergency-repair"
"""The system that emergencies are booked on, where the facility has it."""


def simulate_year(
    client: Client, facility: str | None, year: int, seed: int, progress: Progress = lambda *_: None
) -> dict[str, Any]:
    """Simulate a year and publish its assessment; answers the result as `score --json` prints it.

    Without `facility`, there must be just one. Raises Rejected where the installation is real, has no plan of the year,
    or stands too late in it, and Conflict where the year was simulated with another seed.
    """
    simulation = _prepared(client, facility, year, seed)
    systems = {entry["system_id"] for entry in simulation.ask("/systems")}
    _sign(simulation)
    simulation.begin("", _weeks(simulation))
    for name, job in _desks(simulation, systems):
        simulation.begin(name, job)
    first, last = simulation.now, simulation.at(date(year + 1, 1, BACKFILL_DAYS + 3))
    for moment in simulation.run(until=last):
        progress(f"{moment:%Y-%m-%d}", (moment - first) / (last - first))
    return _published(simulation)


def _prepared(client: Client, facility: str | None, year: int, seed: int) -> Simulation:
    """A simulation that may begin."""
    installation = client.get("/installation")
    if not installation["simulated"]:
        raise Rejected(f"{client.url} is a real installation; a year is only made up in a simulated one")
    home = _facility(client, facility)
    simulation = Simulation(client, home["facility_id"], ZoneInfo(home["timezone"]), year, seed)
    if not any(plan["year"] == year for plan in simulation.ask("/plans")):
        raise Rejected(f"{home['facility_id']} has no plan of {year}; load a project first (xunjian load)")
    now = datetime.fromisoformat(installation["now"])
    if now > simulation.now + timedelta(days=2) and not simulation.ask("/work-orders", status="closed"):
        raise Rejected(
            f"{client.url} stands at {now:%Y-%m-%d} and nothing was done before: too late to simulate {year}"
        )
    return simulation


def _facility(client: Client, facility: str | None) -> dict[str, Any]:
    if facility is not None:
        return dict(client.get(f"/facilities/{facility}"))
    facilities = client.get("/facilities")
    if len(facilities) == 1:
        return dict(facilities[0])
    if not facilities:
        raise NotFound(f"{client.url} has no facility; load a project first (xunjian load)")
    raise Invalid(f"--facility: expected one of {', '.join(sorted(entry['facility_id'] for entry in facilities))}")


def _sign(simulation: Simulation) -> None:
    """Leave word of the seed, under a key that knows no seed; so a year is never simulated with two."""
    request = f"simulation-{simulation.year}"
    said = {"request_id": request, "description": told(f"本年度数据均为模拟，种子 {simulation.seed}")}
    try:
        simulation.tell(request, "/work-requests", said, RECEPTION, seeded=False)
    except Conflict as fault:
        raise Conflict(f"{simulation.year} was simulated with another seed than {simulation.seed}") from fault
    simulation.tell(f"{request}:reject", f"/work-requests/{request}/reject", {"reason": told("仅作标记")}, MANAGER)


def _weeks(simulation: Simulation) -> Job:
    """Early each Monday and each first of a month: the clocks move on, and new visits are taken up."""
    wrong: Mapping[tuple[str, int], Lapse] | None = None
    taken: set[str] = set()
    for n in range(366 + BACKFILL_DAYS):
        day = date(simulation.year, 1, 1) + timedelta(days=n)
        if day.weekday() != 0 and day.day != 1:
            continue
        yield simulation.at(day, 0, 30)
        simulation.move_clock()
        occurrences = simulation.ask("/occurrences", period=f"{day:%Y-%m}")
        if wrong is None:
            inspected = {entry["system_id"] for entry in occurrences if entry["activity"] == "inspection"}
            wrong = lapses(inspected, simulation.random("lapses"))
        for entry in sorted(occurrences, key=lambda entry: str(entry["occurrence_id"])):
            if entry["occurrence_id"] not in taken and (visit := _visit(simulation, entry, wrong)) is not None:
                taken.add(visit.occurrence_id)
                simulation.begin(visit.occurrence_id, visit_to(simulation, visit))


def _visit(simulation: Simulation, entry: dict[str, Any], wrong: Mapping[tuple[str, int], Lapse]) -> Visit | None:
    """An occurrence as a visit, once its work order is open."""
    orders = simulation.ask("/work-orders", occurrence_id=entry["occurrence_id"])
    if not orders:
        return None
    order = min(orders, key=lambda order: str(order["work_order_id"]))
    month, inspection = int(entry["period"][5:]), entry["activity"] == "inspection"
    return Visit(
        occurrence_id=entry["occurrence_id"],
        work_order_id=order["work_order_id"],
        system_id=entry["system_id"],
        activity=entry["activity"],
        window_start=date.fromisoformat(entry["window_start"]),
        window_end=date.fromisoformat(entry["window_end"]),
        point_ids=tuple(order["point_ids"]),
        lapse=wrong.get((entry["system_id"], month)) if inspection else None,
    )


def _desks(simulation: Simulation, systems: Collection[str]) -> Iterator[tuple[str, Job]]:
    """The jobs that no plan asks for."""
    year = simulation.year
    yield "ratings", office_work.ratings_of_visitors(simulation, year)
    yield "bills", office_work.bills(simulation, year)
    yield "budget", office_work.budget_reports(simulation, year, BUDGET)
    yield "incidents", office_work.incidents(simulation, year)
    yield "vain request", office_work.vain_request(simulation, year)
    yield "emergency", office_work.emergency(simulation, year, EMERGENCIES if EMERGENCIES in systems else min(systems))


def _published(simulation: Simulation) -> dict[str, Any]:
    """Let two people sign the assessment as of the year's last day, publish it, and answer it."""
    simulation.move_clock()
    settle(simulation.client, simulation.facility)
    as_of, id_ = f"{simulation.year}-12-31", assessment_id(simulation.year)
    lacking = [one["code"] for one in simulation.ask(f"/assessments/{simulation.year}/missing", as_of=as_of)]
    for who in (SUPERVISOR, MANAGER):
        signed = {"as_of": as_of, "acknowledged": lacking}
        simulation.tell(f"{id_}:sign:{who}", f"/assessments/{id_}/sign", signed, who)
    simulation.tell(f"{id_}:publish", f"/assessments/{id_}/publish", {}, MANAGER)
    settle(simulation.client, simulation.facility)
    return dict(simulation.ask(f"/assessments/{simulation.year}", as_of=as_of))
