"""What a form adds to a registry: decided from the rows of the form and what is registered, and from nothing else.

What is there already and reads the same is unchanged; what is there and reads otherwise is a mistake, since changes have
commands of their own. Nothing is decided while there is a mistake anywhere.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.asset_registry import limits, nameplates
from services.asset_registry.form.columns import LIMITS, NAMEPLATE, POINTS, SYSTEMS
from services.asset_registry.form.sheet import Row, Sheet
from shared.contracts.asset_registry import Expected, Nameplate, Point, SystemRegistered
from shared.sheets.mistakes import Mistakes
from shared.sheets.tables import unhurried

Group = tuple[str, str]
"""A system and the name of a group of its equipment."""


@dataclass(frozen=True)
class Registered:
    """A point as it is registered, by the columns of the form; `retired` points keep their id."""

    values: Mapping[str, Any]
    retired: bool


@dataclass(frozen=True, kw_only=True)
class Registry:
    """What is registered already: systems by the columns of the form, those out of commission apart."""

    systems: Mapping[str, Mapping[str, Any]]
    decommissioned: Mapping[str, str]
    """System → since when it is out of commission."""
    points: Mapping[str, Registered]
    groups: Mapping[Group, Nameplate]
    """What is said of groups as a whole; a point that is added to one inherits it."""


@dataclass
class Additions:
    """What an import adds, in the order in which it is recorded, and how many rows were there already."""

    systems: list[SystemRegistered] = field(default_factory=list)
    points: dict[Group, list[Point]] = field(default_factory=dict)
    descriptions: dict[Group, Nameplate] = field(default_factory=dict)
    """What new groups are as a whole."""
    groups: int = 0
    """How many groups of equipment are new."""
    unchanged: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many systems, groups of equipment and points are new, and how many rows are unchanged."""
        points = sum(map(len, self.points.values()))
        return {"systems": len(self.systems), "equipment": self.groups, "points": points, "unchanged": self.unchanged}


def additions(sheets: Sequence[Sheet], registry: Registry, at: datetime, mistakes: Mistakes) -> Additions:
    """Decide what the sheets of a form add; what is wrong is told to `mistakes`, and then nothing may be recorded."""
    found = Additions()
    by_form = {sheet.form.name: sheet for sheet in sheets}
    told: dict[str, Row] = {}
    if systems := by_form.get(SYSTEMS.name):
        told = _systems(systems, registry, found, mistakes)
    if points := by_form.get(POINTS.name):
        _Points(registry, told, at, found, mistakes).read(points)
    return found


def _systems(sheet: Sheet, registry: Registry, found: Additions, mistakes: Mistakes) -> dict[str, Row]:
    """Read the systems; returns the row of each id."""
    told: dict[str, Row] = {}
    for row in sheet.rows:
        id_ = row.values.get("system_id", "")
        if not _is_new(row, "system_id", told, mistakes):
            continue
        if id_ in registry.decommissioned:
            since = registry.decommissioned[id_]
            why = f"{id_} is out of commission since {since}; registered anew by a command, not by an import"
            mistakes.add(row.at("system_id"), f"expected a new id or a system in commission: {why}")
        elif id_ in registry.systems:
            found.unchanged += _is_same(row, row.values, registry.systems[id_], mistakes)
        elif row.whole:
            found.systems.append(SystemRegistered(**row.values))
    return told


