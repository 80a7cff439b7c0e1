"""Whether the databases still are what was written: chains followed, copies and views compared, each difference named.

Only what the databases themselves show is judged. A tail cut off in every copy, or a chain computed anew from some
event on in all of them, agrees with itself: that takes a seal kept elsewhere (docs/audit-guide.md).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import starmap
from typing import Any

from sqlalchemy.exc import DBAPIError

from services.audit.chain import Chain, Found, LedgerChain, shown
from services.audit.chain import sha256_of as sha256_of  # noqa: PLC0414  # for those who replay
from services.audit.folded import Folding
from services.audit.named import Named
from services.audit.numbering import KEEPER as NUMBERS
from services.audit.numbering import numbering_faults
from services.audit.snapshot import distinct, is_damage, one, snapshot, stream, unreadable
from services.audit.unchained import unchained
from shared.config import SERVICES
from shared.database import Database
from shared.errors import Invalid
from shared.event import Recorded, read
from shared.ledger import GENESIS, chained

KEEPER = "scoring"
"""The service that keeps a journal of what the others told."""

LEDGER = "SELECT position, body, hash FROM event WHERE facility = :facility AND position <= :last ORDER BY position"
JOURNAL = (
    "SELECT position, body, hash FROM journal"
    " WHERE source = :source AND facility = :facility AND position <= :last ORDER BY position"
)
EVER = 2**63 - 1
"""A position above all others."""

HEAD = "SELECT position, hash, published, published_hash FROM ledger WHERE facility = :facility"
_ROWS = (
    "SELECT position, body, hash, facility, event_id, stream, version, type"
    " FROM event WHERE facility = :facility ORDER BY position"
)
_CHECKPOINTS = "SELECT source, facility, position, hash FROM checkpoint ORDER BY source, facility"
_CHECKPOINT = "SELECT position FROM checkpoint WHERE source = :source AND facility = :facility"
_HASH = "SELECT hash FROM event WHERE facility = :facility AND position = :position"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One difference: in whose database, of which facility, at which position of its ledger, and what.

    Facility and position are None where it concerns the whole database, position also where it concerns a row of a table.
    """

    service: str
    facility: Any
    position: Any
    what: str

    def __str__(self) -> str:
        if self.facility is None:
            return f"{self.service}: {self.what}"
        if self.position is None:
            return f"{self.service}, facility {shown(self.facility)}: {self.what}"
        return f"{self.service}, facility {shown(self.facility)}, position {shown(self.position)}: {self.what}"


class Broken(Invalid):
    """A ledger's chain does not hold; the message says where."""


@dataclass
class _Place:
    """Where the reading is."""

    service: str
    facility: Any = None
    position: int = 0

    def told(self, facility: Any, position: Any, what: str) -> Fault:
        """A difference of which somebody else says where it is."""
        return Fault(service=self.service, facility=facility, position=position, what=what)

    def fault(self, what: str, position: Any = None) -> Fault:
        at = self.position if position is None else position
        at = None if self.facility is None else at
        return Fault(service=self.service, facility=self.facility, position=at, what=what)


