"""How an installation behaves at size, where nothing forbids to grow: `make limits`; printed, never asserted."""

import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import click
from rich import box
from rich.console import Console
from rich.table import Table

warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")

from benchmarks.halls import halls  # noqa: E402  what it imports warns
from benchmarks.long_ledger import grow, streams  # noqa: E402
from benchmarks.many_points import SYSTEMS, rounds  # noqa: E402
from benchmarks.servers import fresh_database  # noqa: E402


@dataclass(frozen=True)
class Sizes:
    """How large things are made."""

    facilities: Sequence[int]
    points: Sequence[int]
    events: Sequence[int]
    versions: Sequence[int]


WHOLE = Sizes((1, 100, 1000), (100, 5000), (10_000, 100_000, 1_000_000), (10, 1000, 10_000))
QUICK = Sizes((1, 50), (100, 1000), (10_000, 50_000), (10, 1000))

Column = tuple[str, Mapping[str, float]]


@click.command()
@click.option("--quick", is_flag=True, help="Smaller, in about a minute.")
@click.option("--only", type=click.Choice(["halls", "points", "ledgers"]), help="One part alone.")
def main(quick: bool, only: str | None) -> None:
    """Print what grows with facilities, points and events, and by how much."""
    sizes, began, console = QUICK if quick else WHOLE, monotonic(), Console()
    if not console.is_terminal:
        console.width = 140
    parts = {"halls": _facilities, "points": _points, "ledgers": _ledgers}
    for name, part in parts.items():
        if only in (None, name):
            for heading, columns in part(sizes):
                console.print(_table(heading, columns))
    console.print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {monotonic() - began:.0f} s")


Part = Iterator[tuple[str, Sequence[Column]]]


def _facilities(sizes: Sizes) -> Part:
    with _folder() as folder:
        columns = [(f"{number:,}", figures) for number, figures in halls(folder, sizes.facilities)]
    yield "facilities, embedded (each with a system, points and a plan)", columns


def _points(sizes: Sizes) -> Part:
    with _folder() as folder:
        columns = [(f"{number:,}", rounds(folder / f"points-{number}", number)) for number in sizes.points]
    yield f"points in each of {len(SYSTEMS)} systems, embedded (seconds, but for MiB)", columns


def _ledgers(sizes: Sizes) -> Part:
    with _folder() as folder:
        yield "events in a ledger, SQLite", _grown(f"sqlite:///{folder / 'ledger.db'}", sizes.events)
        columns = [(f"{n:,}", figures) for n, figures in streams(f"sqlite:///{folder / 'streams.db'}", sizes.versions)]
    with fresh_database() as url:
        yield "events in a ledger, PostgreSQL", _grown(url, sizes.events)
    yield "events of one system's stream, SQLite", columns


def _grown(url: str, sizes: Sequence[int]) -> Sequence[Column]:
    return [(f"{number:,}", figures) for number, figures in grow(url, sizes)]


def _table(heading: str, columns: Sequence[Column]) -> Table:
    """Figures by size, and how many times as much the greatest is as the one before: more than the sizes are is bad."""
    table = Table(box=box.SIMPLE_HEAD)
    for number, name in enumerate((heading, *(name for name, _ in columns), "last ÷ before")):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for name in columns[0][1]:
        values = [figures[name] for _, figures in columns]
        ratio = f"{values[-1] / values[-2]:.2f}" if len(values) > 1 and values[-2] else ""
        table.add_row(name, *(_figure(value) for value in values), ratio)
    return table


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="xunjian-limits-") as name:
        yield Path(name)


if __name__ == "__main__":
    if "XUNJIAN_TEST_POSTGRES" not in os.environ:
        sys.exit("the servers to measure on are not known: run `make limits`")
    main()
