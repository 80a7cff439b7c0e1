"""`xunjian load` and `xunjian simulate`: a project into an installation, and a made-up year of work on it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from services.project import load
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
