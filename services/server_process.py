"""The platform in a process of its own, for commands that serve something and say what is there."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

import click


def serve_and(show: Callable[[str], None], data: Path, port: int, *options: str) -> NoReturn:
    """Serve a folder from a process of its own until that is stopped, and, once it answers, `show` what is at its address.

    What `show` refuses (SystemExit) ends the process, too.
    """
    serve = ["serve", "--data", str(data), "--port", str(port), *options]
    server = subprocess.Popen([sys.executable, "-m", "services.cli", *serve], stdout=subprocess.PIPE, text=True)
    # Ctrl-C reaches both processes; this one only waits for the other to have stopped.
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    try:
        lines: Iterable[str] = server.stdout or []
        address, way_in = (next(iter(lines), "").strip() for _ in range(2))
        if not address:
            sys.exit(server.wait())
        show(address.removesuffix("/v1/health"))
        click.echo(way_in)
        sys.exit(server.wait())
    except KeyboardInterrupt:
        sys.exit(server.wait())
    finally:
        server.terminate()
        server.wait()
