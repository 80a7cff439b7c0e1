"""The systems and points that an installation has now, in the form of `systems.yaml`."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from typing import Any

import msgspec

from services.project.client import Client
from services.project.forms import FacilityFile, Group, System, SystemsFile
from services.project.redate import plain, written
from shared.contracts.asset_registry import FacilityRegistered, Point

Row = Mapping[str, Any]

NOT_IN_THE_SOURCE = "登记于资产台账，项目文本未载"
"""The `source` of a system that the last project did not have."""
_OF_A_POINT = tuple(field.name for field in fields(Point))
_OF_A_GROUP = (
    "equipment",
    "count",
    "prefix",
    "label",
    "location",
    "expected",
    "nameplate",
    "points",
    "assumption",
    "reason",
)
_NUMBERED = re.compile(r"(.+)-([0-9]{3,})")


def facility_now(client: Client, last: FacilityFile) -> FacilityFile:
    """The facility as it is registered; raises NotFound where it is not."""
    row = client.get(f"/facilities/{last.facility.facility_id}")
    members = {field.name: row.get(field.name) for field in fields(last.facility)}
    return FacilityFile(facility=msgspec.convert(members, FacilityRegistered), assumptions=last.assumptions)


def systems_now(client: Client, facility: str, last: SystemsFile, since: date) -> SystemsFile:
    """The systems that are in commission on a day or later, each with its points in use."""
    before = {system.system_id: system for system in last.systems}
    rows = client.rows(f"/facilities/{facility}/systems")
    order = {system_id: number for number, system_id in enumerate(before)}
    points = f"/facilities/{facility}/systems/{{}}/points"
    systems = [
        _system(row, before.get(row["system_id"]), client.rows(points.format(row["system_id"])))
        for row in sorted(rows, key=lambda row: (order.get(row["system_id"], len(order)), str(row["system_id"])))
        if row.get("decommissioned_on") is None or row["decommissioned_on"] >= since.isoformat()
    ]
    return SystemsFile(systems=tuple(systems), assumptions=last.assumptions)


def systems_text(file: SystemsFile, year: int) -> str:
    """The text of `systems.yaml`."""
    blocks = (written({"systems": [_told(system)]}).partition("\n")[2] for system in file.systems)
    assumptions = written({"assumptions": list(file.assumptions)}) + "\n" if file.assumptions else ""
    head = f"# The systems in commission and the points in use when the project of {year} was made.\n\n"
    return f"{head}{assumptions}systems:\n" + "\n".join(blocks)


def facility_text(file: FacilityFile) -> str:
    """The text of `facility.yaml`."""
    assumptions = {"assumptions": list(file.assumptions)} if file.assumptions else {}
    return written({**assumptions, "facility": _said(plain(file.facility))})


def groups_of(rows: Iterable[Row], before: Sequence[Group]) -> Iterator[Group]:
    """Points in groups: as they stood in the last project where that still holds, counted where that says it exactly."""
    left = {row["point_id"]: (str(row["equipment"]), _point(row)) for row in rows}
    for group in before:
        points = group.each()
        if all(left.get(point.point_id) == (group.equipment, point) for point in points):
            yield replace(group, nameplate=None)
            for point in points:
                del left[point.point_id]
    like: defaultdict[tuple[str, str], list[Point]] = defaultdict(list)
    for equipment, point in left.values():
        numbered = _NUMBERED.fullmatch(point.point_id)
        like[equipment, numbered[1] if numbered else ""].append(point)
    for (equipment, prefix), alike in like.items():
        yield _counted(equipment, prefix, alike) or _listed(equipment, alike, before)


def _counted(equipment: str, prefix: str, points: Sequence[Point]) -> Group | None:
    """The points as a number of like ones; None where that would say anything else than they do."""
    first = points[0]
    if not prefix or not first.label.endswith("001"):
        return None
    group = Group(
        equipment=equipment,
        count=len(points),
        prefix=prefix,
        label=first.label.removesuffix("001"),
        location=first.location,
        expected=first.expected,
    )
    return group if set(group.each()) == set(points) else None


def _listed(equipment: str, points: Sequence[Point], before: Sequence[Group]) -> Group:
    """The points one by one, marked as assumed where those that they remain of were."""
    ids = {point.point_id for point in points}
    assumed = [group for group in before if group.assumption and ids <= {point.point_id for point in group.each()}]
    reason = assumed[0].reason if assumed else None
    return Group(equipment=equipment, points=tuple(points), assumption=bool(assumed), reason=reason)


def _system(row: Row, before: System | None, points: Iterable[Row]) -> System:
    in_use = [point for point in points if not point.get("retired")]
    return System(
        system_id=row["system_id"],
        name=row["name"],
        category=row["category"],
        commissioned_on=date.fromisoformat(row["commissioned_on"]),
        source=before.source if before else NOT_IN_THE_SOURCE,
        equipment=tuple(groups_of(in_use, before.equipment if before else ())),
        measured=before.measured if before else (),
        uncounted=before.uncounted if before else (),
    )


def _point(row: Row) -> Point:
    return msgspec.convert({name: row.get(name) for name in _OF_A_POINT}, Point)


def _told(system: System) -> dict[str, Any]:
    """A system as a reader expects it: what it is first, and nothing that goes without saying."""
    said = plain(system)
    said["equipment"] = [{name: group[name] for name in _OF_A_GROUP} for group in said["equipment"]]
    told: dict[str, Any] = _said(said)
    return told


def _said(value: Any) -> Any:
    """A value without the members, at any depth, that are null, false or empty."""
    if isinstance(value, list):
        return [_said(member) for member in value]
    if not isinstance(value, dict):
        return value
    return {name: _said(member) for name, member in value.items() if member not in (None, False, [])}
