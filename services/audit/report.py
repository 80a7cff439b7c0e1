"""What `xunjian audit` prints, and the exit status that it ends with: 0 held, 1 something differs, 2 cannot be read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path
from time import perf_counter
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TimeElapsedColumn
from rich.text import Text
from sqlalchemy.exc import DBAPIError

from services.audit.replay import Replay, Replayed
from services.audit.seals import Kept, Seals
from services.audit.snapshot import Unreadable, of_config, of_folder, unreadable
from services.audit.verify import KEEPER, Fault, Verification
from services.scoring.publishing.seal import Seal, read_seal
from shared.config import SERVICES
from shared.database import Database
from shared.errors import Invalid, Refused
from shared.signing import PublicKey, read_public

SMALL = 2**20
"""How long a key or a seal may be, in bytes; they have some hundred."""
SHOWN = 20
"""How many differences are told one by one."""


def verify(data: Path, config: Path | None, seals: Sequence[Path], keys: Sequence[Path], *, as_json: bool) -> int:
    """Check every ledger, copy and seal, and print what was found; returns the exit status."""
    try:
        kept = [Kept(seal=read_seal_file(file), place=str(file)) for file in seals]
        known = [read_key_file(file) for file in keys]
        with opened(data, config) as databases:
            began, verification, sealed = perf_counter(), Verification(databases), Seals(databases, kept, known)
            with _counting(verification):
                faults = chain(verification.faults(), sealed.faults())
                first = list(islice(faults, SHOWN))
                count = len(first) + sum(1 for _ in faults)
            seconds = round(perf_counter() - began, 1)
            absent = [service for service in SERVICES if service not in databases]
            read = {"services": list(databases), "facilities": len(verification.facilities)}
            summary = {"held": not count, "differences": count, **read, "events": verification.events}
            summary |= {"seals": sealed.number, "signatures_checked": bool(known)}
    except Refused as fault:
        return given_up(fault)
    if as_json:
        _print_json({**summary, "seconds": seconds, "not_compared": absent, "first": [asdict(one) for one in first]})
    else:
        _print_faults(first, count)
        _print_summary(summary, seconds, absent)
    return 1 if count else 0


def replay(
    data: Path, config: Path | None, facility: str | None, year: int | None, *, from_sources: bool, as_json: bool
) -> int:
    """Evaluate every assessment again, and print what was found; returns the exit status."""
    try:
        with opened(data, config) as databases:
            again = Replay(databases, from_sources=from_sources)
            facilities = again.facilities()
            if facility is not None and facility not in facilities:
                raise Unreadable(f"no facility {facility}; known are {', '.join(facilities) or 'none'}")
            found = [one for name in facilities if facility in (None, name) for one in again.of(name, year)]
    except Unreadable as fault:
        return given_up(fault)
    held = not any(isinstance(one, Fault) or one.differences for one in found)
    if as_json:
        _print_json({"held": held, "replayed": [_as_json(one) for one in found]})
    else:
        _print_replayed(found)
    return 0 if held else 1


@contextmanager
def opened(data: Path, config: Path | None) -> Iterator[Mapping[str, Database]]:
    """The databases asked for, read-only; whatever keeps them from being read is raised as Unreadable."""
    databases = of_folder(data) if config is None else of_config(config)
    try:
        yield databases
    except DBAPIError as fault:
        raise unreadable(KEEPER, fault) from fault
    finally:
        for database in databases.values():
            database.close()


class _Events(ProgressColumn):
    """How many events were read; nobody knows beforehand how many there are."""

    def __init__(self, verification: Verification) -> None:
        super().__init__()
        self._verification = verification

    def render(self, task: Task) -> Text:
        """The count."""
        return Text(f"{self._verification.events:,} events")


@contextmanager
def _counting(verification: Verification) -> Iterator[None]:
    """Show on a terminal that work is going on."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), _Events(verification), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        progress.add_task("verify", total=None)
        yield


def read_seal_file(file: Path) -> Seal:
    """The seal in a file; raises Invalid that names the file."""
    try:
        return read_seal(content_of(file, SMALL))
    except (OSError, Invalid) as fault:
        raise Invalid(f"{file}: {fault}") from fault


def read_key_file(file: Path) -> PublicKey:
    """The public key in a file; raises Invalid that names the file."""
    try:
        return read_public(content_of(file, SMALL).decode())
    except (OSError, UnicodeDecodeError, Invalid) as fault:
        raise Invalid(f"{file}: {fault}") from fault


def content_of(file: Path, most: int) -> bytes:
    """The bytes of a file, which has at most so many; raises Invalid where it has more, also if it never ends."""
    with file.open("rb") as opened_:
        content = opened_.read(most + 1)
    if len(content) > most:
        raise Invalid(f"expected at most {most:,} bytes")
    return content


def given_up(fault: Exception) -> int:
    """Say in one line why something could not be done; returns the exit status for that."""
    click.echo(f"xunjian: {' '.join(str(fault).split())}", err=True)
    return 2


def _print_faults(first: Sequence[Fault], count: int) -> None:
    for fault in first:
        click.echo(str(fault))
    if count > len(first):
        click.echo(f"… and {count - len(first):,} more")


def _print_summary(summary: Mapping[str, Any], seconds: float, absent: Sequence[str]) -> None:
    verdict = "held" if summary["held"] else counted(summary["differences"], "difference")
    facilities = counted(summary["facilities"], "facility", "facilities")
    services = counted(len(summary["services"]), "service")
    seals = counted(summary["seals"], "seal") + " (signatures not checked: no key given)" * _unchecked(summary)
    click.echo(f"{verdict}: {services}, {facilities}, {counted(summary['events'], 'event')}, {seals}, {seconds} s")
    if absent:
        click.echo(f"not compared with {', '.join(absent)}: no database given")


def _unchecked(summary: Mapping[str, Any]) -> bool:
    return bool(summary["seals"]) and not summary["signatures_checked"]


def counted(number: int, one: str, several: str = "") -> str:
    """A number with its noun: `1 event`, `1,531 events`."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def _print_replayed(found: Sequence[Replayed | Fault]) -> None:
    for one in found:
        if isinstance(one, Fault):
            click.echo(f"differs: {one}")
        else:
            click.echo(_line(one))
            for difference in one.differences[:SHOWN]:
                click.echo(f"  {difference}")
            if len(one.differences) > SHOWN:
                click.echo(f"  … and {len(one.differences) - SHOWN:,} more")
    if not any(isinstance(one, Replayed) and one.position is not None for one in found):
        click.echo("nothing is published")


def _line(one: Replayed) -> str:
    verdict = "differs" if one.differences else "held"
    state = "open" if one.position is None else f"published at position {one.position}"
    marks = ", withdrawn" * one.withdrawn + ", simulated" * one.simulated
    result = f": {one.found}" if one.found else ""
    return f"{verdict}: {one.facility} {one.year} {one.assessment_id}, {state}{marks}, as of {one.as_of}{result}"


def _as_json(one: Replayed | Fault) -> dict[str, Any]:
    return {"differences": [str(one)]} if isinstance(one, Fault) else asdict(one)


def _print_json(value: dict[str, Any]) -> None:
    # Not orjson, which refuses what a tampered name may hold.
    click.echo(json.dumps(value, default=str, sort_keys=True))
