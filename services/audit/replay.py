"""Whether published results still follow from the events that they rest on: read, evaluate and compare anew.

A publication names the head of every ledger, the rulebook's hash and the result's. Its events are read from scoring's
journal, or from the services' own ledgers, up to those heads; the evaluation is the one that published it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy.exc import DBAPIError

from services.audit.chain import Chain
from services.audit.snapshot import Unreadable, distinct, is_damage, one, snapshot, stream
from services.audit.verify import EVER, HEAD, JOURNAL, KEEPER, LEDGER, Fault, head_faults, is_text, sha256_of
from services.scoring.evaluation import evaluate, result_sha256
from services.scoring.facts import Facts
from services.scoring.rulebook import Rulebook, read_rulebook
from shared.config import SERVICES
from shared.contracts.scoring import AssessmentOpened, AssessmentPublished, AssessmentWithdrawn, Head
from shared.database import Database
from shared.errors import Invalid
from shared.event import Recorded

_RULEBOOK = "SELECT text FROM rulebook WHERE sha256 = :sha256"
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
class _Assessment:
    """What scoring's ledger says of one assessment."""

    opened: AssessmentOpened
    simulated: bool
    publications: list[Recorded] = field(default_factory=list)
    withdrawn: set[int] = field(default_factory=set)


class Replay:
    """Evaluates again, on the databases given by service; from scoring's journal, or from the services' own ledgers."""

    def __init__(self, databases: Mapping[str, Database], *, from_sources: bool = False) -> None:
        needed = SERVICES if from_sources else (KEEPER,)
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

    def _published(self, assessment: _Assessment, publication: Recorded) -> Replayed:
        event = publication.event
        assert isinstance(event, AssessmentPublished)
        reading = self._read(publication.facility, _lasts(event.heads), from_ledgers=self.from_sources)
        rulebook, differences = self._rulebook(event.rulebook_sha256)
        if event.rulebook_sha256 != _official(assessment.opened):
            differences.append(f"rulebook {event.rulebook_sha256} is not the official one")
        replayed = Replayed(
            facility=publication.facility,
            assessment_id=event.assessment_id,
            year=assessment.opened.year,
            as_of=event.as_of,
            simulated=publication.simulated,
            position=publication.position,
            withdrawn=publication.position in assessment.withdrawn,
            expected=Outcome(sha256=event.result_sha256, total=event.total),
            differences=[*map(str, reading.faults), *_moved(event.heads, reading.heads, "published"), *differences],
        )
        if rulebook is not None:
            self._evaluate(replayed, reading.facts, rulebook, event.known_at)
        return replayed

    def _open(self, facility: str, assessment: _Assessment) -> Replayed:
        """Nothing is published: does the journal give what the services' own ledgers give, as of the newest day?"""
        journal = self._read(facility, dict.fromkeys(SERVICES, EVER), from_ledgers=False)
        year = assessment.opened.year
        rulebook, differences = self._rulebook(_official(assessment.opened))
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
        if replayed.expected not in (None, replayed.found):
            replayed.differences.append(f"result: expected {replayed.expected}, found {replayed.found}")

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
        facility, chain = reading.facts.facility, Chain()
        query = LEDGER if from_ledger else JOURNAL
        names = {} if from_ledger else {"source": source}
        place = source if from_ledger else f"the journal of {source}"
        try:
            with snapshot(self.databases[source if from_ledger else KEEPER]) as connection:
                head = one(connection, HEAD, facility=facility)
                for row in stream(connection, query, facility=facility, last=last, **names):
                    found = chain.follow(*row)
                    reading.faults += [_fault(reading, place, at, what) for at, what in found]
                    if chain.recorded is not None:
                        yield chain.recorded
            if from_ledger and last == EVER:
                reading.faults += [_fault(reading, place, at, what) for at, what in head_faults(head, chain)]
        except DBAPIError as error:
            if not is_damage(error):
                raise
            reading.faults.append(_fault(reading, place, chain.position + 1, f"cannot be read: {error.orig}"))
        if chain.position:
            reading.heads[source] = Head(position=chain.position, hash=chain.hash)


def _assessments(history: Iterator[Recorded]) -> list[_Assessment]:
    """What was opened, published and withdrawn, in the order of opening."""
    found: dict[str, _Assessment] = {}
    for recorded in history:
        match recorded.event:
            case AssessmentOpened() as opened:
                found.setdefault(opened.assessment_id, _Assessment(opened, recorded.simulated))
            case AssessmentPublished(assessment_id=name) if name in found:
                found[name].publications.append(recorded)
            case AssessmentWithdrawn(assessment_id=name) if name in found and found[name].publications:
                found[name].withdrawn.add(found[name].publications[-1].position)
    return list(found.values())


def _official(opened: AssessmentOpened) -> str:
    return next((book.sha256 for book in opened.rulebooks if book.rulebook_id == opened.official), "")


def _lasts(heads: Mapping[str, Head]) -> dict[str, int]:
    return {source: min(head.position, EVER) for source, head in heads.items() if source in SERVICES}


def _moved(expected: Mapping[str, Head], found: Mapping[str, Head], when: str) -> list[str]:
    """Heads that are no longer what they were."""
    return [
        f"head of {source}: {when} position {head.position} {head.hash}, found {_head(found.get(source))}"
        for source, head in expected.items()
        if found.get(source) != head
    ]


def _head(head: Head | None) -> str:
    return "nothing" if head is None else f"position {head.position} {head.hash}"


def _fault(reading: _Reading, place: str, position: int, what: str) -> Fault:
    return Fault(service=place, facility=reading.facts.facility, position=position, what=what)
