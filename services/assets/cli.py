"""`xunjian assets`: import a sheet of systems and points, export it, print labels, or begin with an empty form."""

import uuid
from pathlib import Path

import click

from services.project.cli import refusals_told
from services.project.client import DEFAULT_URL, Client
from shared.errors import Invalid
from shared.sheets.tables import CSV, XLSX

ACTOR = "user:assets"
MEDIA_TYPES = {".xlsx": XLSX, ".csv": CSV}
SECONDS = 90.0
"""How long an answer may take: longer than the gateway gives to large sheets."""

_url = click.option(
    "--url", metavar="URL", default=DEFAULT_URL, show_default=True, help="Where the installation answers."
)
_facility = click.option("--facility", metavar="ID", required=True, help="Whose assets.")
_file = click.argument("file", type=click.Path(path_type=Path))


@click.group("assets")
def assets_group() -> None:
    """Sheets of systems and points (资产表): import, export, labels, an empty form."""


@assets_group.command("import")
@_file
@_facility
@_url
@click.option("--dry-run", is_flag=True, help="Only tell what the import would do.")
def import_command(file: Path, facility: str, url: str, dry_run: bool) -> None:
    """Import FILE, an xlsx or CSV sheet: all of it, or nothing with every mistake on a line of its own."""
    with refusals_told(), Client(url, SECONDS) as client:
        media_type = _media_type(file)
        told = client.send_file(
            f"/facilities/{facility}/assets/import",
            _read(file),
            media_type,
            key=str(uuid.uuid4()),
            actor=ACTOR,
            role="manager",
            dry_run="true" if dry_run else None,
        )
        counts = f"{told['systems']} systems, {told['equipment']} groups of equipment, {told['points']} points"
        done = "would be new" if dry_run else "new"
        click.echo(f"{facility}: {counts} {done}; {told['unchanged']} rows unchanged")


@assets_group.command("export")
@_facility
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="FILE.xlsx or FILE.csv.")
@click.option("--as-of", metavar="DATE", help="As it was on a local day: YYYY-MM-DD. Default: now.")
@_url
def export_command(facility: str, output: Path, as_of: str | None, url: str) -> None:
    """Write the systems and points in use into a sheet that an import reads."""
    with refusals_told(), Client(url, SECONDS) as client:
        format_ = "csv" if _media_type(output) == CSV else "xlsx"
        _write(output, client.file(f"/facilities/{facility}/assets/export", format=format_, as_of=as_of))


@assets_group.command("labels")
@_facility
@click.option("--system", metavar="ID", help="Only of this system.")
@click.option("--equipment", metavar="NAME", help="Only of this group of equipment.")
@click.option("--base", metavar="URL", help="An address to put into the QR codes, instead of xunjian:FACILITY:POINT.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="FILE.html.")
@_url
def labels_command(
    *, facility: str, system: str | None, equipment: str | None, base: str | None, output: Path, url: str
) -> None:
    """Write a page of labels with QR codes, to be printed on A4."""
    with refusals_told(), Client(url, SECONDS) as client:
        path = f"/facilities/{facility}/labels"
        _write(output, client.file(path, system_id=system, equipment=equipment, base=base))


@assets_group.command("template")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="FILE.xlsx.")
def template_command(output: Path) -> None:
    """Write an empty form to fill in, with a sheet that explains its columns."""
    from services.asset_registry.form.exporting import empty_form  # noqa: PLC0415  slow to import, and only needed here

    with refusals_told():
        if _media_type(output) != XLSX:
            raise Invalid(f"{output}: expected a name that ends with .xlsx")
        _write(output, empty_form())


def _media_type(file: Path) -> str:
    found = MEDIA_TYPES.get(file.suffix.lower())
    if found is None:
        raise Invalid(f"{file}: expected a name that ends with {' or '.join(MEDIA_TYPES)}")
    return found


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise Invalid(f"{file}: {fault.strerror}") from fault


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as fault:
        raise Invalid(f"{file}: {fault.strerror}") from fault
    click.echo(str(file))
