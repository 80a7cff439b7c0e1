"""`xunjian diff` and `xunjian why`: what differs between two answers, and what an answer rests on, from a file of events."""

import sys
from pathlib import Path
from typing import NoReturn

import click

from services.scoring.facts import Facts
from services.scoring.language import language
from services.scoring.offline import load_events, load_rulebook, read_question
from services.scoring.questions.difference import Question, diff, difference_bytes
from services.scoring.questions.text import difference_lines, why_lines
from services.scoring.questions.why import why, why_bytes
from shared.errors import Invalid

_events = click.argument("events", type=click.Path(path_type=Path))
_rulebook = click.option(
    "--rulebook", metavar="FILE", default="chenggong-2021", show_default=True, help="A file, or a bare name."
)
_as_of = click.option("--as-of", metavar="DATE", required=True, help="Local date, inclusive: YYYY-MM-DD.")
_known_at = click.option(
    "--known-at", metavar="TS", help="See only what was recorded by then (RFC 3339). Default: everything."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print the answer as canonical JSON.")

EVERYTHING = "all"
"""What `--to-known-at` says for all that is known, where the first question knew less."""


@click.command("diff")
@_events
@_rulebook
@_as_of
@_known_at
@click.option("--to-rulebook", metavar="FILE", help="The second question's. Default: the same.")
@click.option("--to-as-of", metavar="DATE", help="The second question's. Default: the same.")
@click.option("--to-known-at", metavar="TS", help="The second question's; `all` for everything. Default: the same.")
@_json
def diff_command(
    *,
    events: Path,
    rulebook: str,
    as_of: str,
    known_at: str | None,
    to_rulebook: str | None,
    to_as_of: str | None,
    to_known_at: str | None,
    as_json: bool,
) -> None:
    """Explain what differs between two scores of the EVENTS, each difference by the one event, day or parameter that
    made it. Exit status 0: nothing differs, 1: something does, 2: bad input.
    """
    try:
        first = _question(rulebook, as_of, known_at)
        known_then = None if to_known_at == EVERYTHING else to_known_at or known_at
        second = _question(to_rulebook or rulebook, to_as_of or as_of, known_then, prefix="to_")
        facts = load_events(events)
        difference = diff(facts, first, second)
    except Invalid as fault:
        _refuse(fault)
    if as_json:
        click.echo(difference_bytes(difference))
    else:
        books = first.rulebook, second.rulebook
        for line in difference_lines(difference.as_json(), books, language(), simulated=_simulated(facts)):
            click.echo(line)
    sys.exit(1 if difference else 0)


@click.command("why")
@_events
@_rulebook
@_as_of
@_known_at
@click.option("--indicator", metavar="ID", help="Only this one.")
@_json
def why_command(
    *, events: Path, rulebook: str, as_of: str, known_at: str | None, indicator: str | None, as_json: bool
) -> None:
    """Show what a score of the EVENTS rests on: the rules' words, what was counted, and each deduction's evidence."""
    try:
        question = _question(rulebook, as_of, known_at)
        known = [one.id for one in question.rulebook.indicators]
        if indicator is not None and indicator not in known:
            raise Invalid({"indicator": [f"expected one of {', '.join(known)}, not {indicator}"]})
        facts = load_events(events)
        answer = why(facts, question.answer(facts), question.known_at, indicator)
    except Invalid as fault:
        _refuse(fault)
    if as_json:
        click.echo(why_bytes(answer))
        return
    for line in why_lines(answer, language(), simulated=_simulated(facts)):
        click.echo(line)


def _question(rulebook: str, as_of: str, known_at: str | None, prefix: str = "") -> Question:
    day, moment = read_question(as_of, known_at, prefix)
    return Question(rulebook=load_rulebook(rulebook), as_of=day, known_at=moment, known_at_given=known_at)


def _simulated(facts: Facts) -> bool:
    return any(recorded.simulated for recorded in facts.history())


def _refuse(fault: Invalid) -> NoReturn:
    click.echo(" ".join(str(fault).split()), err=True)
    sys.exit(2)
