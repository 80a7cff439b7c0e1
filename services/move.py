"""`xunjian move`: an installation from a data folder into the databases of a configuration, and back, byte for byte."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shared.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from services.carrying import Carried
    from services.places import Place

KEYS = {"seal.pem": "SEAL_KEY", "webhook.pem": "WEBHOOK_SM2_KEY", "operator.key": "OPERATOR_KEY"}
"""Files of a data folder that no database keeps, and the settings of a configuration that take their place."""


@click.command("move")
@click.option(
    "--from", "source", type=click.Path(path_type=Path), required=True, help="A data folder, or a nameko YAML."
)
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="Likewise; with nothing in it.")
def move_command(source: Path, target: Path) -> None:
    """Copy a stopped installation to another place, SQLite files to PostgreSQL or back; the source stays as it is.

    All chains are verified before and after, and every table is held against the original. Nobody stays signed in.
    Exit status 0: moved; 1: something differs; 2: it could not be done. Unless it is 0, the target is not to be used.
    """
    from services.places import place  # noqa: PLC0415  # a second that other commands do without

    try:
        sys.exit(_move(place(source), place(target)))
    except (OSError, Refused) as fault:
        click.echo(f"xunjian: {' '.join(str(fault).split())}", err=True)
        sys.exit(2)


def _move(source: "Place", target: "Place") -> int:
    """Move, and tell what was moved; returns the exit status."""
    source.must_be_whole()
    with source.held():
        target.must_be_empty(source)
        if _differs(source, "nothing was moved: the source does not hold"):
            return 1
        with target.held():
            target.must_be_empty(source)
            target.prepare()
            carried = _carry(source, target)
            if _differs(target, "the target does not hold, and is not to be used"):
                return 1
    for service, tables in carried.items():
        events = sum(table.rows for table in tables if table.name == "event")
        click.echo(f"moved: {service}, {events:,} events, {len(tables)} tables")
    for line in _still_to_do(source, target):
        click.echo(line)
    return 0


def _carry(source: "Place", target: "Place") -> dict[str, list["Carried"]]:
    """Every table of every service; one transaction in each target, and none is committed before all are filled."""
    from services.audit.snapshot import snapshot  # noqa: PLC0415
    from services.carrying import carry  # noqa: PLC0415

    carried = {}
    with source.opened() as ours, _writing(target) as theirs:
        for service, connection in theirs.items():
            with snapshot(ours[service]) as original:
                carried[service] = carry(service, original, connection)
        source.must_be_unused()
        target.must_be_unused()
    return carried


@contextmanager
def _writing(target: "Place") -> Iterator[Mapping[str, "Connection"]]:
    with target.writable() as databases, ExitStack() as transactions:
        connections = {service: transactions.enter_context(one.write()) for service, one in databases.items()}
        for service, one in databases.items():
            if not one.sqlite:  # those that are filled first wait for the last
                connections[service].exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield connections


def _differs(place: "Place", verdict: str) -> bool:
    """Whether `audit verify` finds a difference in a place; if so, it is told."""
    from services.audit.report import SHOWN, counted  # noqa: PLC0415
    from services.audit.verify import Verification  # noqa: PLC0415

    with place.opened() as databases:
        faults = Verification(databases).faults()
        first = list(islice(faults, SHOWN))
        count = len(first) + sum(1 for _ in faults)
    for fault in first:
        click.echo(f"{place.path}: {fault}")
    if count:
        click.echo(f"{verdict}: {counted(count, 'difference')}")
    return bool(count)


def _still_to_do(source: "Place", target: "Place") -> Iterator[str]:
    """What no database keeps; files are named, and never what is in them."""
    for file, name in KEYS.items():
        if not source.is_folder or (source.path / file).exists():
            yield f"carry along: {_where(source, file, name)} → {_where(target, file, name)}"
    yield "people sign in again: sessions and one-time links were not moved"
    if not target.is_folder:
        yield "start it on a broker without a past (a new virtual host)"
    yield f"do not start {source.path} again beside it"


def _where(place: "Place", file: str, name: str) -> str:
    return str(place.path / file) if place.is_folder else f"{name} of {place.path}"
