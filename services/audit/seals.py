"""Whether the ledgers still lead to what was sealed: those seals that they hold themselves, and those kept elsewhere.

A ledger that was cut off or computed anew agrees with itself; it does not agree with a seal.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import inspect

from services.audit.snapshot import distinct, one, snapshot, stream
from services.audit.verify import KEEPER, LEDGER, Fault, is_text
from services.scoring.publishing.seal import Seal, seal_of
from shared.config import SERVICES
from shared.contracts.scoring import AssessmentPublished, Head
from shared.database import Database
from shared.errors import Refused
from shared.event import Recorded, read
from shared.merkle import Tree
from shared.signing import PublicKey

_PUBLICATIONS = "SELECT body, hash FROM event WHERE facility = :facility AND type = :type ORDER BY position"
_KEPT = "SELECT count(*) AS number FROM {table} WHERE sha256 = :sha256"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A seal with where it was found: a file's name, or the position in scoring's ledger."""

    seal: Seal
    place: str
    position: int | None = None


class Seals:
    """The seals that the databases and the given files hold; `number` grows while the faults are read."""

    def __init__(self, databases: Mapping[str, Database], files: Sequence[Kept], keys: Sequence[PublicKey]) -> None:
        self._databases = databases
        self._files = files
        self._keys = keys
        self.number = 0

    def faults(self) -> Iterator[Fault]:
        """Every difference between the seals and the ledgers, and every signature that does not hold.

        Signatures are checked where there are keys; raises Invalid where one is by none of them.
        """
        by_facility: dict[str, list[Kept]] = defaultdict(list)
        for kept in (*self._own(), *self._files):
            by_facility[kept.seal.statement.facility].append(kept)
        for facility, all_ in by_facility.items():
            found = self._heads(facility, all_)
            for kept in all_:
                self.number += 1
                yield from self._faults_of(kept, found)

    def _own(self) -> Iterator[Kept]:
        if KEEPER not in self._databases:
            return
        with snapshot(self._databases[KEEPER]) as connection:
            for facility in distinct(connection, "event", "facility"):
                if is_text(facility):
                    yield from map(_kept, self._publications(connection, facility))

    def _publications(self, connection: Any, facility: str) -> Iterator[Recorded]:
        for row in stream(connection, _PUBLICATIONS, facility=facility, type=AssessmentPublished.type):
            try:
                recorded = read(bytes(row.body), row.hash)
            except (Refused, TypeError):  # verify says so of the event itself
                continue
            if seal_of(recorded) is not None:
                yield recorded

    def _heads(self, facility: str, all_: Sequence[Kept]) -> Mapping[tuple[str, int], Head]:
        """Where each ledger stands at the positions that were sealed, by one reading of each."""
        asked: dict[str, set[int]] = defaultdict(set)
        for kept in all_:
            for source, head in kept.seal.statement.heads.items():
                if source in self._databases:
                    asked[source].add(head.position)
        found: dict[tuple[str, int], Head] = {}
        for source, positions in asked.items():
            tree = Tree()
            with snapshot(self._databases[source]) as connection:
                for position, body, hash_ in stream(connection, LEDGER, facility=facility, last=max(positions)):
                    tree.append(body if type(body) is bytes else b"")
                    if position in positions:
                        found[source, position] = Head(position=position, hash=hash_, root=tree.root)
        return found

    def _faults_of(self, kept: Kept, found: Mapping[tuple[str, int], Head]) -> Iterator[Fault]:
        statement = kept.seal.statement
        if self._keys and not kept.seal.holds(self._keys):
            yield _fault(KEEPER, kept, kept.position, "the signature does not hold")
        for source, head in statement.heads.items():
            if source not in SERVICES:
                yield _fault(KEEPER, kept, kept.position, f"it names {source}, which is no service")
            elif source in self._databases:
                yield from _moved(kept, source, head, found.get((source, head.position)))
        if KEEPER in self._databases:
            yield from self._unpublished(kept)
            yield from self._lost(kept)

    def _unpublished(self, kept: Kept) -> Iterator[Fault]:
        """A seal from a file must still be that of a publication; the ledger's own are found through theirs."""
        statement = kept.seal.statement
        if kept.position is not None:
            return
        with snapshot(self._databases[KEEPER]) as connection:
            published = [seal_of(one) for one in self._publications(connection, statement.facility)]
        if kept.seal not in published:
            after = statement.heads[KEEPER].position if KEEPER in statement.heads else 0
            yield _fault(KEEPER, kept, after + 1, "what was sealed is not published here")

    def _lost(self, kept: Kept) -> Iterator[Fault]:
        """Rulebook and result are kept as they were; that each is what its hash says is asked of the tables themselves."""
        said = kept.seal.statement
        with snapshot(self._databases[KEEPER]) as connection:
            for table, sha256 in (("rulebook", said.rulebook_sha256), ("result", said.result_sha256)):
                there = inspect(connection).has_table(table)
                if not there or not one(connection, _KEPT.format(table=table), sha256=sha256).number:
                    yield _fault(KEEPER, kept, kept.position, f"the {table} {sha256} is not kept any more")


def _kept(recorded: Recorded) -> Kept:
    seal = seal_of(recorded)
    assert seal is not None
    return Kept(seal=seal, place=f"the publication at position {recorded.position}", position=recorded.position)


def _moved(kept: Kept, source: str, head: Head, found: Head | None) -> Iterator[Fault]:
    if found is None:
        yield _fault(source, kept, head.position, "is missing")
    elif found.hash != head.hash:
        yield _fault(source, kept, head.position, f"hash is {found.hash}, sealed is {head.hash}")
    elif head.root is not None and found.root != head.root:
        yield _fault(source, kept, head.position, f"tree hash is {found.root}, sealed is {head.root}")


def _fault(service: str, kept: Kept, position: int | None, what: str) -> Fault:
    facility = kept.seal.statement.facility
    return Fault(service=service, facility=facility, position=position, what=f"{what} (seal: {kept.place})")
