"""The embedded platform as `xunjian serve` runs it, and what it costs: seconds, memory, processor, disk."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.contender import ROOT
from services.project.client import Client
from shared.errors import Refused, Unavailable

ACTOR = "user:bench"
_KEY = "xj_" + 40 * "k"
READY_SECONDS = 300.0
STOP_SECONDS = 60.0


class Platform:
    """One running installation; `ready` is how many seconds it took until every service answered."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]", url: str, ready: float) -> None:
        self.folder = folder
        self.ready = ready
        self.client = Client(url, timeout=READY_SECONDS, key=_KEY, patience=READY_SECONDS)
        self._hasty = Client(url, timeout=READY_SECONDS, key=_KEY, patience=0.0)
        self._process = process
        self._sent = 0

    def send(self, path: str, body: dict[str, Any], actor: str = ACTOR) -> Any:
        """Give a command, each under a key of its own."""
        self._sent += 1
        return self.client.send(path, body, key=f"bench-{self._process.pid}-{self._sent}", actor=actor)

    def move_clock(self, moment: str) -> None:
        """Let it be `moment`; where there is more to be done than an answer is waited for, the work goes on without."""
        with suppress(Unavailable):
            self._sent += 1
            key = f"clock-{self._process.pid}-{self._sent}"
            self._hasty.send("/simulation/clock", {"now": moment}, key=key, actor=ACTOR)

    def settle(self) -> float:
        """Wait until every event has arrived everywhere; how many seconds that took."""
        began, pause = perf_counter(), 0.02
        while not self.client.get("/installation")["settled"]:
            if perf_counter() - began > READY_SECONDS:
                raise OSError(f"the installation did not settle within {READY_SECONDS:.0f} s")
            time.sleep(pause)
            pause = min(2 * pause, 1.0)  # what it takes to answer is taken from the work
        return perf_counter() - began

    def processor(self, seconds: float) -> float:
        """Which share of one processor it takes, measured for some seconds."""
        before, began = self._spent(), perf_counter()
        time.sleep(seconds)
        return (self._spent() - before) / (perf_counter() - began)

    def memory(self) -> float:
        """How many MiB it holds."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def disk(self) -> float:
        """How many MiB its folder holds."""
        return sum(file.stat().st_size for file in self.folder.iterdir()) / 2**20

    def _spent(self) -> float:
        words = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(folder: Path) -> Iterator[Platform]:
    """Serve a simulated installation from a folder, on any free port, until the block ends."""
    folder.mkdir(exist_ok=True)
    (folder / "operator.key").write_text(_KEY)
    command = [sys.executable, "-m", "services.cli", "serve", "--data", str(folder), "--port", "0", "--simulated"]
    began = perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip().removesuffix("/v1/health")
            if not url:
                raise OSError(f"the platform did not start on {folder}")
            _wait_for_all(url, began)
            yield Platform(folder, process, url, perf_counter() - began)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for_all(url: str, began: float) -> None:
    """Wait until every service answers."""
    client = Client(url, key=_KEY, patience=0.0)
    while perf_counter() - began < READY_SECONDS:
        try:
            client.get("/health")
        except Refused:
            time.sleep(0.05)
        else:
            return
    raise OSError(f"{url}: not all services answered within {READY_SECONDS:.0f} s")


def took(do: Callable[[], Any]) -> float:
    """How many seconds something took."""
    began = perf_counter()
    do()
    return perf_counter() - began
