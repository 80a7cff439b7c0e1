"""`xunjian score`: a file of events in, a row an indicator out. `xunjian rulebook`: what a rulebook says, in words."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from services.scoring.evaluation import result_bytes
from services.scoring.language import language
from services.scoring.offline import rulebook_path, rulebook_text, score_file_by_each
from services.scoring.rulebooks.rulebook import Rulebook, read_rulebook, rulebook_schema
from services.scoring.table import print_side_by_side, print_table
from shared.errors import Invalid
from shared.event import canonical


@click.command("score")
@click.argument("events", type=click.Path(path_type=Path))
@click.option(
    "--rulebook",
    "rulebooks",
    metavar="FILE",
    multiple=True,
    default=["chenggong-2021"],
    show_default=True,
    help="A file, or a bare name. Several, each with its own --rulebook, are scored side by side.",
)
@click.option("--as-of", metavar="DATE", required=True, help="Local date, inclusive: YYYY-MM-DD.")
@click.option("--known-at", metavar="TS", help="See only what was recorded by then (RFC 3339). Default: everything.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as canonical JSON, a line a rulebook.")
def score_command(events: Path, rulebooks: Sequence[str], as_of: str, known_at: str | None, as_json: bool) -> None:
    """Score the EVENTS of a JSON Lines file by a rulebook, offline."""
    try:
        results = score_file_by_each(events, rulebooks, as_of, known_at)
    except Invalid as fault:
        click.echo(str(fault), err=True)
        sys.exit(2)
    if as_json:
        for result in results:
            click.echo(result_bytes(result))
    elif len(results) == 1:
        print_table(results[0].rulebook, results[0].as_json())
    else:
        print_side_by_side([(result.rulebook, result.as_json()) for result in results])


@click.group("rulebook")
def rulebook_group() -> None:
    """How a year is scored, as data (docs/rulebook-format.md)."""


@rulebook_group.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE_OR_NAME...")
@click.option("--json", "as_json", is_flag=True, help="Print the rulebook as canonical JSON, a line each.")
def check_command(files: Sequence[str], as_json: bool) -> None:
    """Explain a rulebook in words, or what differs between the first and each other; refuse what is wrong."""
    checked = [_checked(file) for file in files]
    mistakes = [mistake for one in checked if not isinstance(one, Rulebook) for mistake in one]
    if mistakes:
        for mistake in mistakes:
            click.echo(mistake, err=True)
        sys.exit(2)
    rulebooks = [one for one in checked if isinstance(one, Rulebook)]
    if as_json:
        for rulebook in rulebooks:
            click.echo(canonical(rulebook.as_json()))
        return
    for line in _explained(rulebooks):
        click.echo(line)


@rulebook_group.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of a rulebook's file."""
    click.echo(json.dumps(rulebook_schema(), ensure_ascii=False, indent=2))


def _checked(file: str) -> Rulebook | list[str]:
    """The rulebook of a file or bare name, or what is wrong with it, a line each."""
    try:
        path = rulebook_path(file)
        text = rulebook_text(path)
    except Invalid as fault:
        return [_printable(str(fault))]
    try:
        return read_rulebook(text)
    except Invalid as fault:
        mistakes = ((field, why) for field, whys in fault.errors.items() for why in whys)
        return [_printable(": ".join(filter(None, (str(path), field, why)))) for field, why in mistakes]


def _printable(mistake: str) -> str:
    """One line of a length that can be read, whatever a file's keys are made of."""
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in mistake)
    return shown if len(shown) <= 500 else f"{shown[:249]}…{shown[-250:]}"


def _explained(rulebooks: Sequence[Rulebook]) -> Iterator[str]:
    from services.scoring.rulebooks.differences import differences  # noqa: PLC0415  # other commands do without them
    from services.scoring.rulebooks.oddities import oddities  # noqa: PLC0415
    from services.scoring.rulebooks.words import explain, headed, noted  # noqa: PLC0415

    chosen = language()
    if len(rulebooks) == 1:
        yield from explain(rulebooks[0], chosen)
        yield from noted(oddities(rulebooks[0], chosen), chosen)
        return
    for rulebook in rulebooks:
        yield from headed(rulebook, chosen)
        yield from noted(oddities(rulebook, chosen), chosen)
        yield ""
    for other in rulebooks[1:]:
        yield f"{rulebooks[0].id} → {other.id}"
        yield from (f"  {line}" for line in differences(rulebooks[0], other, chosen))