class Verification:
    """One pass over the databases given, by service; `facilities` and `events` grow while the faults are read."""

    def __init__(self, databases: Mapping[str, Database]) -> None:
        self.databases = databases
        self.facilities: set[Any] = set()
        self.events = 0
        self._broken: set[tuple[str, Any]] = set()
        """Services and facilities whose chains do not hold."""

    def faults(self) -> Iterator[Fault]:
        """Every difference: in ledgers, in what readers remember of them, in the journal, in the numbered sequence, in
        views and all other tables, in files.

        Raises Unreadable where a database cannot be asked.
        """
        for service in self.databases:
            place = _Place(service)
            yield from _guarded(self._ledgers(place), place)
        for service in self.databases:
            place = _Place(service)
            yield from _guarded(self._checkpoints(place), place)
        if KEEPER in self.databases:
            place = _Place(KEEPER)
            yield from _guarded(self._journals(place), place)
        if NUMBERS in self.databases:
            place = _Place(NUMBERS)
            yield from _guarded(starmap(place.told, numbering_faults(self.databases)), place)
        for service in self.databases:
            place = _Place(service)
            yield from _guarded(self._tables(place), place)
            folding = Folding(service, self.databases, self._broken)
            if folding.possible:
                yield from _guarded(starmap(place.told, folding.differences()), place)
        for service, database in self.databases.items():
            if database.sqlite:
                place = _Place(service)
                yield from _guarded(map(place.fault, _file_faults(database)), place)

    # Ledgers

    def _ledgers(self, place: _Place) -> Iterator[Fault]:
        with snapshot(self.databases[place.service]) as connection:
            named = {*distinct(connection, "event", "facility"), *distinct(connection, "ledger", "facility")}
        for facility in sorted(named, key=repr):
            here = _Place(place.service, facility)
            self.facilities.add(facility)
            yield from _guarded(self._ledger(here), here)

    def _ledger(self, place: _Place) -> Iterator[Fault]:
        chain = LedgerChain(place.service)
        if not is_text(place.facility):
            yield place.fault("there are events under a name that is no text")
            return
        with snapshot(self.databases[place.service]) as connection:
            head = one(connection, HEAD, facility=place.facility)
            named, published_hash = Named(place.service, place.facility, connection), GENESIS
            for position, body, hash_, *columns in stream(connection, _ROWS, facility=place.facility):
                self.events += 1
                faults = chain.follow(position, body, hash_)
                faults += chain.compare(*columns)
                if faults:
                    self._broken.add((place.service, place.facility))
                place.position = chain.position
                if head is not None and position == head.published:
                    published_hash = hash_
                for at, what in (*faults, *named.lost(chain)):
                    yield place.fault(what, at)
            for at, what in (*named.rest(), *head_faults(head, chain), *_cursor_faults(head, published_hash)):
                yield place.fault(what, at)

    # Tables that are no ledgers

    def _tables(self, place: _Place) -> Iterator[Fault]:
        with snapshot(self.databases[place.service]) as connection:
            yield from starmap(place.told, unchained(place.service, connection))

    # What readers remember

    def _checkpoints(self, place: _Place) -> Iterator[Fault]:
        """Where a reader stopped, that event must still be the same."""
        with snapshot(self.databases[place.service]) as connection:
            reached = list(stream(connection, _CHECKPOINTS))
        for source, place.facility, position, hash_ in reached:
            if source not in SERVICES:
                yield place.fault(f"the checkpoint is of {shown(source)}, which is no service", position)
            elif source in self.databases:
                found = self._hash_at(source, place.facility, position)
                if found != hash_:
                    there = f"there it is {shown(found)}" if found else "there is no such event"
                    yield place.fault(f"the checkpoint of {source} has hash {shown(hash_)}, but {there}", position)

    def _hash_at(self, source: str, facility: Any, position: Any) -> Any:
        if position == 0 or not is_text(facility) or not is_text(position):
            return GENESIS if position == 0 else None
        with snapshot(self.databases[source]) as connection:
            row = one(connection, _HASH, facility=facility, position=position)
        return row and row.hash

    # The journal

    def _journals(self, place: _Place) -> Iterator[Fault]:
        with snapshot(self.databases[KEEPER]) as connection:
            sources = distinct(connection, "journal", "source")
            checkpoints = list(stream(connection, _CHECKPOINTS))
            kept = {
                (source, facility)
                for source in sources
                for facility in distinct(connection, "journal", "facility", where="source = :source", source=source)
                if source in SERVICES
            }
        for source in sources:
            if source not in SERVICES:
                yield place.fault(f"there is a journal of {shown(source)}, which is no service")
        kept |= {(source, facility) for source, facility, *_ in checkpoints}
        for source, facility in sorted(kept, key=repr):
            here = _Place(KEEPER, facility)
            if source in self.databases and is_text(facility):
                yield from _guarded(self._journal(here, source), here)
            elif source in self.databases:
                yield here.fault(f"the journal of {source} has events under a name that is no text")

    def _journal(self, place: _Place, source: str) -> Iterator[Fault]:
        """Compare copy and original; the copy is read first, so that it never knows more than the original."""
        names = {"facility": place.facility}
        with snapshot(self.databases[KEEPER]) as mine, snapshot(self.databases[source]) as theirs:
            row = one(mine, _CHECKPOINT, source=source, **names)
            reached = row.position if row and type(row.position) is int else 0
            copies = stream(mine, JOURNAL, source=source, last=EVER, **names)
            originals = stream(theirs, LEDGER, last=reached, **names)
            for place.position, copy, original in _side_by_side(copies, originals):
                if place.position > reached:
                    yield place.fault(f"the journal of {source} goes beyond its checkpoint, {reached}")
                elif what := _difference(copy, original):
                    yield place.fault(f"the journal of {source} {what}")


