"""`xunjian catalogue`: the published language as files, for those who build on it and for `docs/catalogue/`."""

import sys
from pathlib import Path

import click

from shared.catalogue.documents import documents


@click.command("catalogue")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def catalogue_command(folder: Path) -> None:
    """Write the JSON Schemas, the AsyncAPI document and the page of all events to FOLDER."""
    made = documents()
    try:
        for name, content in made.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    except OSError as fault:
        click.echo(f"{fault.filename}: expected a folder to write to: {fault.strerror}", err=True)
        sys.exit(2)
    click.echo(f"{folder}: {sum(name.startswith('events/') for name in made)} events")
