"""What is left to do about a new year's project: to fill in, to read over, to mend, and what falls below a minimum."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from services.project import checks
from services.project.files import Project
from services.project.forms import Item, PlanFile, SystemsFile
from services.scheduling.cadence import InYear, below_minimum, in_year
from services.scheduling.workdays import of_library
from shared.rrule import days


@dataclass(frozen=True, kw_only=True)
class ToDo:
    """One thing to do, `what` being fill in, review, mend or warning; and where, and why."""

    what: str
    about: str


def of_renewal(
    last: Project, plan: PlanFile, systems: SystemsFile, rulebooks: Iterable[str], *, workdays_known: bool | None = None
) -> Iterator[ToDo]:
    """Everything to do about a project whose plan, systems and rulebook files are these, in the order of the files.

    `workdays_known`: whether the installation knows the workdays of the year; None where there is none to ask.
    """
    for field in ("budget.initial", "budget.annual", "cost_baseline.amount", "cost_baseline.basis"):
        yield ToDo(what="fill in", about=f"project.yaml: {field}")
    for name, old in zip(rulebooks, last.rulebooks, strict=True):
        yield ToDo(what="review", about=f"{name}: a copy of {old.rulebook_id} of {last.year}, to hold for {plan.year}")
    yield from _of_plan(last.plan, plan)
    for place, why in checks.of_plan(plan, None, systems):
        yield ToDo(what="mend", about=f"{place}: {why}")
    known = of_library(plan.year) is not None if workdays_known is None else workdays_known
    if not known:
        waiting = ", ".join(item.plan_item_id for item in plan.items if item.workdays != "ignore") or "nothing"
        yield ToDo(what="warning", about=f"no workday calendar is known for {plan.year}; it is needed for {waiting}")
    for warning in below_minimum(_nominal(plan), _in_year(plan.year, systems)):
        yield ToDo(what="warning", about=warning["message"])


def _of_plan(old: PlanFile, new: PlanFile) -> Iterator[ToDo]:
    kept = {item.plan_item_id: (n, item) for n, item in enumerate(new.items)}
    for before in old.items:
        if before.plan_item_id not in kept:
            why = f"{before.plan_item_id} is left out, as {before.system_id} is not in commission"
            yield ToDo(what="review", about=f"plan.yaml: {why}")
            continue
        n, item = kept[before.plan_item_id]
        if item.rrule != before.rrule:
            yield ToDo(what="review", about=f"plan.yaml: items[{n}].rrule: {before.rrule} became {item.rrule}")
        if _ends_with_months(before, old.year) and not _ends_with_months(item, new.year):
            why = f"windows of {item.window_days} days ended with a month in {old.year}, and do not in {new.year}"
            yield ToDo(what="review", about=f"plan.yaml: items[{n}].window_days: {why}")


def _ends_with_months(item: Item, year: int) -> bool:
    """Whether the windows of a duty are counted in days and end on the last day of a month all the same."""
    if item.window_days is None:
        return False
    return all((day + timedelta(days=item.window_days)).day == 1 for day in days(item.rrule, year))


def _nominal(plan: PlanFile) -> Iterator[tuple[date, Item]]:
    for item in plan.items:
        try:
            yield from ((day, item) for day in days(item.rrule, plan.year))
        except ValueError:  # told already, as something to mend
            continue


def _in_year(year: int, file: SystemsFile) -> Iterator[InYear]:
    for system in file.systems:
        row = {"system_id": system.system_id, "name": system.name, "category": system.category}
        since = system.commissioned_on.isoformat()
        if (found := in_year(year, {**row, "commissioned_on": since, "decommissioned_on": None})) is not None:
            yield found
