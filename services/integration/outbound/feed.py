"""The one numbered sequence of a facility's events: what arrived when, kept as numbers; bodies are read where they lie.

The sequence holds every event of every service but access, in the order in which it arrived here: those of one service
in the order of its ledger, those of several as they came. Its rows name the hash of each event, so what a ledger says
later is held against what was numbered.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from sqlalchemy import ColumnElement, or_, select, text

import shared.contracts  # noqa: F401  # makes every event type known
from services.integration.outbound.tables import feed, feed_heads
from shared.config import FED
from shared.database import Database
from shared.errors import Invalid, Unavailable
from shared.event import Recorded, event_types
from shared.ledger import chained, stripped
from shared.unit import Unit

log = structlog.get_logger()

ReadLedger = Callable[..., list[str]]
"""Reads a service's ledger: (facility, after, limit) → whole envelopes as JSON text."""

USUAL_ROWS = 100
MOST_ROWS = 1000
MOST_BYTES = 4 * 1024 * 1024
"""How long a page of envelopes gets, but for the first of them."""
PASSED_OVER = 10
"""How many events that nobody asked for are rather read along than asked around."""
_VERSION = re.compile(r"\.v[1-9][0-9]*\Z")


@dataclass(frozen=True, kw_only=True)
class Numbered:
    """An event of the sequence: where it is from, and its envelope as JSON text."""

    number: int
    type: str
    envelope: str


def append(do: Unit, recorded: Recorded) -> None:
    """Give an event the next number of its facility, in the transaction that moves the checkpoint past it."""
    row = {
        "facility": recorded.facility,
        "source": recorded.source.lstrip("/"),
        "position": recorded.position,
        "type": recorded.type,
        "hash": recorded.hash,
    }
    do.execute(_COUNT_ON, [{"facility": recorded.facility}])
    do.execute(_APPEND, [row])


# As text: SQLAlchemy would take as long again to put them together for each event.
_COUNT_ON = text(  # locks the facility's row, or makes it: readers of several sources wait for each other here
    "INSERT INTO feed_head (facility, number) VALUES (:facility, 1)"
    " ON CONFLICT (facility) DO UPDATE SET number = feed_head.number + 1"
)
_APPEND = text(
    "INSERT INTO feed (facility, number, source, position, type, hash)"
    " SELECT facility, number, :source, :position, :type, :hash FROM feed_head WHERE facility = :facility"
)


def head(database: Database, facility: str) -> int | None:
    """The last number of a facility, None where nothing was ever heard of it."""
    rows = database.rows(select(feed_heads.c.number).where(feed_heads.c.facility == facility))
    return rows[0].number if rows else None


def must_be_types(names: Sequence[str] | None, field: str = "types") -> None:
    """Raise Invalid unless each is a type of an event that is numbered, with its version or without."""
    known = {name for name in event_types() if name.partition(".")[0] in FED}
    known |= {_VERSION.sub("", name) for name in known}
    if strange := [name for name in names or () if name not in known]:
        raise Invalid({field: [f"expected types of events, like work_orders.work_performed.v1, not {strange[0]!r}"]})


def must_be_sources(names: Sequence[str] | None) -> None:
    """Raise Invalid unless each is a service whose events are numbered."""
    if strange := [name for name in names or () if name not in FED]:
        raise Invalid({"sources": [f"expected of {', '.join(FED)}, not {strange[0]!r}"]})


def entries(  # noqa: PLR0917  the words of a call
    database: Database,
    facility: str,
    after: int,
    last: int,
    types: Sequence[str] = (),
    sources: Sequence[str] = (),
    limit: int = USUAL_ROWS,
) -> Sequence[Any]:
    """The rows with numbers above `after` and up to `last`, of some types and sources only where any are named."""
    wanted = select(feed).where(feed.c.facility == facility, feed.c.number > after, feed.c.number <= last)
    if types:
        wanted = wanted.where(or_(*map(_of_type, types)))
    if sources:
        wanted = wanted.where(feed.c.source.in_(sources))
    return database.rows(wanted.order_by(feed.c.number).limit(limit))


def _of_type(name: str) -> ColumnElement[bool]:
    return feed.c.type == name if _VERSION.search(name) else feed.c.type.startswith(f"{name}.v", autoescape=True)


def envelopes(facility: str, rows: Sequence[Any], ledgers: Mapping[str, ReadLedger]) -> list[Numbered]:
    """The events of rows, as many from the first on as MOST_BYTES hold.

    Raises Unavailable where a ledger cannot be asked, lacks an event, or has another than was numbered.
    """
    texts: dict[tuple[str, int], str] = {}
    for source, first, last in _runs(rows):
        found = ledgers[source](facility=facility, after=first - 1, limit=last - first + 1)
        texts |= {(source, position): whole for position, whole in enumerate(found, start=first)}
    numbered: list[Numbered] = []
    length = 0
    for row in rows:
        whole = texts.get((row.source, row.position), "")
        _must_be_the_one(row, whole)
        length += len(whole)
        if numbered and length > MOST_BYTES:
            break
        numbered.append(Numbered(number=row.number, type=row.type, envelope=whole))
    return numbered


def _runs(rows: Sequence[Any]) -> Iterator[tuple[str, int, int]]:
    """Source, first and last position of each stretch that is worth one question."""
    positions: dict[str, list[int]] = {}
    for row in rows:
        positions.setdefault(row.source, []).append(row.position)
    for source, wanted in positions.items():
        first = last = wanted[0]
        for position in wanted[1:]:
            if position - last > PASSED_OVER or position - first >= MOST_ROWS:
                yield source, first, last
                first = position
            last = position
        yield source, first, last


def _must_be_the_one(row: Any, whole: str) -> None:
    """Raise Unavailable unless an envelope is the event that got this number, byte for byte."""
    place = f"number {row.number} of {row.facility} is position {row.position} of {row.source}"
    if not whole:
        log.error("an event of the feed is missing", place=place)
        raise Unavailable(f"{place}, and there is no such event in its ledger")
    body, hash_ = stripped(whole.encode())
    if hash_ != row.hash or chained(orjson.loads(body)["prevhash"], body) != row.hash:
        log.error("an event of the feed was changed", place=place, hash=hash_)
        raise Unavailable(f"{place}, and its ledger has another event there: expected hash {row.hash}, found {hash_}")


def page(  # noqa: PLR0917  the words of a call
    database: Database,
    ledgers: Mapping[str, ReadLedger],
    facility: str,
    after: int = 0,
    limit: int | None = None,
    types: Sequence[str] = (),
    sources: Sequence[str] = (),
) -> dict[str, Any]:
    """Events behind a number: {items: [{number, event: the envelope's JSON as text}], next, head}.

    `next` is the number behind which to go on: it passes over what the filters leave out. Raises Invalid for an unknown
    type or source, a limit that is not 1 to MOST_ROWS, or a number that was not given yet; Unavailable as `envelopes`.
    """
    limit = USUAL_ROWS if limit is None else limit
    if not 1 <= limit <= MOST_ROWS:
        raise Invalid({"limit": [f"expected 1 to {MOST_ROWS}"]})
    must_be_types(types)
    must_be_sources(sources)
    last = head(database, facility) or 0
    if not 0 <= after <= last:
        raise Invalid({"after": [f"expected a number from 0 to {last}, the last one given in {facility}"]})
    rows = entries(database, facility, after, last, types, sources, limit)
    found = envelopes(facility, rows, ledgers)
    whole = len(rows) < limit and len(found) == len(rows)
    return {
        "items": [{"number": one.number, "event": one.envelope} for one in found],
        "next": last if whole else found[-1].number,
        "head": last,
    }
