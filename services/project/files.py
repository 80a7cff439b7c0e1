"""Reading a project folder; nothing of it is used unless all of it is right.

Every mistake of every file is collected before anything is refused, each under `<file>: <path>`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from marshmallow import Schema
from marshmallow import fields as kinds

from services.project import checks
from services.project.forms import FacilityFile, PlanFile, ProjectFile, RulebookFile, SystemsFile
from services.project.redate import TO_FILL_IN
from services.scoring.rulebooks.rulebook import read_rulebook
from shared.errors import Invalid
from shared.event import flat
from shared.schema import schema_of
from shared.strict_yaml import read_yaml

T = TypeVar("T")

_SAID = {"expected an object": "expected a mapping of keys to values"}


@dataclass(frozen=True, kw_only=True)
class Project:
    """What a project folder says, checked."""

    directory: Path
    terms: ProjectFile
    facility: FacilityFile
    systems: SystemsFile
    plan: PlanFile
    rulebooks: tuple[RulebookFile, ...]

    @property
    def facility_id(self) -> str:
        """The facility that the project is about."""
        return self.facility.facility.facility_id

    @property
    def year(self) -> int:
        """The budget year."""
        return self.terms.year


class _Mistakes(dict[str, list[str]]):
    """Every mistake so far, by file and path."""

    def tried(self, read: Callable[[], T]) -> T | None:
        """What `read` gives, or None and its mistakes noted."""
        try:
            return read()
        except Invalid as fault:
            self.note((place, why) for place, whys in fault.errors.items() for why in whys)
            return None

    def note(self, found: Iterable[tuple[str, str]]) -> None:
        for place, why in found:
            self.setdefault(place, []).append(why)


def read_project(directory: Path) -> Project:
    """Read a project folder; raises Invalid with each mistake of each file as `<file>: <path>`: what was expected."""
    if not directory.is_dir():
        raise Invalid({str(directory): ["expected the folder of a project"]})
    mistakes = _Mistakes()
    project = mistakes.tried(lambda: read_file(directory, "project.yaml", ProjectFile))
    facility = mistakes.tried(lambda: read_file(directory, "facility.yaml", FacilityFile))
    systems = mistakes.tried(lambda: read_file(directory, "systems.yaml", SystemsFile))
    plan = mistakes.tried(lambda: read_file(directory, "plan.yaml", PlanFile))
    rulebooks = _rulebooks(directory, project, mistakes)
    if project is not None:
        mistakes.note(checks.of_project(project))
    if facility is not None:
        mistakes.note(checks.of_facility(facility))
    if systems is not None:
        mistakes.note(checks.of_systems(systems))
    if plan is not None:
        mistakes.note(checks.of_plan(plan, project, systems))
    if mistakes or not (project and facility and systems and plan):
        raise Invalid(mistakes)
    return Project(
        directory=directory, terms=project, facility=facility, systems=systems, plan=plan, rulebooks=rulebooks
    )


def read_file(directory: Path, name: str, form: type[T]) -> T:
    """Read one YAML file as `form`; raises Invalid with every mistake of form in it under `<file>: <path>`."""
    data = _mapping(directory, name)
    schema = schema_of(form)
    mistakes = {path: [_SAID.get(why, why) for why in whys] for path, whys in flat(schema.validate(data)).items()}
    mistakes |= dict(_strangers(schema, data, ""))
    for place in _unfilled(data, ""):
        mistakes.setdefault(place, []).append(f"still {TO_FILL_IN}, expected to be filled in")
    if mistakes:
        raise Invalid({f"{name}: {path}" if path else name: whys for path, whys in mistakes.items()})
    try:
        return msgspec.convert(data, form)
    except msgspec.ValidationError as fault:
        raise Invalid({name: [str(fault)]}) from fault


def _strangers(schema: Schema, data: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    """Keys that the form does not know: likely misspelt, so never passed over."""
    for key, value in data.items() if isinstance(data, dict) else ():
        place = f"{path}.{key}" if path else key
        if (field := schema.fields.get(key)) is None:
            yield place, [f"unknown key, expected one of {', '.join(schema.fields)}"]
        elif isinstance(field, kinds.Nested):
            yield from _strangers(field.schema, value, place)
        elif isinstance(field, kinds.List) and isinstance(field.inner, kinds.Nested) and isinstance(value, list):
            for n, member in enumerate(value):
                yield from _strangers(field.inner.schema, member, f"{place}[{n}]")


def _unfilled(value: Any, path: str) -> Iterator[str]:
    """Where it still says that the office has to fill something in."""
    if value == TO_FILL_IN:
        yield path
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _unfilled(member, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for n, member in enumerate(value):
            yield from _unfilled(member, f"{path}[{n}]")


def _mapping(directory: Path, name: str) -> dict[str, Any]:
    raw = _bytes(directory, name)
    data = _within(name, lambda: read_yaml(raw))
    if not isinstance(data, dict):
        raise Invalid({name: ["expected a mapping of keys to values"]})
    return data


def _within(name: str, read: Callable[[], T]) -> T:
    """What `read` gives; its mistakes are told under the file's name."""
    try:
        return read()
    except Invalid as fault:
        raise Invalid({f"{name}: {path}" if path else name: whys for path, whys in fault.errors.items()}) from fault


def _bytes(directory: Path, name: str) -> bytes:
    try:
        return (directory / name).read_bytes()
    except FileNotFoundError as fault:
        raise Invalid({name: [f"expected this file in {directory}"]}) from fault
    except OSError as fault:
        raise Invalid({name: [f"cannot be read: {fault.strerror}"]}) from fault


def _rulebooks(directory: Path, project: ProjectFile | None, mistakes: _Mistakes) -> tuple[RulebookFile, ...]:
    """The rulebooks that are right; whether they suit the project is only asked when all of them are."""
    if project is None:
        return ()
    read = [mistakes.tried(partial(_rulebook, directory, name)) for name in project.rulebooks.files]
    found = tuple(rulebook for rulebook in read if rulebook is not None)
    if len(found) == len(read):
        mistakes.note(checks.of_rulebooks(project, found))
    return found


def _rulebook(directory: Path, name: str) -> RulebookFile:
    if not (directory / name).resolve().is_relative_to(directory.resolve()):
        raise Invalid({"project.yaml: rulebooks.files": [f"expected a file inside the folder, found {name!r}"]})
    raw = _bytes(directory, name)
    rulebook = _within(name, lambda: read_rulebook(raw))
    return RulebookFile(rulebook_id=rulebook.id, year=rulebook.year, sha256=rulebook.sha256, text=raw.decode())
