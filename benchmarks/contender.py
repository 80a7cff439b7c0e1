"""A contender in a process of its own: `python -m benchmarks.contender MODULE:FUNCTION`.

It is told its settings (a line of JSON on standard input), opens what it needs, says how much work a round is (a number
on standard output), and then for each further line runs one round and says how many seconds that took.
"""

import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Contender:
    """The other end: a running process that works when told to."""

    def __init__(self, name: str, process: subprocess.Popen[str], settings: Mapping[str, object]) -> None:
        self.name = name
        self._process = process
        self.work = self._ask(json.dumps(settings))

    def round(self) -> float:
        """Run one round; how much of its work it did in a second."""
        return self.work / self._ask("")

    def _ask(self, line: str) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        if answer := self._process.stdout.readline():
            return float(answer)
        raise OSError(f"contender {self.name} broke off")


@contextmanager
def contender(name: str, **settings: object) -> Iterator[Contender]:
    """Start `name` (`module:function` in this package) with its settings; it is ended with the block."""
    command = [sys.executable, "-m", "benchmarks.contender", name]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Contender(name, process, settings)
        finally:
            process.terminate()


def main() -> None:
    """Be a contender."""
    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
    module, function = sys.argv[1].split(":")
    open_: Callable[..., tuple[int, Callable[[], float]]] = getattr(import_module(f"benchmarks.{module}"), function)
    work, round_ = open_(**json.loads(sys.stdin.readline()))
    print(work, flush=True)
    for _ in sys.stdin:
        print(round_(), flush=True)


if __name__ == "__main__":
    main()
