"""The files of a project for another year: what names the old year is changed, all else stays byte for byte. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import yaml

from services.project.forms import PlanFile, ProjectFile, RulebookFile
from shared.errors import Invalid
from shared.strict_yaml import read_yaml

Path = tuple[str | int, ...]

TO_FILL_IN = "TODO"
"""What stands where only the office knows the figure; a file that still says so is not loaded."""


def renamed(name: str, old: int, new: int) -> str:
    """An id of another year: the last place that says the old one says the new one, or it is added."""
    head, found, tail = name.rpartition(str(old))
    return f"{head}{new}{tail}" if found else f"{name}-{new}"


def titled(title: str, old: int, new: int) -> str:
    """A title of another year."""
    return title.replace(f"{old}年", f"{new}年")


def moved(day: date, years: int) -> date:
    """The same day some years later; February 29th becomes the 28th where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def plan_of(plan: PlanFile, year: int, systems: Collection[str]) -> PlanFile:
    """A plan for another year, of those duties whose system is one of `systems`."""
    items = [
        replace(item, rrule=_rule_moved(item.rrule, year - plan.year))
        for item in plan.items
        if item.system_id in systems
    ]
    if not items:
        raise Invalid("plan.yaml: items: expected a duty of a system that is in commission")
    return replace(plan, plan_id=renamed(plan.plan_id, plan.year, year), year=year, items=tuple(items))


def plan_text(text: str, plan: PlanFile, new: PlanFile) -> str:
    """The text of a plan's file for another year; duties that are left out become comments.

    Raises Invalid where the file is not written so that this can be done without changing more.
    """
    kept = {item.plan_item_id: item for item in new.items}
    rules: dict[Path, str] = {
        ("items", n, "rrule"): kept[item.plan_item_id].rrule
        for n, item in enumerate(plan.items)
        if item.plan_item_id in kept
    }
    values = {("plan_id",): new.plan_id, ("year",): str(new.year), **rules}
    lines = with_values(text, values, "plan.yaml").split("\n")
    for first, last in _lines_of(text, [n for n, item in enumerate(plan.items) if item.plan_item_id not in kept]):
        lines[first : last + 1] = [f"# {line}" for line in lines[first : last + 1]]
    changed = (
        f"# {new.year}: re-dated from the plan of {plan.year}. 复核 review: what comments and reasons say is still of"
        f" {plan.year}.\n" + "\n".join(lines)
    )
    try:
        found = msgspec.convert(read_yaml(changed.encode()), PlanFile)
    except (Invalid, msgspec.ValidationError):
        found = None
    if found != new:
        raise Invalid({"plan.yaml: items": ["expected a list with each duty on lines of its own"]})
    return changed


def rulebook_text(rulebook: RulebookFile, title: str, year: int) -> str:
    """The text of a rulebook for another year, marked for review."""
    old = rulebook.year
    values: dict[Path, str] = {
        ("id",): renamed(rulebook.rulebook_id, old, year),
        ("year",): str(year),
        ("title",): titled(title, old, year),
    }
    return (
        f"# {TO_FILL_IN} 复核 review for {year}: a copy of {rulebook.rulebook_id} ({old}); only id, year and title were"
        " changed. Take this line out when words, targets, weights and readings hold.\n"
    ) + with_values(rulebook.text, values, rulebook.rulebook_id)


def project_text(project: ProjectFile, year: int, files: Collection[str], official: str) -> str:
    """The text of `project.yaml` for another year, its money left open."""
    years, (old, roles) = year - project.year, (project.year, project.roles)
    of_money = ("budget", "cost_baseline")
    assumptions = [one for one in project.assumptions if not one.of.startswith(of_money)]
    parts: list[tuple[str, dict[str, Any]]] = [
        ("", {"project_id": renamed(project.project_id, old, year), "name": titled(project.name, old, year)}),
        ("", {"unit": project.unit, "source_of_funds": project.source_of_funds, "year": year}),
        ("", {name: moved(getattr(project, name), years) for name in ("starts_on", "ends_on")}),
        (
            f'# {TO_FILL_IN} 填写 {year} 年预算（元）: 年初预算数, 全年预算数. Expected: money as text, like "123456.00".',
            {"budget": {"initial": TO_FILL_IN, "annual": TO_FILL_IN}},
        ),
        (
            f"# {TO_FILL_IN} 填写 {year - 1} 年固定设备维修维护支出（元）及其依据; the cost indicator is measured by it.",
            {"cost_baseline": {"year": year - 1, "amount": TO_FILL_IN, "basis": TO_FILL_IN}},
        ),
        (
            "# 复核 review each file, and which one counts.",
            {"rulebooks": {"official": official, "files": list(files)}},
        ),
        ("", {"roles": list(roles)} if roles else {}),
        ("", {"assumptions": assumptions} if assumptions else {}),
    ]
    head = f"# The budget project of {year}, made from {project.project_id}.\n\n"
    return head + "\n".join("\n".join(filter(None, (said, written(members)))) for said, members in parts if members)


def written(members: Mapping[str, Any]) -> str:
    """Members as YAML that `shared.strict_yaml` reads back the same; those that are None are left out."""
    return "".join(_member(name, value) for name, value in plain(members).items() if value is not None)


def plain(value: Any) -> Any:
    """Values of dataclasses as JSON has them."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _member(name: str, value: Any) -> str:
    flow = None if isinstance(value, dict | list) else False
    return yaml.dump(
        {name: value}, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10**6, default_flow_style=flow
    )


class _Dumper(yaml.SafeDumper):
    """Writes a value again rather than an alias of it, and only leaves in flow style."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def with_values(text: str, values: Mapping[Path, str], name: str) -> str:
    """A YAML text with other scalars at some paths; raises Invalid, under the file's name, where one is not plain there."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for path, value in sorted(values.items(), key=lambda entry: -_node(root, entry[0]).start_mark.index):
        node = _node(root, path)
        start, end = node.start_mark.index, node.end_mark.index
        if node.value not in text[start:end]:
            raise Invalid({f"{name}: {path[-1]}": ["expected a value without escapes, on one line"]})
        text = text[:start] + text[start:end].replace(node.value, value, 1) + text[end:]
    return text


def _node(node: Any, path: Path) -> Any:
    for step in path:
        node = node.value[step] if isinstance(step, int) else {k.value: v for k, v in node.value}[step]
    return node


def _lines_of(text: str, numbers: Collection[int]) -> Iterator[tuple[int, int]]:
    """The first and the last line of some items of a plan."""
    items = _node(yaml.compose(text, Loader=yaml.SafeLoader), ("items",))
    for number in numbers:
        node = items.value[number]
        yield node.start_mark.line, max(leaf.end_mark.line for pair in node.value for leaf in pair)


def _rule_moved(rrule: str, years: int) -> str:
    def later(until: re.Match[str]) -> str:
        day = moved(date.fromisoformat(f"{until[1]}-{until[2]}-{until[3]}"), years)
        return f"UNTIL={day:%Y%m%d}"

    return re.sub(r"UNTIL=(\d{4})(\d\d)(\d\d)", later, rrule)
