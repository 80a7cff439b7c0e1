"""What a published result rests on, gathered from scoring's own database: its journal holds every source's events."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select

from services.scoring import views
from services.scoring.publishing.bundle import Bundle
from services.scoring.publishing.seal import Seal, seal_of
from shared.contracts.scoring import AssessmentOpened, AssessmentPublished, AssessmentWithdrawn
from shared.database import Database
from shared.errors import NotFound, Rejected
from shared.event import Recorded, read
from shared.ledger import envelope, events

OWN = "scoring"


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A recorded publication that stands, and its seal."""

    recorded: Recorded
    event: AssessmentPublished
    seal: Seal


def life_of(database: Database, facility: str, assessment_id: str) -> list[Recorded]:
    """Everything that was recorded of an assessment, oldest first."""
    of_stream = (events.c.facility == facility) & (events.c.stream == f"assessment/{assessment_id}")
    rows = database.rows(select(events.c.body, events.c.hash).where(of_stream).order_by(events.c.version))
    return [read(bytes(row.body), row.hash) for row in rows]


def standing(life: Sequence[Recorded]) -> Recorded | None:
    """The publication in an assessment's life that was not withdrawn since."""
    found = None
    for recorded in life:
        if isinstance(recorded.event, AssessmentPublished):
            found = recorded
        elif isinstance(recorded.event, AssessmentWithdrawn):
            found = None
    return found


def published(database: Database, facility: str, year: int) -> Publication:
    """What stands published of a facility's year; raises NotFound, or Rejected where it was never sealed."""
    opened = (
        read(bytes(row.body), row.hash)
        for row in database.rows(
            select(events.c.body, events.c.hash)
            .where(events.c.facility == facility, events.c.type == AssessmentOpened.type)
            .order_by(events.c.position)
        )
    )
    ids = [
        one.event.assessment_id for one in opened if isinstance(one.event, AssessmentOpened) and one.event.year == year
    ]
    recorded = standing(life_of(database, facility, ids[0])) if ids else None
    if recorded is None:
        raise NotFound(f"nothing is published of {year} in {facility}")
    seal = seal_of(recorded)
    if seal is None or not isinstance(recorded.event, AssessmentPublished):
        raise Rejected(
            f"what is published of {year} in {facility} was not sealed; withdraw it, sign and publish it anew"
        )
    return Publication(recorded=recorded, event=recorded.event, seal=seal)


def gather(database: Database, publication: Publication) -> Bundle:
    """The bundle of a publication, without photos; raises NotFound where rulebook or result are not kept any more."""
    said, facility = publication.event, publication.recorded.facility
    return Bundle(
        seal=publication.seal.as_bytes(),
        rulebook=_kept(
            database, select(views.rulebooks.c.text).where(views.rulebooks.c.sha256 == said.rulebook_sha256)
        ),
        result=_kept(database, select(views.results.c.body).where(views.results.c.sha256 == said.result_sha256)),
        events={
            source: _envelopes(database, facility, source, head.position) for source, head in sorted(said.heads.items())
        },
    )


def _kept(database: Database, query: Select[tuple[bytes]]) -> bytes:
    rows = database.rows(query)
    if not rows:
        raise NotFound("the rulebook or the result of what is published is not kept any more")
    return bytes(rows[0][0])


def _envelopes(database: Database, facility: str, source: str, last: int) -> list[bytes]:
    table = events.c if source == OWN else views.journal.c
    mine = [table.facility == facility, table.position <= last]
    if source != OWN:
        mine.append(views.journal.c.source == source)
    rows = database.rows(select(table.body, table.hash).where(*mine).order_by(table.position))
    return [envelope(bytes(row.body), row.hash) for row in rows]
