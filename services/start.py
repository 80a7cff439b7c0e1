"""`xunjian start`: a real installation on this machine, with a project in it."""

from functools import partial
from pathlib import Path

import click

from services.project.cli import bar, refusals_told
from services.project.client import Client
from services.project.files import Project, read_project
from services.project.load import load_project
from services.server_process import serve_and
from shared.errors import NotFound, Rejected


@click.command("start")
@click.argument("project_dir", type=click.Path(path_type=Path))
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("data/live"), show_default=True, help="Its folder."
)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="On 127.0.0.1.")
def start_command(project_dir: Path, data: Path, port: int) -> None:
    """Serve a real installation with the project of PROJECT_DIR; the second time, what is there is served at once."""
    with refusals_told():
        project = read_project(project_dir)
    serve_and(partial(_bring, project), data, port)


def _bring(project: Project, url: str) -> None:
    """Load a project into the installation at an address, unless it is there already."""
    with refusals_told(), Client(url) as client:
        if client.get("/installation")["simulated"]:
            raise Rejected("the data folder is a simulated installation; a real one needs a folder of its own (--data)")
        if _is_there(project, client):
            click.echo(f"{project.facility_id}: the project of {project.year} is there")
        else:
            with bar("load") as progress:
                loaded = load_project(project, client, progress)
            click.echo(f"{project.facility_id}: loaded, {loaded.new} of {loaded.sent} entries new")
        click.echo(f"{url}/v1/facilities/{project.facility_id}/years/{project.year}")


def _is_there(project: Project, client: Client) -> bool:
    """Whether the project was loaded whole: its plan comes last."""
    try:
        plans = client.rows(f"/facilities/{project.facility_id}/plans")
    except NotFound:
        return False
    return any(plan["plan_id"] == project.plan.plan_id for plan in plans)
