"""`xunjian host`: one service as a process of its own, from its settings to its end.

What is wrong for good is one line, exit status 2, and nothing written anywhere; what is only not there yet is waited for.
"""

import logging.config
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from services.hosted import HOSTED, class_of
from shared.config import setting
from shared.configuring import configured
from shared.errors import Refused


@click.command("host")
@click.argument("service", type=click.Choice(tuple(HOSTED)))
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("infra/config.yaml"),
    show_default=True,
    help="The settings; variables XUNJIAN_… say what differs.",
)
def host_command(service: str, config: Path) -> None:
    """Host one service, on RabbitMQ and PostgreSQL, until it is told to stop (SIGTERM).

    Exit status 0: stopped, and nothing left undone; 1: it broke, or had to be cut short; 2: something is wrong that will
    not mend itself, and one line says what.
    """
    patch()
    with one_line():
        settings = configured(config, os.environ, service)
        _log_as_told(settings)
        _must_be_told_all(settings, service)
        _wait_for_needs(settings, service)
        host(settings, (service,)).wait()


@contextmanager
def one_line() -> Iterator[None]:
    """Turn what a user can mend into one line and exit status 2."""
    try:
        yield
    except (OSError, Refused) as fault:
        click.echo(f"xunjian: {' '.join(str(fault).split())}", err=True)
        sys.exit(2)


def patch() -> None:
    """Make sockets, locks and sleeps eventlet's, before anything of nameko is imported; only hosting needs it."""
    # eventlet announces its own end on import; nameko 2 has no other engine (docs/decisions).
    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
    import eventlet  # noqa: PLC0415
    import kombu.utils.functional  # noqa: PLC0415

    eventlet.monkey_patch()
    # The command line has imported kombu already, which keeps a sleep of its own: between two attempts to reach the
    # broker it would stop the whole process.
    kombu.utils.functional.sleep = eventlet.sleep


def host(config: dict[str, Any], services: tuple[str, ...]) -> Any:
    """Start services in this process; SIGTERM and SIGINT stop them gracefully. Raises Refused where one cannot start."""
    import eventlet  # noqa: PLC0415
    import eventlet.debug  # noqa: PLC0415
    from nameko.runners import ServiceRunner  # noqa: PLC0415

    from services.stopping import Ending  # noqa: PLC0415

    import_module("shared.embedded")
    runner = ServiceRunner(config=config)
    for service in services:
        runner.add_service(class_of(service))
    ending = Ending(runner, float(setting(config, "STOP_SECONDS")))
    _on_signal(lambda: eventlet.spawn_n(ending.begin))
    eventlet.debug.hub_exceptions(False)  # what keeps a service from starting is raised here, and not printed as well
    runner.start()
    eventlet.debug.hub_exceptions(True)
    return runner


def _on_signal(do: Callable[[], Any]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: do())


def _log_as_told(config: Mapping[str, Any]) -> None:
    from shared.logs import configure  # noqa: PLC0415

    configure(setting(config, "LOG_LINES"), setting(config, "LOG_LEVEL"))
    if "LOGGING" in config:
        logging.config.dictConfig(config["LOGGING"])


def _must_be_told_all(config: Mapping[str, Any], service: str) -> None:
    """Raise Invalid for what only the service itself can tell to be wrong."""
    if service == "access":
        from services.access.settings import settings_of  # noqa: PLC0415

        settings_of(config)


def _wait_for_needs(config: Mapping[str, Any], service: str) -> None:
    """Wait for database and broker; raises Refused where waiting is of no use."""
    from services.waiting import Waiting  # noqa: PLC0415

    _on_signal(lambda: os._exit(0))  # nothing is in hand yet
    with Waiting(config, service) as waiting:
        waiting.wait()
