"""`xunjian backup`: a data folder copied as it was at one moment, while it is served; the copy is verified, and can be served."""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.move import KEYS
from shared.errors import Refused, Rejected

if TYPE_CHECKING:
    from services.audit.verify import Fault


@click.command("backup")
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("data"), show_default=True, help="The platform's folder."
)
@click.option("--to", type=click.Path(path_type=Path), required=True, help="A new folder.")
def backup_command(data: Path, to: Path) -> None:
    """Copy a data folder as it is at one moment; the platform may be running, and stands still for an instant only.

    The keys beside the databases come along: keep the copy as you keep the original. It can be served as it is.

    Exit status 0: copied, and the copy holds; 1: the copy does not hold, as what it was made from does not; 2: it could
    not be done, and nothing was left.
    """
    try:
        sys.exit(_backup(data, to))
    except (OSError, Refused) as fault:
        click.echo(f"xunjian: {' '.join(str(fault).split())}", err=True)
        sys.exit(2)


def _backup(data: Path, to: Path) -> int:
    """Copy, verify and tell; returns the exit status."""
    from services.audit.report import SHOWN, counted  # noqa: PLC0415  # a second that other commands do without
    from services.one_moment import copied_at_one_moment  # noqa: PLC0415
    from services.places import place  # noqa: PLC0415

    source = place(data)
    if not source.is_folder:
        raise Rejected(
            f"{data}: expected a data folder; databases on PostgreSQL: docs/operating.md, Backup and restore"
        )
    source.must_be_whole()
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise Rejected(f"--to {to}: expected a folder that is not there yet, or is empty")
    with copied_at_one_moment(data, to, KEYS) as taken:
        faults = _faults(taken.folder)
        first = list(islice(faults, SHOWN))
        count = len(first) + sum(1 for _ in faults)
    for fault in first:
        click.echo(f"{to}: {fault}")
    if count:
        click.echo(f"the copy does not hold, as what it was made from does not: {counted(count, 'difference')}")
        return 1
    for service, events in taken.events.items():
        click.echo(f"copied: {service}, {events:,} events")
    click.echo(f"as it was at {taken.at}; with it are {', '.join(taken.keys) or 'no keys'}")
    return 0


def _faults(folder: Path) -> "Iterator[Fault]":
    from services.audit.snapshot import of_folder  # noqa: PLC0415
    from services.audit.verify import Verification  # noqa: PLC0415

    databases = of_folder(folder)
    try:
        yield from Verification(databases).faults()
    finally:
        for database in databases.values():
            database.close()
