"""Whether published results still follow from the events that they rest on: read, evaluate and compare anew.

A publication names the head of every ledger, the rulebook's hash and the result's. Its events are read from scoring's
journal, or from the services' own ledgers, up to those heads; the evaluation is the one that published it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from services.audit.chain import Chain
from services.audit.first_difference import first_difference
from services.audit.snapshot import Unreadable, distinct, is_damage, one, snapshot, stream
from services.audit.verify import EVER, HEAD, JOURNAL, KEEPER, LEDGER, Fault, head_faults, is_text, sha256_of
from services.scoring.aggregate import SIGNATURES, Assessment
from services.scoring.evaluation import Result, evaluate, result_bytes, result_sha256
from services.scoring.facts import Facts
from services.scoring.rulebooks.rulebook import Rulebook, read_rulebook
from shared.config import SCORED
from shared.contracts.scoring import AssessmentOpened, AssessmentPublished, AssessmentWithdrawn, Head
from shared.database import Database
from shared.errors import Invalid
from shared.event import Recorded
from shared.merkle import Tree

_RULEBOOK = "SELECT text FROM rulebook WHERE sha256 = :sha256"
_RESULT = "SELECT body FROM result WHERE sha256 = :sha256"
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a result comes to; `total` is None where not all of it is assessable."""

    sha256: str
    total: Decimal | None

    def __str__(self) -> str:
        return f"total {self.total} ({self.sha256})"


@dataclass(kw_only=True)
class Replayed:
    """An assessment evaluated again, by the official rulebook; it holds where nothing differs.

    `position` is that of its publication in scoring's ledger, and `expected` what was published. Of an open assessment
    that was never published, `position` is None and `expected` is what the services' own ledgers give, None where they
    are not at hand. `found` is None where nothing could be evaluated.
    """

    facility: str
    assessment_id: str
    year: int
    as_of: date
    simulated: bool
    position: int | None = None
    withdrawn: bool = False
    expected: Outcome | None = None
    found: Outcome | None = None
    differences: list[str] = field(default_factory=list)


@dataclass
class _Reading:
    """The facts of a facility up to somewhere, where that was, and what was wrong on the way there."""

    facts: Facts
    heads: dict[str, Head] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    newest: datetime = _NEVER


@dataclass
class _Publication:
    """A publication with what was decided before it: which rulebook was official, and who had signed its result."""

    recorded: Recorded
    event: AssessmentPublished
    official_sha256: str
    signed_by: set[str]
    withdrawn: bool = False


@dataclass
class _Assessment:
    """What scoring's ledger says of one assessment."""

    opened: AssessmentOpened
    simulated: bool
    life: Assessment
    publications: list[_Publication] = field(default_factory=list)

    def take(self, recorded: Recorded) -> None:
        """Take in the next event of the assessment."""
        event = recorded.event
        if isinstance(event, AssessmentPublished):
            signed = {one.signed_by for one in self.life.signatures if one.result_sha256 == event.result_sha256}
            self.publications.append(_Publication(recorded, event, self.life.official_sha256, signed))
        elif isinstance(event, AssessmentWithdrawn) and self.publications:
            self.publications[-1].withdrawn = True
        self.life.apply(event)


