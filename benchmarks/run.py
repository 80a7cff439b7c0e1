"""`xunjian bench`: runs the pairs and prints their table."""

import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from time import monotonic

import psycopg
from kombu import Connection
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.contender import Contender, contender
from benchmarks.servers import fresh_database, fresh_vhost
from shared.broker import declare_queues
from shared.config import DEFAULTS

FACILITIES = 4
EVENTS = 20_000


@dataclass(frozen=True)
class Row:
    """One pair: medians per second, and the median of the ratios of the rounds with their extremes."""

    what: str
    ours: float
    beside: str
    theirs: float
    ratios: Sequence[float]
    aim: float


Pairs = Iterator[Row]


def main(rounds: int = 5) -> None:
    """Measure and print; raises OSError where a contender breaks off."""
    began, console = monotonic(), Console()
    if not console.is_terminal:
        console.width = 140
    if "XUNJIAN_TEST_POSTGRES" not in os.environ:
        raise OSError("the servers to measure on are not known: run `make bench`")
    with console.status("measuring, about a minute") as status:
        rows = []
        for measure in (append, relay, replay, check, hand_out):
            for row in measure(rounds):
                rows.append(row)
                status.update(f"measuring, {monotonic() - began:.0f} s, {row.what} is done")
    console.print(_table(rows))
    console.print(
        f"{rounds} rounds of each, alternating; the ratio is the median of the rounds' own, (least–greatest)."
    )
    console.print(_where(), highlight=False)


def append(rounds: int) -> Pairs:
    """One event a commit, hash chain on; every writer waits for its own commit (ours commit together if they can)."""
    for writers in (1, 8):
        with _databases(3) as urls, ExitStack() as stack:
            settings = {"writers": writers, "events": 400}
            names = ("ours:append", "greenlets:append", "peers:append")
            ours, greenlets, theirs = (
                stack.enter_context(contender(name, url=url, **settings)) for name, url in zip(names, urls, strict=True)
            )
            speeds = _alternate(rounds, ours, greenlets, theirs)
        what = f"append, {writers} writer{'s' * (writers > 1)}"
        yield _row(f"{what}, threads", speeds[0], "eventsourcing, table lock", speeds[2], 2.0)
        yield _row(f"{what}, greenlets", speeds[1], "eventsourcing, table lock", speeds[2], 2.0)


def relay(rounds: int) -> Pairs:
    """From the ledger to the queues of one subscriber."""
    with _databases(1) as (url,), fresh_vhost() as vhost, ExitStack() as stack, Connection(vhost) as broker:
        queues = declare_queues(broker, "work_orders", "scoring", DEFAULTS["PARTITIONS"])
        ours = stack.enter_context(contender("ours:relay", url=url, amqp=vhost, facilities=FACILITIES, events=EVENTS))
        theirs = stack.enter_context(contender("bare:publish", url=url, amqp_url=vhost))

        def empty() -> None:
            with broker.channel() as channel:
                for queue in queues:
                    queue(channel).purge()

        speeds = _alternate(min(rounds, 3), ours, theirs, before=empty)
    yield _row("relay", speeds[0], "bare publisher, window 500", speeds[1], 0.5)


def replay(rounds: int) -> Pairs:
    """Read, chain verified, decoded."""
    with _databases(3) as urls, ExitStack() as stack:
        ours = stack.enter_context(contender("ours:replay", url=urls[0], facilities=FACILITIES, events=EVENTS))
        sections = [
            stack.enter_context(contender("peers:replay", url=url, events=EVENTS, section=section))
            for url, section in ((urls[1], 10), (urls[2], 1000))
        ]
        speeds = _alternate(rounds, ours, *sections)
    yield _row("replay for an audit", speeds[0], "its log, sections of 10 (default)", speeds[1], 4.0)
    yield _row("", speeds[0], "its log, sections of 1,000", speeds[2], 4.0)


def check(rounds: int) -> Pairs:
    """A ledger out of a bundle: followed, decoded, and its tree hash made."""
    with _databases(2) as urls, ExitStack() as stack:
        ours = stack.enter_context(contender("evidence:check", url=urls[0], events=EVENTS))
        bare = stack.enter_context(contender("evidence:hash_twice", url=urls[1], events=EVENTS))
        speeds = _alternate(rounds, ours, bare)
    yield _row("check of a bundle's ledger", speeds[0], "SHA-256 twice, nothing else", speeds[1], 0.1)


def hand_out(rounds: int) -> Pairs:
    """A facility's feed, page by page, as another system reads it from the beginning."""
    with _databases(2) as urls, ExitStack() as stack:
        settings = {"url": urls[0], "events": EVENTS}
        bare = stack.enter_context(contender("handing_out:scan", **settings))
        ours = stack.enter_context(contender("handing_out:read", numbers_url=urls[1], **settings))
        speeds = _alternate(rounds, ours, bare)
    yield _row("feed, from the beginning", speeds[0], "bare scan, one SHA-256 each", speeds[1], 0.25)


def _alternate(rounds: int, *contenders: Contender, before: Callable[[], None] = lambda: None) -> list[list[float]]:
    """Speeds by contender, round by round; a first round of each is not counted."""
    speeds: list[list[float]] = []
    for _ in range(rounds + 1):
        speeds.append([])
        for one in contenders:
            before()
            speeds[-1].append(one.round())
    return [list(column) for column in zip(*speeds[1:], strict=True)]


def _row(what: str, ours: Sequence[float], beside: str, theirs: Sequence[float], aim: float) -> Row:
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Row(what, statistics.median(ours), beside, statistics.median(theirs), ratios, aim)


@contextmanager
def _databases(number: int) -> Iterator[list[str]]:
    with ExitStack() as stack:
        yield [stack.enter_context(fresh_database()) for _ in range(number)]


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("per second", "ours", "beside it", "", "ratio", "aim"):
        table.add_column(heading, justify="left" if heading in ("per second", "beside it") else "right", no_wrap=True)
    for row in rows:
        ratio = f"{statistics.median(row.ratios):.2f} ({min(row.ratios):.2f}–{max(row.ratios):.2f})"
        table.add_row(row.what, f"{row.ours:,.0f}", row.beside, f"{row.theirs:,.0f}", ratio, f"≥ {row.aim:g}")
    return table


def _where() -> str:
    with (
        psycopg.connect(os.environ["XUNJIAN_TEST_POSTGRES"].replace("+psycopg", "", 1)) as connection,
        Connection(os.environ["XUNJIAN_TEST_RABBITMQ"]) as broker,
    ):
        setting = connection.execute("SELECT current_setting('server_version'), current_setting('fsync')").fetchone()
        assert setting is not None
        broker.connect()
        rabbitmq = broker.connection.server_properties["version"]
    return (
        f"PostgreSQL {setting[0].split()[0]} (fsync {setting[1]}), RabbitMQ {rabbitmq},"
        f" eventsourcing {version('eventsourcing')}, {os.cpu_count()} processors"
    )
