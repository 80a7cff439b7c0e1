"""`xunjian openapi`: the document of the API and its page as files, which the gateway serves."""

import sys
import warnings
from pathlib import Path

import click


@click.command("openapi")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
def openapi_command(folder: Path) -> None:
    """Write the OpenAPI document and the page of the API to FOLDER, an existing folder.

    The gateway serves those in services/gateway.
    """
    # eventlet, which every service imports, announces its own end on import (docs/decisions).
    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
    from services.openapi.document import document, document_bytes  # noqa: PLC0415  it imports every service
    from services.openapi.page import page  # noqa: PLC0415

    made = document()
    try:
        (folder / "openapi.json").write_bytes(document_bytes(made))
        (folder / "api.html").write_bytes(page(made))
    except OSError as fault:
        click.echo(f"{fault.filename}: expected a file to write to: {fault.strerror}", err=True)
        sys.exit(2)
    click.echo(f"{folder}: {sum(map(len, made['paths'].values()))} operations")
