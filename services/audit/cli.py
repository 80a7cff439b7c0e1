"""`xunjian audit`: does what is stored still agree with itself, and does what was published still follow from it?"""

import re
import sys
from pathlib import Path

import click

_data = click.option("--data", type=click.Path(path_type=Path), help="The platform's folder.  [default: data]")
_config = click.option("--config", type=click.Path(path_type=Path), help="A nameko YAML with DATABASES, instead.")
_file = click.Path(path_type=Path, dir_okay=False)
_facility = click.option("--facility", metavar="ID", help="Needed where there are several.")
_year = click.option("--year", type=click.IntRange(1900, 2999), required=True, help="Of the assessment.")
_out = click.option("-o", "--out", type=_file, required=True, help="The file to write.")
_by = click.option(
    "--by",
    metavar="ACTOR",
    callback=lambda *given: _actor(given[-1]),
    help="Who takes it along.  [default: user:<login>]",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group("audit")
def audit_group() -> None:
    """Check what is stored, and hand it over. Exit status 0: it holds, 1: it does not, 2: it could not be checked.

    Nothing is changed; only that evidence was exported is recorded.
    """


@audit_group.command("verify")
@_data
@_config
@click.option("--seal", "seals", type=_file, multiple=True, help="A seal that was kept elsewhere; may be repeated.")
@click.option("--key", "keys", type=_file, multiple=True, help="A public key; then signatures are checked, too.")
@_json
def verify_command(
    *, data: Path | None, config: Path | None, seals: tuple[Path, ...], keys: tuple[Path, ...], as_json: bool
) -> None:
    """Recompute every hash of every ledger, compare all copies, and hold all against the seals."""
    from services.audit.report import verify  # noqa: PLC0415  # half a second that other commands do without

    sys.exit(verify(*_not_both(data, config), seals, keys, as_json=as_json))


@audit_group.command("replay")
@_data
@_config
@click.option("--facility", help="Only this one.")
@click.option("--year", type=int, help="Only assessments of this year.")
@click.option("--from-sources", is_flag=True, help="Read the services' own ledgers, not scoring's journal of them.")
@_json
def replay_command(
    *, data: Path | None, config: Path | None, facility: str | None, year: int | None, from_sources: bool, as_json: bool
) -> None:
    """Score again what was published, from the events it rests on, and compare."""
    from services.audit.report import replay  # noqa: PLC0415

    sys.exit(replay(*_not_both(data, config), facility, year, from_sources=from_sources, as_json=as_json))


@audit_group.command("events")
@_data
@_config
@_facility
@_by
def events_command(*, data: Path | None, config: Path | None, facility: str | None, by: str | None) -> None:
    """Print a facility's events as JSON Lines, an envelope a line, as `xunjian score` reads them."""
    from services.audit.handing_over import events  # noqa: PLC0415

    sys.exit(events(*_not_both(data, config), facility, by))


@audit_group.command("export")
@_data
@_config
@_facility
@_year
@_by
@_out
def export_command(
    *, data: Path | None, config: Path | None, facility: str | None, year: int, by: str | None, out: Path
) -> None:
    """Write what stands published with all that it rests on as one zip, to be checked by whoever has the public key."""
    from services.audit.handing_over import Asked, export  # noqa: PLC0415

    where, file = _not_both(data, config)
    sys.exit(export(Asked(data=where, config=file, facility=facility, year=year, by=by), out))


@audit_group.command("prove")
@_data
@_config
@_facility
@_year
@click.option("--indicator", metavar="ID", required=True, help="Whose deduction.")
@click.option("--number", type=click.IntRange(1), default=1, show_default=True, help="Which of its deductions.")
@_by
@_out
def prove_command(
    *,
    data: Path | None,
    config: Path | None,
    facility: str | None,
    year: int,
    indicator: str,
    number: int,
    by: str | None,
    out: Path,
) -> None:
    """Write the proof of one published deduction, with no other events than those that it rests on."""
    from services.audit.handing_over import Asked, prove  # noqa: PLC0415

    where, file = _not_both(data, config)
    sys.exit(prove(Asked(data=where, config=file, facility=facility, year=year, by=by), indicator, number, out))


@audit_group.command("check")
@click.argument("file", type=_file)
@click.option("--key", "keys", type=_file, multiple=True, required=True, help="A public key (PEM); may be repeated.")
def check_command(file: Path, keys: tuple[Path, ...]) -> None:
    """Check a bundle or a proof with nothing but FILE and a public key: seal, ledgers, and the score made again."""
    from services.audit.handing_over import check  # noqa: PLC0415

    sys.exit(check(file, keys))


@audit_group.command("seal")
@_data
@_config
@_facility
@_year
@click.option("-o", "--out", type=_file, help="Where to write it.  [default: standard output]")
@click.option("--code", type=_file, help="Write it as a QR code, too: a file that ends in .png or .svg.")
def seal_command(
    *, data: Path | None, config: Path | None, facility: str | None, year: int, out: Path | None, code: Path | None
) -> None:
    """Print the seal of what stands published, to be kept where the owner of the databases cannot change it."""
    from services.audit.handing_over import Asked, seal  # noqa: PLC0415

    where, file = _not_both(data, config)
    sys.exit(seal(Asked(data=where, config=file, facility=facility, year=year, by=None), out, code))


@audit_group.command("key")
@click.argument("file", type=_file)
@click.option("--sm2", is_flag=True, help="SM2 with SM3 instead of Ed25519.")
def key_command(file: Path, sm2: bool) -> None:
    """Make a new sealing key: the private half in FILE, the public half beside it; nothing is overwritten."""
    from shared.key_files import make_key, public_half  # noqa: PLC0415
    from shared.signing import key_id  # noqa: PLC0415

    try:
        key = make_key(file, "SM2" if sm2 else "Ed25519")
    except OSError as fault:
        raise click.ClickException(f"{file}: {fault.strerror}") from fault
    click.echo(f"{public_half(file)}: {key.public.algorithm} key {key_id(key.public)}")


def _actor(given: str | None) -> str | None:
    if given is not None and not re.fullmatch(r"(user|service|system):[A-Za-z0-9._:-]{1,80}", given):
        raise click.BadParameter("expected user:<id>, service:<name> or system:<name>")
    return given


def _not_both(data: Path | None, config: Path | None) -> tuple[Path, Path | None]:
    if data is not None and config is not None:
        raise click.UsageError("--data and --config exclude each other")
    return data or Path("data"), config
