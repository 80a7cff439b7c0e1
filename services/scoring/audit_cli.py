"""`xunjian audit`: does what is stored still agree with itself, and does what was published still follow from it?"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from services.scoring.audit import KEEPER, Fault, Verification
from services.scoring.replay import Replay, Replayed
from services.scoring.snapshot import Unreadable, of_config, of_folder, unreadable
from shared.config import SERVICES
from shared.database import Database

SHOWN = 20
"""How many differences are told one by one."""

_data = click.option("--data", type=click.Path(path_type=Path), help="The platform's folder.  [default: data]")
_config = click.option("--config", type=click.Path(path_type=Path), help="A nameko YAML with DATABASES, instead.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group("audit")
def audit_group() -> None:
    """Check what is stored; nothing is changed. Exit status 0: it holds, 1: it does not, 2: it could not be checked."""


@audit_group.command()
@_data
@_config
@_json
def verify(data: Path | None, config: Path | None, as_json: bool) -> None:
    """Recompute every hash of every ledger, and compare all copies."""
    with _opened(data, config) as databases:
        began, verification = perf_counter(), Verification(databases)
        faults = verification.faults()
        first = list(islice(faults, SHOWN))
        count = len(first) + sum(1 for _ in faults)
        summary = {
            "services": list(databases),
            "facilities": len(verification.facilities),
            "events": verification.events,
            "seconds": round(perf_counter() - began, 1),
        }
    if as_json:
        _print_json({"held": not count, **summary, "differences": count, "first": [asdict(fault) for fault in first]})
    else:
        _print_verdict(first, count, summary)
    sys.exit(1 if count else 0)


@audit_group.command()
@_data
@_config
@click.option("--facility", help="Only this one.")
@click.option("--year", type=int, help="Only assessments of this year.")
@click.option("--from-sources", is_flag=True, help="Read the services' own ledgers, not scoring's journal of them.")
@_json
def replay(
    data: Path | None, config: Path | None, facility: str | None, year: int | None, from_sources: bool, as_json: bool
) -> None:
    """Score again what was published, from the events it rests on, and compare."""
    with _opened(data, config) as databases:
        again = Replay(databases, from_sources=from_sources)
        facilities = again.facilities()
        if facility is not None and facility not in facilities:
            raise Unreadable(f"no facility {facility}; known are {', '.join(facilities) or 'none'}")
        found = [one for name in facilities if facility in (None, name) for one in again.of(name, year)]
    held = not any(isinstance(one, Fault) or one.differences for one in found)
    if as_json:
        _print_json({"held": held, "replayed": [_as_json(one) for one in found]})
    else:
        for one in found:
            _print_replayed(one)
        if not any(isinstance(one, Replayed) and one.position is not None for one in found):
            click.echo("nothing is published")
    sys.exit(0 if held else 1)


@contextmanager
def _opened(data: Path | None, config: Path | None) -> Iterator[Mapping[str, Database]]:
    """The databases asked for, read-only; what cannot be read ends in one line and exit status 2."""
    if data is not None and config is not None:
        raise click.UsageError("--data and --config exclude each other")
    databases: dict[str, Database] = {}
    try:
        databases = of_config(config) if config is not None else of_folder(data or Path("data"))
        yield databases
    except Unreadable as fault:
        _give_up(fault)
    except DBAPIError as fault:
        _give_up(unreadable(KEEPER, fault))
    finally:
        for database in databases.values():
            database.close()


def _give_up(fault: Unreadable) -> None:
    click.echo(f"xunjian: {fault}", err=True)
    sys.exit(2)


def _print_verdict(first: list[Fault], count: int, summary: Mapping[str, Any]) -> None:
    for fault in first:
        click.echo(str(fault))
    if count > len(first):
        click.echo(f"… and {count - len(first)} more")
    services = summary["services"]
    verdict = "held" if not count else f"{count} difference{'s' * (count > 1)}"
    click.echo(
        f"{verdict}: {len(services)} services, {summary['facilities']} facilities,"
        f" {summary['events']:,} events, {summary['seconds']} s"
    )
    if absent := [service for service in SERVICES if service not in services]:
        click.echo(f"not compared with {', '.join(absent)}, whose databases were not given")


def _print_replayed(one: Replayed | Fault) -> None:
    if isinstance(one, Fault):
        click.echo(f"differs: {one}")
        return
    state = "open, nothing published" if one.position is None else f"published at position {one.position}"
    marks = ", withdrawn" * one.withdrawn + ", simulated" * one.simulated
    result = f": {one.found}" if one.found else ""
    verdict = "differs" if one.differences else "held"
    name = f"{one.facility} {one.year} {one.assessment_id}"
    click.echo(f"{verdict}: {name}, {state}{marks}, as of {one.as_of}{result}")
    for difference in one.differences[:SHOWN]:
        click.echo(f"  {difference}")
    if len(one.differences) > SHOWN:
        click.echo(f"  … and {len(one.differences) - SHOWN} more")


def _as_json(one: Replayed | Fault) -> dict[str, Any]:
    return {"differences": [str(one)]} if isinstance(one, Fault) else asdict(one)


def _print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, default=str, sort_keys=True))  # not orjson: a tampered name may be no text
