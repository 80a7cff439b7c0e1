"""The command line, and the one place that knows all services: it hosts them together or names what it needs of them."""

import os
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError

from services.access.cli import first_link_command
from services.assets.cli import assets_group
from services.audit.cli import audit_group
from services.backup import backup_command
from services.catalogue import catalogue_command
from services.data_folder import sole_user_of
from services.demo import demo_command
from services.hosted import HOSTED
from services.migrate import migrate_command
from services.move import move_command
from services.openapi.cli import openapi_command
from services.operator_key import kept, laid_out
from services.process import host, host_command, one_line, patch
from services.project.cli import load_command, project_group, simulate_command
from services.rebuild import rebuild_command
from services.scoring.cli import rulebook_group, score_command
from services.scoring.forms.cli import forms_command
from services.scoring.questions.cli import diff_command, why_command
from services.start import start_command
from shared.config import SERVICES
from shared.configuring import from_environment


class _OneLine(click.Group):
    """Wrong use is said in one line, with exit status 2."""

    def main(self, *arguments: Any, **options: Any) -> None:  # type: ignore[override]  # it never returns
        """Run the command line."""
        try:
            status = super().main(*arguments, **{**options, "standalone_mode": False})
        except NoArgsIsHelpError as fault:
            fault.show()
            sys.exit(2)
        except click.ClickException as fault:
            click.echo(f"xunjian: {' '.join(fault.format_message().split())}", err=True)
            sys.exit(2)
        except click.Abort:
            sys.exit(130)
        sys.exit(status if isinstance(status, int) else 0)


@click.group(cls=_OneLine, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Xunjian 巡检: inspection rounds, from the plan to the yearly score, as an event stream."""


main.add_command(demo_command)
main.add_command(start_command)
main.add_command(host_command)
main.add_command(load_command)
main.add_command(project_group)
main.add_command(simulate_command)
main.add_command(score_command)
main.add_command(rulebook_group)
main.add_command(forms_command)
main.add_command(diff_command)
main.add_command(why_command)
main.add_command(audit_group)
main.add_command(rebuild_command)
main.add_command(move_command)
main.add_command(migrate_command)
main.add_command(backup_command)
main.add_command(assets_group)
main.add_command(first_link_command)
main.add_command(catalogue_command)
main.add_command(openapi_command)


@main.command()
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Of each measurement.")
def bench(rounds: int) -> None:
    """Measure beside peers; only in a checkout, and by `make bench`, which brings the servers up."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    with one_line():
        try:
            run = import_module("benchmarks.run")
        except ImportError as fault:
            raise OSError(f"the benchmarks run in a checkout with its development packages: {fault}") from fault
        run.main(rounds)


@main.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("data"), show_default=True, help="Its folder.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="On 127.0.0.1; 0 takes any."
)
@click.option("--simulated", is_flag=True, help="Mark a new folder as simulated: time comes from commands, for ever.")
@click.option(
    "--webhook-host", multiple=True, metavar="HOST", help="With an internal address, but webhooks may call it."
)
@click.option("--log-level", type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]), default="WARNING")
def serve(*, data: Path, port: int, simulated: bool, webhook_host: tuple[str, ...], log_level: str) -> None:
    """Run the whole platform in one process on SQLite files; empty unless loaded."""
    patch()
    from shared.logs import configure  # noqa: PLC0415

    configure("console" if sys.stderr.isatty() else "json", log_level)
    with one_line(), sole_user_of(data):
        _must_be_free(port)
        config = embedded_config(data, port, True if simulated else None)
        if webhook_host:
            config["WEBHOOK_HOSTS"] = list(webhook_host)
        _must_open(config, data)
        config["OPERATOR_KEY"] = kept(data)
        runner = host(config, tuple(HOSTED))
        address = f"http://127.0.0.1:{_port_of(runner)}"
        with laid_out(address, config["OPERATOR_KEY"]):
            click.echo(f"{address}/v1/health")
            click.echo(_way_in(config, address))
            runner.wait()


def _way_in(config: dict[str, Any], address: str) -> str:
    """Where to go first: the one-time link to the first account as long as there is none, then the page of the API."""
    from shared.rpc import caller  # noqa: PLC0415

    with caller(config) as call:
        code = call("access", "first_link")
    return f"{address}/v1/docs" if code is None else f"首次登录 first sign-in, once: {address}/welcome?code={code}"


def embedded_config(data: Path, port: int, simulated: bool | None) -> dict[str, Any]:
    """The configuration of the embedded platform: a SQLite file per service, the broker inside the process."""
    return {
        "AMQP_URI": "embedded://xunjian",
        "DATABASES": {service: f"sqlite:///{data.resolve() / service}.db" for service in SERVICES},
        "SIMULATED": simulated,
        "SEAL_KEY": str(data.resolve() / "seal.pem"),
        "WEBHOOK_SM2_KEY": str(data.resolve() / "webhook.pem"),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        **from_environment(os.environ),
        "WEB_SERVER_ADDRESS": f"127.0.0.1:{port}",
        "serializer": "json",
        "max_workers": 10,
    }


def _port_of(runner: Any) -> int:
    from services.gateway.edge import Edge  # noqa: PLC0415

    (edge,) = (one for one in runner.service_map["gateway"].subextensions if isinstance(one, Edge))
    return edge.port


def _must_open(config: dict[str, Any], data: Path) -> None:
    """Open every database once before any service does: nameko would print a traceback beside what is wrong.

    Those that are there come first, so that nothing is made where one of them is refused.
    """
    from shared.provider import must_be_known, open_ledger  # noqa: PLC0415

    there = [service for service in SERVICES if (data / f"{service}.db").exists()]
    for service in there:  # before the first is brought up
        must_be_known(config, service)
    for service in (*there, *(service for service in SERVICES if service not in there)):
        open_ledger(config, service).database.close()


def _must_be_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as fault:
            raise OSError(f"--port {port}: {fault.strerror}, expected a port of 127.0.0.1 that is free") from fault


if __name__ == "__main__":
    main()