def replay_events(database: Database, facility: str) -> Iterator[Recorded]:
    """The events of one facility's ledger as it stands now, oldest first, each held against the chain.

    Raises Broken at the first that does not follow from the one before, or where the head stands elsewhere.
    """
    position, tip = 0, GENESIS
    with snapshot(database) as connection:
        head = one(connection, HEAD, facility=facility)
        for at, body, hash_ in stream(connection, LEDGER, facility=facility, last=EVER):
            if at != position + 1 or type(body) is not bytes or chained(tip, body) != hash_:
                (where, what), *_ = Chain(position, tip).follow(at, body, hash_)
                raise Broken(f"facility {facility}, position {where}: {what}")
            position, tip = at, hash_
            yield read(body, hash_)
    for where, what in head_faults(head, Chain(position, tip)):
        raise Broken(f"facility {facility}, position {where}: {what}")


def _guarded(faults: Iterable[Fault], place: _Place) -> Iterator[Fault]:
    """Tell a page that the database itself finds broken as what it is: content that is no longer as it was written."""
    try:
        yield from faults
    except DBAPIError as error:
        if not is_damage(error):
            raise unreadable(place.service, error) from error
        yield place.fault(f"cannot be read, nor what follows: {error.orig}", place.position + 1)


def _file_faults(database: Database) -> Iterator[str]:
    """What SQLite finds wrong with its file beyond the events: an index that was changed, say."""
    with snapshot(database) as connection:
        for (found,) in stream(connection, "PRAGMA integrity_check(10)"):
            if found != "ok":
                yield f"the file is damaged: {' '.join(found.split())}"


def head_faults(head: Any, chain: Chain) -> Iterator[Found]:
    """What the head says otherwise than the events that were followed to their end."""
    last = chain.position
    if head is None:
        if last:
            yield last, "is the last event, but the ledger has no head"
        return
    if type(head.position) is not int or head.position < last:
        yield last, f"is the last event, but the head stands at {shown(head.position)}"
    elif head.position > last:
        yield (
            last + 1,
            "is missing, " + (f"with all up to {head.position}, " * (head.position > last + 1)) + "says the head",
        )
    elif head.hash != chain.hash:
        yield last, f"the last event has hash {shown(chain.hash)}, but the head has {shown(head.hash)}"
    if type(head.published) is not int or not 0 <= head.published <= last:
        yield last, f"is the last event, but published are {shown(head.published)}"


def _cursor_faults(head: Any, hash_: Any) -> Iterator[Found]:
    """Where the relay's cursor stands, it keeps the hash of the event there."""
    if head is not None and type(head.published) is int and head.published_hash != hash_:
        there = f"the cursor of what is published has hash {shown(head.published_hash)}"
        yield head.published, f"{there}, but there it is {shown(hash_)}"


def _side_by_side(copies: Iterator[Any], originals: Iterator[Any]) -> Iterator[tuple[int, Any, Any]]:
    """Pair the rows of equal position; where one side has none, None."""
    copy, original = next(copies, None), next(originals, None)
    while copy or original:
        at = min(row.position for row in (copy, original) if row)
        ours = copy if copy and copy.position == at else None
        theirs = original if original and original.position == at else None
        yield at, ours, theirs
        copy = next(copies, None) if ours else copy
        original = next(originals, None) if theirs else original


def _difference(copy: Any, original: Any) -> str:
    if copy is None:
        return "lacks this event"
    if original is None:
        return "has an event here that the ledger has not"
    if copy.body != original.body:
        return "differs from the ledger in the body"
    return "" if copy.hash == original.hash else "differs from the ledger in the hash"


def is_text(value: Any) -> bool:
    """Whether a database would take it back as a name (or a number)."""
    try:
        return isinstance(value, int) or bool(str.encode(value) or True)
    except (TypeError, UnicodeEncodeError):
        return False
