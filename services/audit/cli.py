"""`xunjian audit`: does what is stored still agree with itself, and does what was published still follow from it?"""

import sys
from pathlib import Path

import click

from shared.errors import Refused

_data = click.option("--data", type=click.Path(path_type=Path), help="The platform's folder.  [default: data]")
_config = click.option("--config", type=click.Path(path_type=Path), help="A nameko YAML with DATABASES, instead.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group("audit")
def audit_group() -> None:
    """Check what is stored; nothing is changed. Exit status 0: it holds, 1: it does not, 2: it could not be checked."""


@audit_group.command("verify")
@_data
@_config
@_json
def verify_command(data: Path | None, config: Path | None, as_json: bool) -> None:
    """Recompute every hash of every ledger, and compare all copies."""
    from services.audit.report import verify  # noqa: PLC0415  # half a second that other commands do without

    sys.exit(verify(*_not_both(data, config), as_json=as_json))


@audit_group.command("replay")
@_data
@_config
@click.option("--facility", help="Only this one.")
@click.option("--year", type=int, help="Only assessments of this year.")
@click.option("--from-sources", is_flag=True, help="Read the services' own ledgers, not scoring's journal of them.")
@_json
def replay_command(
    *, data: Path | None, config: Path | None, facility: str | None, year: int | None, from_sources: bool, as_json: bool
) -> None:
    """Score again what was published, from the events it rests on, and compare."""
    from services.audit.report import replay  # noqa: PLC0415

    sys.exit(replay(*_not_both(data, config), facility, year, from_sources=from_sources, as_json=as_json))


@audit_group.command("events")
@_data
@_config
@click.option("--facility", help="Needed where there are several.")
def events_command(*, data: Path | None, config: Path | None, facility: str | None) -> None:
    """Print a facility's events as JSON Lines, an envelope a line, as `xunjian score` reads them."""
    from services.audit.events import event_lines  # noqa: PLC0415

    try:
        for line in event_lines(*_not_both(data, config), facility):
            click.echo(line)
    except Refused as fault:
        click.echo(str(fault), err=True)
        sys.exit(2)


def _not_both(data: Path | None, config: Path | None) -> tuple[Path, Path | None]:
    if data is not None and config is not None:
        raise click.UsageError("--data and --config exclude each other")
    return data or Path("data"), config
