"""A new year's project, made from the last one: what is known is carried over, what only the office knows is left open."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.project import assets, redate, review
from services.project.client import Client
from services.project.files import Project
from services.project.review import ToDo
from services.scoring.rulebooks.rulebook import read_rulebook
from shared.errors import Invalid


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """A new folder's files by name, and what there is to do about them."""

    files: Mapping[str, str]
    to_do: tuple[ToDo, ...]


def renew(last: Project, year: int, client: Client | None = None) -> Renewal:
    """The project of a later year; with a client its facility, systems and points are those of the installation now.

    Raises Invalid for a year that is not later, or a file that cannot be re-dated without changing more; NotFound for a
    facility that the installation does not have.
    """
    if year <= last.year:
        raise Invalid(f"--year: expected a year after {last.year}, the year of {last.directory}")
    facility, systems = last.facility, last.systems
    if client is not None:
        facility = assets.facility_now(client, last.facility)
        systems = assets.systems_now(client, last.facility_id, last.systems, date(year, 1, 1))
    plan = redate.plan_of(last.plan, year, {system.system_id for system in systems.systems})
    rulebooks = _rulebooks(last, year)
    official = redate.renamed(last.terms.rulebooks.official, last.year, year)
    files = {
        "project.yaml": redate.project_text(last.terms, year, tuple(rulebooks), official),
        "facility.yaml": _text(last, "facility.yaml") if facility == last.facility else assets.facility_text(facility),
        "systems.yaml": _text(last, "systems.yaml") if client is None else assets.systems_text(systems, year),
        "plan.yaml": redate.plan_text(_text(last, "plan.yaml"), last.plan, plan),
        **rulebooks,
    }
    known = None if client is None else bool(client.get(f"/facilities/{last.facility_id}/workdays/{year}")["known"])
    to_do = review.of_renewal(last, plan, systems, rulebooks, workdays_known=known)
    return Renewal(files=files, to_do=tuple(to_do))


def write(files: Mapping[str, str], folder: Path) -> None:
    """Make a folder of files, all of it or nothing; raises Invalid where there is something of that name already."""
    if folder.exists() or folder.is_symlink():
        raise Invalid(f"{folder}: is there already, expected a folder to be made")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as made:
            for name, text in files.items():
                (Path(made) / "new" / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(made) / "new" / name).write_text(text, encoding="utf-8")
            (Path(made) / "new").rename(folder)
    except OSError as fault:
        raise Invalid(f"{folder}: cannot be written: {fault.strerror}") from fault


def folder_of(last: Path, old: int, new: int) -> Path:
    """Where a new year's project is put if nobody says: beside the last one."""
    return last.resolve().parent / redate.renamed(last.resolve().name, old, new)


def _rulebooks(last: Project, year: int) -> dict[str, str]:
    """The rulebooks by their new file names; that they are rulebooks is checked again."""
    found = {}
    for name, rulebook in zip(last.terms.rulebooks.files, last.rulebooks, strict=True):
        path = Path(name)
        text = redate.rulebook_text(rulebook, read_rulebook(rulebook.text.encode()).title, year)
        read_rulebook(text.encode())
        found[str(path.with_name(f"{redate.renamed(path.stem, last.year, year)}{path.suffix}"))] = text
    return found


def _text(last: Project, name: str) -> str:
    return (last.directory / name).read_text(encoding="utf-8")
