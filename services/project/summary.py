"""A result that an installation answered, as the table that `xunjian score` prints."""

from datetime import date
from decimal import Decimal
from typing import Any

import click

from services.project.client import Client
from services.scoring.cli import _print_table as print_table
from services.scoring.evaluation import Assessed, Result
from services.scoring.offline import load_rulebook
from services.scoring.rulebook import Rulebook, read_rulebook
from shared.errors import Invalid


def print_result(client: Client, shown: dict[str, Any]) -> None:
    """Print the rows of a result (design.md, `score --json`), or its total alone where its rulebook is not at hand."""
    rulebook = _rulebook(client, shown)
    if rulebook is None:
        click.echo(f"{shown['facility']} {shown['year']}: {shown['total'] or shown['provisional_total']}")
        return
    print_table(
        Result(
            facility=shown["facility"],
            rulebook=rulebook,
            as_of=date.fromisoformat(shown["as_of"]),
            known_at=shown["known_at"],
            indicators=[
                Assessed(
                    indicator=indicator,
                    status=row["status"],
                    actual=_number(row["actual"]),
                    deducted=_decimal(row["deducted"]),
                    score=_decimal(row["score"]),
                )
                for indicator, row in zip(rulebook.indicators, shown["indicators"], strict=True)
            ],
        )
    )


def _rulebook(client: Client, shown: dict[str, Any]) -> Rulebook | None:
    """The rulebook of a result, by the hash of its bytes: from the installation, or from the projects at hand."""
    for entry in client.get("/rulebooks"):
        if entry["sha256"] == shown["rulebook_sha256"] and "text" in entry:
            return read_rulebook(entry["text"].encode())
    try:
        rulebook = load_rulebook(shown["rulebook"])
    except Invalid:
        return None
    return rulebook if rulebook.sha256 == shown["rulebook_sha256"] else None


def _number(text: int | str | None) -> int | Decimal | None:
    return Decimal(text) if isinstance(text, str) else text


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
