"""What the files of a project say against each other and against the world, as (file: path, what was expected)."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as NotValid

from services.project.forms import (
    Assumable,
    FacilityFile,
    Group,
    Item,
    PlanFile,
    ProjectFile,
    RulebookFile,
    SystemsFile,
)
from shared.rrule import days

Mistake = tuple[str, str]

MOST_POINTS = 5000
"""Of one group, which is sent as one command: the asset registry takes no more of one."""
LONGEST_ITEM_ID = 60
"""An occurrence's id is `<plan_item_id>:<YYYY-MM>:<n>`, and no id is longer than 80."""


def of_project(project: ProjectFile) -> Iterator[Mistake]:
    """Dates within the year, money not negative, the baseline of the year before."""
    at = "project.yaml: "
    if project.starts_on.year != project.year:
        yield f"{at}starts_on", f"expected a day of {project.year}"
    if not project.starts_on <= project.ends_on <= date(project.year, 12, 31):
        yield f"{at}ends_on", f"expected a day from {project.starts_on} to {project.year}-12-31"
    for name, amount in (("initial", project.budget.initial), ("annual", project.budget.annual)):
        yield from _not_negative(f"{at}budget.{name}", amount)
    if (baseline := project.cost_baseline) is not None:
        yield from _not_negative(f"{at}cost_baseline.amount", baseline.amount)
        yield from _reasoned(f"{at}cost_baseline", baseline)
        if baseline.year != project.year - 1:
            yield f"{at}cost_baseline.year", f"expected {project.year - 1}, the year before"
    yield from _unique((f"{at}roles[{n}].role", role.role) for n, role in enumerate(project.roles))
    yield from _unique((f"{at}rulebooks.files[{n}]", name) for n, name in enumerate(project.rulebooks.files))


def of_facility(file: FacilityFile) -> Iterator[Mistake]:
    """A real time zone, a code whose check character fits (GB 32100), a division code of 6 or 12 digits (GB/T 2260).

    The division code inside the USCC is not compared with the facility's: divisions were renumbered, codes were not.
    """
    at = "facility.yaml: facility."
    yield from ((f"{at}{field}", why) for field, why in file.facility.faults())
    try:
        if uscc.validate(file.facility.uscc) != file.facility.uscc:
            yield f"{at}uscc", "expected 18 digits and capital letters, nothing between"
    except NotValid as fault:
        yield f"{at}uscc", f"expected a unified social credit code of 18 characters (GB 32100): {fault}"
    if not re.fullmatch(r"[0-9]{6}([0-9]{6})?", file.facility.region_code):
        yield f"{at}region_code", "expected 6 or 12 digits (GB/T 2260)"


def of_systems(file: SystemsFile) -> Iterator[Mistake]:
    """No system, group or point twice, groups of a sane size, whatever is made up with its reason."""
    at = "systems.yaml: systems"
    yield from _unique((f"{at}[{n}].system_id", system.system_id) for n, system in enumerate(file.systems))
    groups = [
        (f"{at}[{s}].equipment[{n}]", group)
        for s, system in enumerate(file.systems)
        for n, group in enumerate(system.equipment)
    ]
    yield from _unique((f"{place}.prefix", group.prefix) for place, group in groups if group.prefix is not None)
    for place, group in groups:
        yield from _reasoned(place, group)
        yield from _one_form(place, group)
        if (group.count or 0) > MOST_POINTS:
            yield f"{place}.count", f"expected at most {MOST_POINTS}"
        if len(group.points) > MOST_POINTS:
            yield f"{place}.points", f"expected at most {MOST_POINTS}"
        if len(group.prefix or "") > 75:
            yield f"{place}.prefix", "expected at most 75 characters: points add a number"
    yield from _points_once(groups)
    yield from _nameplates_once(file)


def of_plan(file: PlanFile, project: ProjectFile | None, systems: SystemsFile | None) -> Iterator[Mistake]:
    """Duties of known systems, that arise in the year, at most daily, with windows that end in it."""
    at = "plan.yaml: "
    if project is not None and file.year != project.year:
        yield f"{at}year", f"expected {project.year}, the year of project.yaml"
    yield from _unique((f"{at}items[{n}].plan_item_id", item.plan_item_id) for n, item in enumerate(file.items))
    known = {system.system_id for system in systems.systems} if systems is not None else None
    for n, item in enumerate(file.items):
        place = f"{at}items[{n}]"
        yield from _reasoned(place, item)
        if len(item.plan_item_id) > LONGEST_ITEM_ID:
            yield (
                f"{place}.plan_item_id",
                f"expected at most {LONGEST_ITEM_ID} characters: occurrences add month and number",
            )
        if known is not None and item.system_id not in known:
            yield f"{place}.system_id", f"expected a system of systems.yaml, found {item.system_id!r}"
        yield from _recurrence(place, item, file.year)


