"""`xunjian forms`: the official forms of a year from a file of events, with no service running."""

import sys
from pathlib import Path

import click

from services.scoring.offline import load_events, load_rulebook, read_question
from services.scoring.questions.difference import Question
from shared.errors import Invalid


@click.command("forms")
@click.argument("events", type=click.Path(path_type=Path))
@click.option("--rulebook", metavar="FILE", default="chenggong-2021", show_default=True, help="A file, or a bare name.")
@click.option(
    "--as-of", metavar="DATE", help="Local date, inclusive: YYYY-MM-DD. Default: as published, else the year's last."
)
@click.option("--known-at", metavar="TS", help="See only what was recorded by then (RFC 3339). Default: everything.")
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), required=True, help="Made if need be.")
def forms_command(events: Path, rulebook: str, as_of: str | None, known_at: str | None, output: Path) -> None:
    """Write the official forms of the EVENTS, both as sheets and as PDF, the import of the budget system, and the charts."""
    try:
        for path in _written(events, rulebook, as_of, known_at, output):
            click.echo(path)
    except Invalid as fault:
        click.echo(str(fault), err=True)
        sys.exit(2)


def _written(events: Path, rulebook: str, as_of: str | None, known_at: str | None, output: Path) -> list[Path]:
    """Make every file first, then write them; a folder that cannot be had is told before all that work."""
    from services.scoring.forms.files import FILES  # noqa: PLC0415  # sheets are half of what other commands wait for
    from services.scoring.forms.form import as_published, form_of  # noqa: PLC0415

    book = load_rulebook(rulebook)
    day, moment = read_question(as_of or f"{book.year}-12-31", known_at)
    facts = load_events(events)
    asked = Question(rulebook=book, as_of=day, known_at=moment, known_at_given=known_at)
    if as_of is None and known_at is None:
        asked = as_published(facts, asked)
    form = form_of(facts, asked, simulated=any(recorded.simulated for recorded in facts.history()))
    try:
        output.mkdir(parents=True, exist_ok=True)
        made = {output / file.filename(form): file.make(form) for file in FILES.values()}
        for path, content in made.items():
            path.write_bytes(content)
    except OSError as fault:
        raise Invalid(f"{output}: expected a folder that can be written to: {fault.strerror}") from fault
    return list(made)
