"""`xunjian score`: a file of events in, ten rows out."""

import sys
from pathlib import Path

import click

from services.scoring.evaluation import result_bytes
from services.scoring.offline import score_file
from services.scoring.table import print_table
from shared.errors import Invalid


@click.command("score")
@click.argument("events", type=click.Path(path_type=Path))
@click.option("--rulebook", metavar="FILE", default="chenggong-2021", show_default=True, help="A file, or a bare name.")
@click.option("--as-of", metavar="DATE", required=True, help="Local date, inclusive: YYYY-MM-DD.")
@click.option("--known-at", metavar="TS", help="See only what was recorded by then (RFC 3339). Default: everything.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as canonical JSON.")
def score_command(events: Path, rulebook: str, as_of: str, known_at: str | None, as_json: bool) -> None:
    """Score the EVENTS of a JSON Lines file by a rulebook, offline."""
    try:
        result = score_file(events, rulebook, as_of, known_at)
    except Invalid as fault:
        click.echo(str(fault), err=True)
        sys.exit(2)
    if as_json:
        click.echo(result_bytes(result))
    else:
        print_table(result.rulebook, result.as_json())
