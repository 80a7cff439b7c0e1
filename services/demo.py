"""`xunjian demo`: the platform in a process of its own, the seed's project in it, its year made up, and the score."""

from datetime import datetime
from functools import partial
from pathlib import Path

import click

from services.project.cli import bar, refusals_told
from services.project.client import Client
from services.project.files import read_project
from services.project.load import load_project
from services.project.simulate import simulate_year
from services.project.summary import print_result
from services.server_process import serve_and

PROJECT = Path(__file__).resolve().parents[1] / "projects" / "chenggong-2021"


@click.command("demo")
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("data/demo"), show_default=True, help="Its folder."
)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="On 127.0.0.1.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=2021, show_default=True, help="Of the made-up year.")
def demo_command(data: Path, port: int, seed: int) -> None:
    """Serve the demo project with a simulated year; the second time, what is there is served at once."""
    serve_and(partial(_show, seed=seed), data, port, "--simulated", "--webhook-host", "127.0.0.1")


def _show(url: str, seed: int) -> None:
    with refusals_told(), Client(url) as client:
        project = read_project(PROJECT)
        with bar("load") as progress:
            load_project(project, client, progress)
        year = project.year
        if datetime.fromisoformat(client.get("/installation")["now"]).year > year:
            result = client.get(f"/facilities/{project.facility_id}/assessments/{year}", as_of=f"{year}-12-31")
        else:
            with bar("simulate") as progress:
                result = simulate_year(client, project.facility_id, year, seed, progress)
        print_result(client, result)
        click.echo(
            f"模拟数据 simulated · {url}/v1/facilities/{project.facility_id}/assessments/{year}?as_of={year}-12-31"
        )