class _Points:
    """Reads the rows of points, one group after another where they are described."""

    def __init__(
        self, registry: Registry, systems: Mapping[str, Row], at: datetime, found: Additions, mistakes: Mistakes
    ) -> None:
        self._registry = registry
        self._systems = systems
        self._at = at
        self._found = found
        self._mistakes = mistakes
        self._new: dict[Group, list[tuple[Point, Nameplate]]] = defaultdict(list)

    def read(self, sheet: Sheet) -> None:
        """Read all rows."""
        told: dict[str, Row] = {}
        for row in unhurried(sheet.rows):
            if _is_new(row, "point_id", told, self._mistakes):
                self._read(row)
        groups = {_group(point.values) for point in self._registry.points.values()}
        for group, points in self._new.items():
            self._settle(group, points, is_new=group not in groups)

    def _settle(self, group: Group, points: Sequence[tuple[Point, Nameplate]], *, is_new: bool) -> None:
        """Say what equipment is: of a new group that reads the same everywhere as a whole, else where it differs."""
        whole = self._registry.groups.get(group, Nameplate())
        if is_new:
            self._found.groups += 1
            if len({nameplate for _, nameplate in points}) == 1 and points[0][1] != Nameplate():
                self._found.descriptions[group] = whole = points[0][1]
        self._found.points[group] = [
            point if nameplate == whole else replace(point, nameplate=nameplate) for point, nameplate in points
        ]

    def _read(self, row: Row) -> None:
        expected, nameplate = self._expected(row), self._nameplate(row)
        self._must_have_its_system(row)
        id_ = row.values.get("point_id", "")
        registered = self._registry.points.get(id_)
        if registered is None:
            if row.whole and nameplate is not None:
                self._add(row, expected, nameplate)
        elif registered.retired:
            self._mistakes.add(row.at("point_id"), f"expected a new id: {id_} was retired")
        elif row.values.get("system_id", "") not in ("", system := registered.values["system_id"]):
            self._mistakes.add(row.at("point_id"), f"expected an id that is free: {id_} is a point of {system}")
        else:
            values = row.values if expected is None else {**row.values, "low": expected.low}
            self._found.unchanged += _is_same(row, values, registered.values, self._mistakes)

    def _add(self, row: Row, expected: Expected | None, nameplate: Nameplate) -> None:
        told = {name: row.values[name] for name in ("point_id", "label", "location")}
        self._new[_group(row.values)].append((Point(**told, expected=expected), nameplate))

    def _expected(self, row: Row) -> Expected | None:
        """The limits of a row, if it has any and they are right."""
        if any(name not in row.values for name in LIMITS):
            return None
        given = {name: row.values[name] for name in LIMITS}
        if given["unit"] is None:
            if any(value is not None for value in given.values()):
                self._mistakes.add(row.at("unit"), "expected the unit of the limits that stand beside it")
            return None
        expected = Expected(**given)
        faults = list(limits.faults(expected))
        for name, why in faults:
            self._mistakes.add(row.at(name), why)
        return None if faults else limits.filled(expected)

    def _nameplate(self, row: Row) -> Nameplate | None:
        """What stands at the point, if that can be read."""
        if any(name not in row.values for name in NAMEPLATE):
            return None
        nameplate = Nameplate(**{name: row.values[name] for name in NAMEPLATE})
        for name, why in nameplates.faults(nameplate, self._at):
            self._mistakes.add(row.at(name), why)
        return nameplate

    def _must_have_its_system(self, row: Row) -> None:
        id_ = row.values.get("system_id", "")
        if id_ == "" or id_ in self._systems or id_ in self._registry.systems:
            return
        since = self._registry.decommissioned.get(id_)
        why = "none is registered" if since is None else f"this one is out of commission since {since}"
        self._mistakes.add(row.at("system_id"), f"expected a system of the facility, found {id_}: {why}")


def _is_new(row: Row, name: str, told: dict[str, Row], mistakes: Mistakes) -> bool:
    """Whether no row before has the same id, which is remembered; a row without an id is new."""
    id_ = row.values.get(name)
    if id_ is None:
        return True
    first = told.setdefault(id_, row)
    if first is not row:
        mistakes.add(row.at(name), f"expected each id once: {id_} stands at {first.at(name)} already")
    return first is row


def _is_same(row: Row, values: Mapping[str, Any], registered: Mapping[str, Any], mistakes: Mistakes) -> bool:
    """Whether a row reads as what is registered; names each cell that does not."""
    different = [name for name, value in values.items() if value != registered[name]]
    for name in different:
        there = "nothing" if registered[name] is None else registered[name]
        mistakes.add(row.at(name), f"expected {there}, as registered; changed by a command, not by an import")
    return not different


def _group(values: Mapping[str, Any]) -> Group:
    return values["system_id"], values["equipment"]
