"""A contender in a process of its own: `python -m benchmarks.contender NAME KEY=VALUE …`.

It opens what it needs, says how much work a round is (one JSON number a line on standard output), and then for each line
that it is sent runs one round and says how many seconds that took.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Contender:
    """The other end: a running process that works when told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.work = self._answer()

    def round(self) -> float:
        """Run one round; how much of its work it did in a second."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self.work / self._answer()

    def _answer(self) -> float:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise OSError(f"{self._process.args[3:5]!r} broke off")  # type: ignore[index]  # a list, see below
        return float(json.loads(line))


@contextmanager
def contender(name: str, **settings: object) -> Iterator[Contender]:
    """Start `name` (`module:function` in this package) with its settings; it is ended with the block."""
    command = [sys.executable, "-m", "benchmarks.contender", name, json.dumps(settings)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Contender(process)
        finally:
            process.terminate()


def main() -> None:
    """Be a contender."""
    module, function = sys.argv[1].split(":")
    open_: Callable[..., tuple[int, Callable[[], float]]] = getattr(import_module(f"benchmarks.{module}"), function)
    work, round_ = open_(**json.loads(sys.argv[2]))
    print(work, flush=True)
    for _ in sys.stdin:
        print(round_(), flush=True)


if __name__ == "__main__":
    main()
