"""`make run` as a test sees it: the demo in a process of its own, until it serves."""

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from services.operator_key import known_for

XUNJIAN = (sys.executable, "-m", "services.cli")
WITHIN_SECONDS = 240
"""A watchdog, not a measure: a machine that does other things besides needs longer."""
SEED = 2021
"""Of the year that the demo makes up."""


@dataclass(frozen=True)
class Demo:
    """Where the demo keeps its year, what its first run printed, and what it answered for the year and for half of it."""

    folder: Path
    printed: str
    year: dict[str, Any]
    half: dict[str, Any]


def begun(folder: Path) -> Demo:
    """The demo after its first run, which simulates its year without a break."""
    with served(folder) as (printed, address):
        return Demo(folder, printed, ask(address), ask(address.replace("12-31", "06-30")))


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """The demo while it serves: what it printed until then, and the address of its answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*XUNJIAN, "demo", "--data", str(folder), "--port", str(port)]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(WITHIN_SECONDS, demo.kill)
    watchdog.start()
    try:
        printed = ""
        for line in demo.stdout or ():
            printed += line
            if found := re.search(r"http\S+", line):
                yield printed, found.group()
                break
        else:
            pytest.fail(f"the demo ended before it served: {printed}")
    finally:
        watchdog.cancel()
        demo.terminate()
        demo.wait(30)


def ask(address: str) -> dict[str, Any]:
    """The answer at an address."""
    key = known_for(address)
    with urlopen(Request(address, headers={"Authorization": f"Bearer {key}"}), timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