def of_rulebooks(project: ProjectFile, rulebooks: Iterable[RulebookFile]) -> Iterator[Mistake]:
    """Rulebooks of the project's year, none twice, and the official one among them."""
    found = list(rulebooks)
    at = "project.yaml: rulebooks"
    yield from _unique((f"{at}.files[{n}]", rulebook.rulebook_id) for n, rulebook in enumerate(found))
    if project.rulebooks.official not in {rulebook.rulebook_id for rulebook in found}:
        ids = ", ".join(rulebook.rulebook_id for rulebook in found) or "none"
        yield f"{at}.official", f"expected the id of one of the files ({ids}), found {project.rulebooks.official!r}"
    for n, rulebook in enumerate(found):
        if rulebook.year != project.year:
            yield f"{at}.files[{n}]", f"expected a rulebook of {project.year}, found one of {rulebook.year}"


def _one_form(place: str, group: Group) -> Iterator[Mistake]:
    """A group is counted (count, prefix, label, and what each of its points has), or its points are listed."""
    if not group.points:
        for name in ("count", "prefix", "label"):
            if getattr(group, name) is None:
                yield f"{place}.{name}", "missing: expected count, prefix and label, or the points one by one"
        return
    for name in ("count", "prefix", "label", "location", "expected"):
        if getattr(group, name) is not None:
            yield f"{place}.{name}", "expected either this or the points one by one"


def _points_once(groups: Iterable[tuple[str, Group]]) -> Iterator[Mistake]:
    """Points that are listed are no others' ids; counted ones are kept apart by their prefixes."""
    counted, listed = set[str](), list[tuple[str, str]]()
    for place, group in groups:
        if group.points:
            listed += [(f"{place}.points[{n}].point_id", point.point_id) for n, point in enumerate(group.points)]
        elif group.prefix is not None and (group.count or 0) <= MOST_POINTS:
            counted |= {point.point_id for point in group.each()}
    yield from _unique(listed)
    yield from ((place, f"{id_!r} is a counted point already") for place, id_ in listed if id_ in counted)


def _nameplates_once(file: SystemsFile) -> Iterator[Mistake]:
    """A nameplate is said of all points of an equipment in a system, whatever groups they stand in."""
    for s, system in enumerate(file.systems):
        said = [(n, group) for n, group in enumerate(system.equipment) if group.nameplate is not None]
        first: dict[str, int] = {}
        for n, group in said:
            if (before := first.setdefault(group.equipment, n)) != n:
                place = f"systems.yaml: systems[{s}].equipment[{n}].nameplate"
                yield place, f"stands at equipment[{before}] already, of the same {group.equipment}"


def _recurrence(place: str, item: Item, year: int) -> Iterator[Mistake]:
    try:
        named = days(item.rrule, year)
    except ValueError as fault:
        yield f"{place}.rrule", str(fault)
        return
    if not named:
        yield f"{place}.rrule", f"expected a rule that names a day of {year}"
    elif item.window_days is not None and named[-1] + timedelta(days=item.window_days - 1) > date(year, 12, 31):
        most = (date(year, 12, 31) - named[-1]).days + 1
        yield f"{place}.window_days", f"expected at most {most}: the window of {named[-1]} ends in {year}"


def _reasoned(place: str, entry: Assumable) -> Iterator[Mistake]:
    if entry.assumption and not (entry.reason or "").strip():
        yield f"{place}.reason", "expected why this is assumed"


def _not_negative(place: str, amount: Decimal) -> Iterator[Mistake]:
    if amount < 0:
        yield place, "expected an amount of 0.00 or more"


def _unique(entries: Iterable[tuple[str, str]]) -> Iterator[Mistake]:
    first: dict[str, str] = {}
    for place, name in entries:
        if name in first:
            yield place, f"{name!r} stands twice, first at {first[name].rpartition(': ')[2]}"
        first.setdefault(name, place)