class Replay:
    """Evaluates again, on the databases given by service; from scoring's journal, or from the services' own ledgers."""

    def __init__(self, databases: Mapping[str, Database], *, from_sources: bool = False) -> None:
        needed = SCORED if from_sources else (KEEPER,)
        if missing := [service for service in needed if service not in databases]:
            raise Unreadable(f"the database of {', '.join(missing)} is needed")
        self.databases = databases
        self.from_sources = from_sources

    def facilities(self) -> list[str]:
        """Those of which scoring has recorded anything."""
        with snapshot(self.databases[KEEPER]) as connection:
            return [name for name in distinct(connection, "event", "facility") if is_text(name)]

    def of(self, facility: str, year: int | None = None) -> Iterator[Replayed | Fault]:
        """Every assessment of a facility, or those of one year; and first what is wrong with scoring's own ledger."""
        own = _Reading(Facts(facility))
        assessments = _assessments(self._events(own, KEEPER, EVER, from_ledger=True))
        yield from own.faults
        for assessment in assessments:
            if year not in (None, assessment.opened.year):
                continue
            for publication in assessment.publications:
                yield self._published(assessment, publication)
            if not assessment.publications:
                yield self._open(facility, assessment)

    def _published(self, assessment: _Assessment, publication: _Publication) -> Replayed:
        event, recorded = publication.event, publication.recorded
        reading = self._read(recorded.facility, _lasts(event.heads), from_ledgers=self.from_sources)
        rulebook, differences = self._rulebook(event.rulebook_sha256)
        if event.rulebook_sha256 != publication.official_sha256:
            differences.append(f"rulebook {event.rulebook_sha256} is not the official one")
        if event.seal is not None and len(publication.signed_by) < SIGNATURES:
            by = ", ".join(sorted(publication.signed_by)) or "nobody"
            differences.append(f"the result was signed by {by}, expected {SIGNATURES} people")
        replayed = Replayed(
            facility=recorded.facility,
            assessment_id=event.assessment_id,
            year=assessment.opened.year,
            as_of=event.as_of,
            simulated=recorded.simulated,
            position=recorded.position,
            withdrawn=publication.withdrawn,
            expected=Outcome(sha256=event.result_sha256, total=event.total),
            differences=[*map(str, reading.faults), *_moved(event.heads, reading.heads, "published"), *differences],
        )
        if rulebook is not None:
            self._evaluate(replayed, reading.facts, rulebook, event.known_at)
        return replayed

    def _open(self, facility: str, assessment: _Assessment) -> Replayed:
        """Nothing is published: does the journal give what the services' own ledgers give, as of the newest day?"""
        journal = self._read(facility, dict.fromkeys(SCORED, EVER), from_ledgers=False)
        year = assessment.opened.year
        rulebook, differences = self._rulebook(assessment.life.official_sha256)
        replayed = Replayed(
            facility=facility,
            assessment_id=assessment.opened.assessment_id,
            year=year,
            as_of=min(journal.facts.known().day(journal.newest), date(year, 12, 31)),
            simulated=assessment.simulated,
            differences=[*map(str, journal.faults), *differences],
        )
        if rulebook is None:
            return replayed
        if set(journal.heads) <= set(self.databases):
            ledgers = self._read(facility, _lasts(journal.heads), from_ledgers=True)
            replayed.differences += [*map(str, ledgers.faults), *_moved(journal.heads, ledgers.heads, "in the journal")]
            self._evaluate(replayed, ledgers.facts, rulebook, None)
            replayed.expected = replayed.found
        self._evaluate(replayed, journal.facts, rulebook, None)
        return replayed

    def _evaluate(self, replayed: Replayed, facts: Facts, rulebook: Rulebook, known_at: datetime | None) -> None:
        """Score as `publish_assessment` does, and compare with what was expected."""
        try:
            result = evaluate(facts, rulebook, replayed.as_of, known_at)
        except (ArithmeticError, LookupError, TypeError, ValueError) as fault:  # content that no service accepted
            replayed.differences.append(f"the facts cannot be evaluated: {fault!r}")
            return
        replayed.found = Outcome(sha256=result_sha256(result), total=result.total)
        if replayed.expected is not None and replayed.expected != replayed.found:
            where = self._first_difference(replayed.expected, result)
            replayed.differences.append(f"result: expected {replayed.expected}, found {replayed.found}{where}")

    def _first_difference(self, expected: Outcome, result: Result) -> str:
        """Where a result parts from the one that was published, as far as that was kept as it was."""
        with snapshot(self.databases[KEEPER]) as connection:
            row = one(connection, _RESULT, sha256=expected.sha256) if inspect(connection).has_table("result") else None
        if row is None or sha256_of(row.body) != expected.sha256 or expected.sha256 == result_sha256(result):
            return ""
        return f"; first at {first_difference(bytes(row.body), result_bytes(result))}"

    def _rulebook(self, sha256: str) -> tuple[Rulebook | None, list[str]]:
        with snapshot(self.databases[KEEPER]) as connection:
            row = one(connection, _RULEBOOK, sha256=sha256)
        if row is None:
            return None, [f"rulebook {sha256} is not kept any more"]
        if (found := sha256_of(row.text)) != sha256:
            return None, [f"rulebook {sha256} was changed: its text has sha256 {found}"]
        return read_rulebook(row.text), []

    def _read(self, facility: str, lasts: Mapping[str, int], *, from_ledgers: bool) -> _Reading:
        """Gather the facts of a facility up to a position of each source."""
        reading = _Reading(Facts(facility))
        for source, last in lasts.items():
            for recorded in self._events(reading, source, last, from_ledger=from_ledgers or source == KEEPER):
                try:
                    reading.facts.add(recorded)
                except Invalid as fault:
                    reading.faults.append(_fault(reading, source, recorded.position, str(fault)))
                reading.newest = max(reading.newest, recorded.recordedat)
        return reading

    def _events(self, reading: _Reading, source: str, last: int, *, from_ledger: bool) -> Iterator[Recorded]:
        """Follow a ledger, or scoring's journal of it, up to a position; what cannot be read is left out and told."""
        facility, chain, tree = reading.facts.facility, Chain(), Tree()
        query = LEDGER if from_ledger else JOURNAL
        names: dict[str, Any] = {} if from_ledger else {"source": source}
        place = source if from_ledger else f"the journal of {source}"
        try:
            with snapshot(self.databases[source if from_ledger else KEEPER]) as connection:
                head = one(connection, HEAD, facility=facility)
                for row in stream(connection, query, facility=facility, last=last, **names):
                    found = chain.follow(*row)
                    reading.faults += [_fault(reading, place, at, what) for at, what in found]
                    tree.append(row.body if type(row.body) is bytes else b"")
                    if chain.recorded is not None:
                        yield chain.recorded
            if from_ledger and last == EVER:
                reading.faults += [_fault(reading, place, at, what) for at, what in head_faults(head, chain)]
        except DBAPIError as error:
            if not is_damage(error):
                raise
            reading.faults.append(_fault(reading, place, chain.position + 1, f"cannot be read: {error.orig}"))
        if chain.position:
            reading.heads[source] = Head(position=chain.position, hash=chain.hash, root=tree.root)


