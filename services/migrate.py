"""`xunjian migrate`: databases brought to the newest schema, once for all replicas, by the role that owns the tables."""

import os
import sys
from pathlib import Path

import click

from shared.config import SERVICES
from shared.errors import Refused


@click.command("migrate")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("infra/config.yaml"),
    show_default=True,
    help="A nameko YAML with DATABASES.",
)
@click.argument("services", nargs=-1, type=click.Choice(SERVICES), metavar="[SERVICE]...")
def migrate_command(config: Path, services: tuple[str, ...]) -> None:
    """Bring the databases of all services, or of some, to the newest schema; running it again changes nothing.

    DATABASES names the role that owns the tables. What RUNTIME_ROLES names, service by service, may use them afterwards,
    as far as the service needs. What runs meanwhile goes on.

    Exit status 0: all are of the newest schema; 2: it could not be done, and those not told of are as they were.
    """
    try:
        _migrate(config, services)
    except Refused as fault:
        click.echo(f"xunjian: {' '.join(str(fault).split())}", err=True)
        sys.exit(2)


def _migrate(file: Path, only: tuple[str, ...]) -> None:
    from shared.config import database_url, runtime_role  # noqa: PLC0415  # a second that other commands do without
    from shared.configuring import configured  # noqa: PLC0415
    from shared.database import Database  # noqa: PLC0415
    from shared.upgrade import named, upgrade  # noqa: PLC0415

    config = configured(file, os.environ)
    asked = {service: database_url(config, service) for service in only or config["DATABASES"]}
    roles = {service: runtime_role(config, service) for service in asked}
    for service, url in asked.items():
        database = Database(url)
        try:
            done = upgrade(database, service, roles[service])
        finally:
            database.close()
        was = f"{named(done.before)} → " if done.before != done.after else ""
        click.echo(f"{'migrated' if was else 'up to date'}: {service}, {was}{named(done.after)}")
