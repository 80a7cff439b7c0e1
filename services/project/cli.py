"""`xunjian load`, `simulate` and `project new`: a project sent, a made-up year of work on it, the next year's project."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from services.project import load, renew
from services.project.client import DEFAULT_URL, Client
from services.project.files import read_project
from services.project.simulate import simulate_year
from services.project.summary import print_result
from shared.errors import Invalid, Refused

_url = click.option(
    "--url", metavar="URL", default=DEFAULT_URL, show_default=True, help="Where the installation answers."
)


@click.command("load")
@click.argument("project_dir", type=click.Path(path_type=Path))
@_url
def load_command(project_dir: Path, url: str) -> None:
    """Load the project of PROJECT_DIR; loading it again changes nothing."""
    with refusals_told(), Client(url) as client:
        project = read_project(project_dir)
        with bar("load") as progress:
            loaded = load.load_project(project, client, progress)
        if loaded.new:
            click.echo(f"{project.facility_id}: loaded, {loaded.new} of {loaded.sent} entries new")
        else:
            click.echo(f"{project.facility_id}: nothing to do, all {loaded.sent} entries were there")


@click.command("simulate")
@click.option("--year", type=click.IntRange(1970, 2199), required=True, help="The year to make up.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), required=True, help="The same seed gives the same score.")
@click.option("--facility", metavar="ID", help="Needed where there are several.")
@_url
def simulate_command(year: int, seed: int, facility: str | None, url: str) -> None:
    """Simulate a year of work in a simulated installation, and print its score."""
    with refusals_told(), Client(url) as client:
        with bar("simulate") as progress:
            result = simulate_year(client, facility, year, seed, progress)
        print_result(client, result)


@click.group("project")
def project_group() -> None:
    """Make project folders."""


@project_group.command("new")
@click.option(
    "--from", "last", metavar="DIR", required=True, type=click.Path(path_type=Path), help="The last year's project."
)
@click.option("--year", type=click.IntRange(1900, 2999), required=True, help="The year to make a project for.")
@click.option("--to", "folder", metavar="DIR", type=click.Path(path_type=Path), help="By default beside the last one.")
@click.option(
    "--url", metavar="URL", help="Take systems and points as they stand in the installation that answers there."
)
def new_command(last: Path, year: int, folder: Path | None, url: str | None) -> None:
    """Make a new year's project from the last one, with what is to be filled in and reviewed left open."""
    with refusals_told(), Client(url) if url else nullcontext() as client:
        project = read_project(last)
        made = renew.renew(project, year, client)
        folder = folder or renew.folder_of(last, project.year, year)
        renew.write(made.files, folder)
        click.echo(f"{folder}: the project of {year}, made from {last}; before it can be loaded:")
        for one in made.to_do:
            click.echo(f"  {one.what:8} {one.about}")


@contextmanager
def bar(what: str) -> Iterator[load.Progress]:
    """A progress bar on standard error, gone when all is done; silent where nobody watches."""
    columns = (
        TextColumn("{task.fields[what]} {task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("", total=1.0, what=what)
        yield lambda text, fraction: shown.update(task, description=text, completed=fraction)


@contextmanager
def refusals_told() -> Iterator[None]:
    """Tell what was refused, a line for each mistake, and exit with 2."""
    try:
        yield
    except Invalid as fault:
        for place, whys in fault.errors.items():
            click.echo(f"{place}: {', '.join(whys)}" if place else ", ".join(whys), err=True)
        sys.exit(2)
    except Refused as fault:
        click.echo(" ".join(str(fault).split()), err=True)
        sys.exit(2)
