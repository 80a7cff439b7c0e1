"""A bundle's ledger followed as `xunjian audit check` does, beside the hashing that nobody can do without."""

import hashlib
from collections.abc import Callable, Sequence
from time import perf_counter

from benchmarks.workload import entry
from services.audit.chain import Chain
from shared.clock import SystemClock
from shared.database import Database
from shared.ledger import Ledger, stripped
from shared.merkle import Tree

Round = tuple[int, Callable[[], float]]


def check(url: str, events: int) -> Round:
    """Hash chain, canonical form, decoding and Merkle tree of every event, from memory."""
    envelopes = _envelopes(url, events)

    def round_() -> float:
        start, chain, tree = perf_counter(), Chain(), Tree()
        for number, envelope in enumerate(envelopes, start=1):
            body, hash_ = stripped(envelope)
            assert not chain.follow(number, body, hash_)
            tree.append(body)
        return perf_counter() - start

    return events, round_


def hash_twice(url: str, events: int) -> Round:
    """SHA-256 of the same bytes, once for a chain and once for a leaf; nothing is looked at."""
    bodies = [stripped(envelope)[0] for envelope in _envelopes(url, events)]

    def round_() -> float:
        start, tip = perf_counter(), b""
        for body in bodies:
            tip = hashlib.sha256(tip + body).digest()
            hashlib.sha256(b"\0" + body).digest()
        return perf_counter() - start

    return events, round_


def _envelopes(url: str, events: int) -> Sequence[bytes]:
    database = Database(url)
    database.migrate("benchmark")
    ledger = Ledger(database, "work_orders", SystemClock())
    for version in range(1, events + 1, 500):
        ledger.append(entry("hall", "work-order/0", version, events=min(500, events + 1 - version)))
    return [text.encode() for text in ledger.raw("hall", limit=events)]
