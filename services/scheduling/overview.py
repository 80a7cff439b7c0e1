"""What the plans and the visits of a facility come to: warnings, the year by system and month, the calendar feed."""

import base64
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select

from services.scheduling import views
from services.scheduling.cadence import Nominal, below_minimum, in_year
from services.scheduling.feed import MEDIA_TYPE, feed
from services.scheduling.making import Making
from services.scheduling.recurrence import nominal
from services.scheduling.year import by_system_and_month, expected
from shared.database import Database
from shared.errors import NotFound
from shared.ledger import Ledger

_VISIT = views.occurrences.c


def shortfalls(making: Making, year: int) -> list[dict[str, str]]:
    """Where the plans of a year fall below the minimum of a standard."""
    systems = (in_year(year, system) for system in _systems(making).values())
    return below_minimum(_planned(making, year), [system for system in systems if system is not None])


def year_of(database: Database, facility: str, making: Making, year: int) -> list[dict[str, Any]]:
    """The year by system and month: what was made, and what is still expected."""
    of_year = (_VISIT.facility == facility) & _VISIT.period.startswith(f"{year:04}-")
    made = database.mappings(select(views.occurrences).where(of_year))
    still = expected(visit for visit in making.to_be_made() if visit.window_start.year == year)
    return by_system_and_month(year, _systems(making).values(), [*made, *still])


def calendar_of(ledger: Ledger, facility: str, making: Making, assignee: str | None) -> dict[str, str]:
    """The feed of a facility, or of what one person has to do, as a file {media_type, body (base64), filename}."""
    halls = ledger.database.mappings(select(views.halls).where(views.halls.c.facility == facility))
    if not halls:
        raise NotFound(f"no facility {facility}")
    visits = [
        {**visit, "name": making.systems[visit["system_id"]].name}
        for visit in (*_made(ledger.database, facility), *_expected(ledger, facility, making))
        if assignee is None or visit["assignee"] == assignee
    ]
    name = halls[0]["name"] if assignee is None else f"{halls[0]['name']} {assignee}"
    body = feed(facility, name, visits, simulated=ledger.clock.simulated)
    filename = f"{facility.replace(':', '-')}.ics"
    return {"media_type": MEDIA_TYPE, "body": base64.b64encode(body).decode(), "filename": filename}


def _made(database: Database, facility: str) -> Iterator[dict[str, Any]]:
    for visit in database.mappings(select(views.occurrences).where(_VISIT.facility == facility)):
        yield {**visit, "changed_at": datetime.fromisoformat(visit["changed_at"])}


def _expected(ledger: Ledger, facility: str, making: Making) -> Iterator[dict[str, Any]]:
    """What is still expected, told when the plan that asks for it was recorded or changed last."""
    told = {plan.id: ledger.stream(facility, plan.stream)[-1].recordedat for plan in making.plans}
    by_item = {(plan.year, item_id): told[plan.id] for plan in making.plans for item_id in plan.terms}
    for visit in expected(making.to_be_made()):
        yield {**visit, "changed_at": by_item[int(visit["period"][:4]), visit["plan_item_id"]]}


def _planned(making: Making, year: int) -> Iterator[Nominal]:
    """The nominal dates of a year that no rest day skips, as far as its calendar is known."""
    for plan in making.plans:
        for terms in plan.terms.values() if plan.year == year else ():
            for day, item in nominal(terms, year):
                is_workday = making.calendar(year).for_date(day)
                if item.workdays != "skip" or is_workday is None or is_workday(day):
                    yield day, item


def _systems(making: Making) -> dict[str, dict[str, Any]]:
    names = views.systems.c.keys()
    return {id_: {name: getattr(row, name) for name in names} for id_, row in making.systems.items()}
