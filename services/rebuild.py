"""`xunjian rebuild`: fold the services' views anew, compare, and put what was folded in their place, while they go on."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shared.config import SERVICES
from shared.errors import Refused

if TYPE_CHECKING:
    from shared.rebuild import Compared, Rebuilt


@click.command("rebuild")
@click.option("--data", type=click.Path(path_type=Path), help="The platform's folder.  [default: data]")
@click.option("--config", type=click.Path(path_type=Path), help="A nameko YAML with DATABASES, instead.")
@click.option("--service", type=click.Choice(SERVICES), help="Only this one's views.")
def rebuild_command(data: Path | None, config: Path | None, service: str | None) -> None:
    """Fold all views anew from the events, compare, and mend what differs; the platform may be running.

    Exit status 0: nothing differed, or the fold was a new version; 1: rows differed from their events, and were mended;
    2: it could not be done.
    """
    if data is not None and config is not None:
        raise click.UsageError("--data and --config exclude each other")
    try:
        found = [_told(name, one) for name, one in _rebuilt(data or Path("data"), config, service)]
    except Refused as fault:
        click.echo(f"xunjian: {fault}", err=True)
        sys.exit(2)
    sys.exit(0 if all(found) else 1)


def _rebuilt(data: Path, config: Path | None, only: str | None) -> Iterator[tuple[str, "Rebuilt"]]:
    """Each service that was asked for, and what became of its views; raises Refused."""
    from services.audit.folded import VIEWS  # noqa: PLC0415  # a second that other commands do without
    from services.audit.snapshot import Unreadable, urls_of_config, urls_of_folder  # noqa: PLC0415
    from shared.rebuild import Rebuild  # noqa: PLC0415

    urls = urls_of_folder(data) if config is None else urls_of_config(config)
    asked = [name for name in urls if only in (None, name)]
    if not asked:
        raise Unreadable(f"{config}: DATABASES: expected the database of {only}")
    with _opened(urls) as (feeds, databases):
        rebuilds = [(name, Rebuild(databases[name], name, VIEWS[name], feeds)) for name in asked]
        for name, rebuild in rebuilds:
            yield name, rebuild.run()


@contextmanager
def _opened(urls: Mapping[str, str]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Of each service a reader of its ledger, and its database; whatever keeps them from being used is raised as Unreadable."""
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    from services.audit.snapshot import Unreadable, read_only, unreadable  # noqa: PLC0415
    from shared.clock import SystemClock  # noqa: PLC0415
    from shared.database import Database, newest_revisions  # noqa: PLC0415
    from shared.ledger import Ledger  # noqa: PLC0415

    sources = {service: read_only(url, service) for service, url in urls.items()}
    databases = {service: Database(url) for service, url in urls.items()}
    try:
        for service, database in databases.items():
            if _revisions(database) != newest_revisions(service):
                raise Unreadable(f"{service}: written by another version; start this one on it once, to convert it")
        yield {service: Ledger(one, service, SystemClock()).raw for service, one in sources.items()}, databases
    except DBAPIError as fault:
        raise unreadable("a service", fault) from fault
    finally:
        for database in (*sources.values(), *databases.values()):
            database.close()


def _revisions(database: Any) -> set[str]:
    from sqlalchemy import text  # noqa: PLC0415

    return {row.version_num for row in database.rows(text("SELECT version_num FROM alembic_version"))}


def _told(service: str, rebuilt: "Rebuilt") -> bool:
    """Print what became of a service's views; returns whether all was as it should be."""
    changed = rebuilt.before != rebuilt.version
    versions = f"version {rebuilt.version}" + f" (before: {rebuilt.before})" * changed
    verdict = "replaced" if changed else "mended" if rebuilt.differing else "held"
    click.echo(f"{verdict}: {service}, {versions}, {rebuilt.events:,} events folded")
    for table in rebuilt.differing:
        click.echo(f"  {table.table}: {_counted(table)}")
        for one in () if changed else table.first:
            click.echo(f"    {one}")
    return changed or not rebuilt.differing


def _counted(table: "Compared") -> str:
    counts = {"missing": table.missing, "without an event": table.unfounded, "different": table.different}
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
