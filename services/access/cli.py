"""`xunjian first-link`: the one-time link to the first account of a platform that runs on a broker."""

import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import click

from shared.config import setting
from shared.configuring import as_written
from shared.errors import Invalid, Refused


@click.command("first-link")
@click.option(
    "--config", type=click.Path(path_type=Path), required=True, help="The nameko YAML by which the services run."
)
def first_link_command(config: Path) -> None:
    """Print a fresh one-time link to the first account; those printed before are good no more.

    `xunjian serve` prints its own, as nobody can call it from another process. Exit status 0: printed; 1: somebody
    administers already; 2: it could not be done.
    """
    try:
        found = _read(config)
        code = _asked(found)
    except Refused as fault:
        click.echo(f"xunjian: {fault}", err=True)
        sys.exit(2)
    if code is None:
        click.echo("已有管理员 somebody administers already: they open the other accounts", err=True)
        sys.exit(1)
    click.echo(f"{str(setting(found, 'PUBLIC_URL')).rstrip('/')}/welcome?code={code}")


def _asked(config: dict[str, Any]) -> str | None:
    """What access answers; raises Unavailable."""
    # eventlet announces its own end on import; nameko 2 has no other engine (docs/decisions).
    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
    from shared.rpc import caller  # noqa: PLC0415  # half a second that other commands do without

    logging.getLogger("amqp").addHandler(logging.NullHandler())  # it remarks on calls that nobody takes
    with caller(config) as call:
        code: str | None = call("access", "first_link")
    return code


def _read(config: Path) -> dict[str, Any]:
    """A configuration, variables of the environment included; raises Invalid."""
    found = as_written(config, os.environ)
    if not found.get("AMQP_URI"):
        raise Invalid(f"{config}: AMQP_URI: expected the address of the broker")
    return found
