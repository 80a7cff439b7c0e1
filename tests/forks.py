"""Programs of ours that begin with everything imported: forked from a process that did it once, as real as any other.

Importing takes a service longer than all else that it does when it starts, and tests start and kill services a hundred
times. A fork is a process of its own with its own engine, killed as any other; that programs also begin from
nothing, those tests hold that ask for it (`from_nothing`), and those that run the command line themselves.

The parent's part is a `Fork`; the other part runs in the process that forks (`python -c "from tests.forks import …"`).
"""

import atexit
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
IMPORTED = ("services.cli", "shared.embedded", "sqlalchemy.dialects.sqlite", "psycopg")
"""What `xunjian` imports at once or later, beside the services."""


class Fork:
    """A process that was started by `start`; what `subprocess.Popen` says of a process, as far as tests ask."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    @classmethod
    def start(cls, command: Sequence[str], environment: Mapping[str, str], log: Path, mischief: str | None) -> "Fork":
        """Start `xunjian`, perhaps up to mischief; what it says goes to the end of the log."""
        told = {"command": list(command), "environment": dict(environment), "log": str(log), "mischief": mischief}
        return cls(_asked(told))

    def poll(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        if self.returncode is None:
            self.returncode = _asked({"pid": self.pid})
        return self.returncode

    def wait(self, seconds: float | None = None) -> int:
        """Its exit status, once it has ended; raises TimeoutExpired after so many seconds."""
        give_up = None if seconds is None else time.monotonic() + seconds
        while (status := self.poll()) is None:
            if seconds is not None and give_up is not None and time.monotonic() > give_up:
                raise subprocess.TimeoutExpired(str(self.pid), seconds)
            time.sleep(0.005)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it is alive."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it by force."""
        self.send_signal(signal.SIGKILL)


@cache
def _parent() -> "subprocess.Popen[bytes]":
    """The process that forks, of this run of the tests; it ends with them."""
    program = [sys.executable, "-c", "from tests.forks import fork_what_is_asked; fork_what_is_asked()"]
    parent = subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(parent.communicate)
    return parent


_asking = threading.Lock()


def _asked(told: Mapping[str, Any]) -> Any:
    """The answer of the process that forks; greenlets ask one after the other."""
    with _asking:
        parent = _parent()
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(json.dumps(told).encode() + b"\n")
        parent.stdin.flush()
        answer = parent.stdout.readline()
    assert answer, "the process that forks has ended"
    return json.loads(answer)


# --- in the process that forks --------------------------------------------------------------------------------------


def fork_what_is_asked() -> None:
    """Answer each line of the standard input: a program by its process id, a process id by its exit status."""
    _import_everything()
    statuses: dict[int, int | None] = {}
    for line in sys.stdin.buffer:
        told = json.loads(line)
        if "command" in told:
            pid = os.fork()
            if pid == 0:
                _become(told["command"], told["environment"], told["log"], told["mischief"])
                return
            statuses[pid] = None
            answer: int | None = pid
        else:
            answer = statuses[told["pid"]] = _status_of(told["pid"], statuses[told["pid"]])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in (pid for pid, status in statuses.items() if _status_of(pid, status) is None):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _status_of(pid: int, known: int | None) -> int | None:
    """The exit status of a child, which may be asked for twice; None while it runs."""
    if known is not None:
        return known
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _import_everything() -> None:
    """As a service does when it starts: eventlet first, then all else."""
    warnings.simplefilter("ignore")
    import_module("eventlet").monkey_patch()
    hosted = import_module("services.hosted")
    for service in hosted.HOSTED:
        hosted.class_of(service)
    for module in IMPORTED:
        import_module(module)
    gc.collect()
    gc.freeze()


def _become(command: Sequence[str], environment: Mapping[str, str], log: str, mischief: str | None) -> None:
    """Run a program in this process, which was just forked: with an engine, an environment and outputs of its own."""
    import_module("eventlet.hubs").use_hub()
    os.environ.clear()
    os.environ.update(environment)
    for number, place in ((0, os.devnull), (1, log), (2, log)):
        os.dup2(os.open(place, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), number)
    if mischief is not None:
        import_module("tests.mischief").main(mischief, *command)
        return
    sys.argv[:] = command
    import_module("services.cli").main()
