"""What is checked, recorded and said beside a plan that is adopted or a calendar that is amended."""

from datetime import date, datetime, timedelta
from typing import Any

from services.scheduling.aggregate import Plan
from services.scheduling.making import Making
from services.scheduling.workdays import of_library
from shared.contracts.scheduling import PlanItem, WorkdayCalendarAdopted
from shared.errors import Invalid


def must_be_known(items: tuple[PlanItem, ...], making: Making) -> None:
    """Refuse items of systems that are not registered."""
    unknown = {
        f"items[{number}].system_id": [f"expected a registered system, not {item.system_id}"]
        for number, item in enumerate(items)
        if item.system_id not in making.systems
    }
    if unknown:
        raise Invalid(unknown)


def must_be_planned_once(plan: Plan, making: Making) -> None:
    """Refuse items that another plan of the year has: their visits would have the same ids."""
    taken = {
        f"items[{number}].plan_item_id": [f"{item_id} is in plan {other.id} of {plan.year} already"]
        for number, item_id in enumerate(plan.terms)
        for other in making.plans
        if other.year == plan.year and item_id in other.terms
    }
    if taken:
        raise Invalid(taken)


def record_workdays(making: Making, year: int, today: date, at: datetime) -> None:
    """Record what the library says of a year, unless a calendar is on record: a later library moves nothing."""
    calendar, known = making.calendar(year), of_library(year)
    if known is not None and not calendar.exists:
        effective_on = takes_effect(making, year, today)
        calendar.adopt(WorkdayCalendarAdopted(**{**vars(known), "effective_on": effective_on}), at)


def takes_effect(making: Making, year: int, today: date) -> date | None:
    """From when a calendar holds: for the whole year until a plan stands, then for nominal dates after today."""
    planned = any(plan.year == year for plan in making.plans)
    return today + timedelta(days=1) if planned else None


def unknown_workdays(making: Making, year: int) -> list[dict[str, str]]:
    """A warning where no workday calendar of a year is on record, with the duties that wait for it."""
    if making.calendar(year).exists:
        return []
    held = [
        item_id
        for plan in making.plans
        if plan.year == year
        for item_id, terms in plan.terms.items()
        if any(term.item and term.item.workdays != "ignore" for term in terms)
    ]
    message = f"no workday calendar is known for {year} yet: adopt one with amend_workdays"
    if held:
        message += f"; until then visits of {', '.join(held)} are held back, each to its nominal date at the latest"
    return [{"code": "unknown_workdays", "message": message}]


def said(asked: Any) -> dict[str, Any]:
    """What a command says, as the fields of its event."""
    return {name: value for name, value in vars(asked).items() if name != "dry_run"}
