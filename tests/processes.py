"""The platform as it is run: real processes, started, killed and kept alive by a test.

Embedded is one process on SQLite files. Distributed is a process for each service, by `xunjian host`, each with a database
of its own on PostgreSQL, around a virtual host of RabbitMQ.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared.config import SERVICES
from tests.api import KEY, Api
from tests.forks import Fork

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
CONFIG = "infra/config.yaml"
READY_SECONDS = 60.0
STOP_SECONDS = 10.0
EVERYWHERE = "platform"
"""The name of the one process of an embedded platform."""


@dataclass
class Process:
    """A program that is started again whenever it was killed, each time with the next of its mischiefs, then with none."""

    name: str
    program: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    mischiefs: list[str] = field(default_factory=list)
    kept: bool = True
    from_nothing: bool = False
    popen: "subprocess.Popen[bytes] | Fork | None" = None

    def start(self) -> None:
        """Start it, with its next mischief: as a fork, which is quicker, or `from_nothing`, as everybody else does."""
        environment = {**os.environ, **self.environment}
        mischief = self.mischiefs.pop(0) if self.mischiefs else None
        if self.from_nothing and mischief is None:
            command = [str(BIN / self.program[0]), *self.program[1:]]
            with self.log.open("ab") as log:
                self.popen = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        else:
            self.popen = Fork.start(self.program, environment, self.log, mischief)

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self.popen is not None and self.popen.poll() is None

    def signal(self, number: int) -> None:
        """Send it a signal, if it is alive."""
        if self.popen is not None and self.running:
            self.popen.send_signal(number)

    def wait(self) -> int | None:
        """Wait for its end, with force where it takes long; returns its exit status."""
        if self.popen is None:
            return None
        try:
            return self.popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait()


class Platform:
    """One installation: its processes by name, where its databases are, and a client of its API.

    `found_by` is how the command line finds it: an option of `xunjian audit`, and the environment that this needs.
    """

    def __init__(
        self,
        processes: Iterable[Process],
        databases: Mapping[str, str],
        port: int,
        found_by: tuple[str, Mapping[str, str]],
    ) -> None:
        self.processes = {process.name: process for process in processes}
        self.databases = databases
        self.found_by = found_by
        self.port = port
        self.api = Api(port)
        self.surprises: list[str] = []
        self._ended = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start every process, and wait until all services answer."""
        for process in self.processes.values():
            process.start()
        threading.Thread(target=self._keep, daemon=True).start()
        self.wait_until(self.answers, "every service answers", READY_SECONDS)

    def answers(self) -> bool:
        """Whether every service answers."""
        status, _ = self.api.once("GET", "/health")
        return status == 200

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """End a process; it is not kept until `restart`."""
        process = self.processes[name]
        with self._lock:
            process.kept = False
        process.signal(number)
        process.wait()

    def restart(self, name: str, *mischiefs: str) -> None:
        """Start a process that was ended, perhaps up to mischief."""
        process = self.processes[name]
        process.mischiefs[:] = mischiefs
        with self._lock:
            process.kept = True
            process.start()

    def stop(self) -> None:
        """End all processes."""
        self._ended.set()
        with self._lock:
            for process in self.processes.values():
                process.signal(signal.SIGKILL)
        for process in self.processes.values():
            process.wait()

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
        """Wait for a condition; fails with the last words of every process."""
        give_up = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < give_up, f"waited {seconds:.0f} s until {what}\n{self.last_words()}"
            time.sleep(0.02)

    def settle(self) -> None:
        """Wait until every event was applied everywhere."""
        self.wait_until(self._settled, "all is settled", 60.0)

    def _settled(self) -> bool:
        status, installation = self.api.once("GET", "/installation")
        return status == 200 and bool(installation["settled"])

    def last_words(self) -> str:
        """The end of each log, and whatever ended by itself."""
        ends = (f"--- {name}\n{process.log.read_text()[-2000:]}" for name, process in self.processes.items())
        return "\n".join([*ends, *self.surprises])

    def killed_at(self) -> list[str]:
        """The mischiefs that were done, of all processes; fails where a process ended otherwise."""
        assert self.surprises == [], self.last_words()
        words = (line for process in self.processes.values() for line in process.log.read_text().splitlines())
        return [line.removeprefix("killed at ") for line in words if line.startswith("killed at ")]

    def _keep(self) -> None:
        while not self._ended.wait(0.03):
            with self._lock:
                for process in self.processes.values():
                    if process.kept and not process.running and not self._ended.is_set():
                        self._note(process)
                        process.start()

    def _note(self, process: Process) -> None:
        """Remember an end that was nobody's mischief."""
        if process.popen is not None and process.popen.returncode != -signal.SIGKILL:
            self.surprises.append(f"{process.name} ended with {process.popen.returncode}")


@contextmanager
def embedded(
    folder: Path, *mischiefs: str, simulated: bool = True, from_nothing: bool = False, **settings: str
) -> Iterator[Platform]:
    """`xunjian serve` on a data folder within `folder`, with settings from its environment."""
    port, data = free_port(), folder / "data"
    data.mkdir(exist_ok=True)
    (data / "operator.key").write_text(KEY)
    program = ["xunjian", "serve", f"--data={data}", f"--port={port}", "--log-level=INFO"]
    if simulated:
        program.append("--simulated")
    said = {f"XUNJIAN_{name.upper()}": value for name, value in settings.items()}
    process = Process(EVERYWHERE, program, folder / "platform.log", said, list(mischiefs), from_nothing=from_nothing)
    databases = {service: f"sqlite:///{data / service}.db" for service in SERVICES}
    yield from _running(Platform([process], databases, port, (f"--data={data}", {})))


@contextmanager
def distributed(
    folder: Path,
    amqp_url: str,
    databases: Mapping[str, str],
    *mischiefs: str,
    each: Mapping[str, Mapping[str, str]] = {},
    from_nothing: bool = False,
    **settings: str,
) -> Iterator[Platform]:
    """Every service by `xunjian host`, with impatient settings; each is up to its own of the mischiefs.

    `each` has what stands in the environment of one service only: service → variable → value.
    """
    port = free_port()
    environment = {
        "XUNJIAN_AMQP_URI": amqp_url,
        "XUNJIAN_SIMULATED": "true",
        "XUNJIAN_OPERATOR_KEY": KEY,
        "XUNJIAN_WEB_SERVER_ADDRESS": f"127.0.0.1:{port}",
        "XUNJIAN_CATCH_UP_SECONDS": "1.0",
        "XUNJIAN_SEAL_KEY": str(folder / "seal.pem"),
        "PYTHONWARNINGS": "ignore",
        **{f"XUNJIAN_DATABASE_{service.upper()}": url for service, url in databases.items()},
        **{f"XUNJIAN_{name.upper()}": value for name, value in settings.items()},
    }
    processes = [
        Process(
            service,
            ("xunjian", "host", service, "--config", CONFIG),
            folder / f"{service}.log",
            {**environment, **each.get(service, {})},
            [mischief for mischief in mischiefs if mischief.startswith(f"{service}/")],
            from_nothing=from_nothing,
        )
        for service in (*SERVICES, "gateway")
    ]
    yield from _running(Platform(processes, databases, port, (f"--config={CONFIG}", environment)))


def _running(platform: Platform) -> Iterator[Platform]:
    try:
        platform.start()
        yield platform
    finally:
        platform.stop()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