def _assessments(history: Iterator[Recorded]) -> list[_Assessment]:
    """What was opened, signed, published and withdrawn, in the order of opening."""
    found: dict[str, _Assessment] = {}
    for recorded in history:
        name = getattr(recorded.event, "assessment_id", None)
        if isinstance(recorded.event, AssessmentOpened):
            begun = _Assessment(recorded.event, recorded.simulated, Assessment(recorded.event.assessment_id))
            found.setdefault(recorded.event.assessment_id, begun)
        if name in found:
            found[name].take(recorded)
    return list(found.values())


def _lasts(heads: Mapping[str, Head]) -> dict[str, int]:
    return {source: min(head.position, EVER) for source, head in heads.items() if source in SCORED}


def _moved(expected: Mapping[str, Head], found: Mapping[str, Head], when: str) -> list[str]:
    """Heads that are no longer what they were."""
    return [
        f"head of {source}: {when} {_head(head)}, found {_head(found.get(source))}"
        for source, head in expected.items()
        if not _same(head, found.get(source))
    ]


def _same(published: Head, found: Head | None) -> bool:
    """Whether a ledger is still where it was; its tree hash is compared where one was published."""
    return found is not None and found == replace(published, root=published.root or found.root)


def _head(head: Head | None) -> str:
    return "nothing" if head is None else f"position {head.position} {head.hash} {head.root or ''}".rstrip()


def _fault(reading: _Reading, place: str, position: int, what: str) -> Fault:
    return Fault(service=place, facility=reading.facts.facility, position=position, what=what)
