"""What scoring keeps: the journal of all that it heard, rulebooks and results by their hashes, and the assessments."""

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    insert,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from shared.contracts.scoring import (
    AssessmentOpened,
    AssessmentPublished,
    AssessmentWithdrawn,
    OfficialRulebookChosen,
)
from shared.event import Recorded
from shared.views import Views

metadata = MetaData()
journal = Table(
    "journal",
    metadata,
    Column("source", String(80), primary_key=True),
    Column("facility", String(80), primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("hash", String(80), nullable=False),
)
rulebooks = Table(
    "rulebook",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("rulebook_id", String(80), nullable=False),
    Column("text", LargeBinary, nullable=False),
)
results = Table(  # what somebody signed: the canonical bytes, so that a replay can say where it differs
    "result",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
assessments = Table(
    "assessment",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("assessment_id", String(80), primary_key=True),
    Column("year", Integer, nullable=False),
    Column("official", String(64), nullable=False),
    Column("status", String(10), nullable=False),
    Column("result_sha256", String(64)),
    Column("total", Text),
)


def fold(connection: Connection, recorded: Recorded) -> None:
    """Bring the assessments on by one of scoring's own events."""
    facility, event = recorded.facility, recorded.event
    match event:
        case AssessmentOpened():
            official = next(book.sha256 for book in event.rulebooks if book.rulebook_id == event.official)
            row = {"assessment_id": event.assessment_id, "year": event.year, "official": official, "status": "open"}
            connection.execute(insert(assessments).values(facility=facility, **row))
        case OfficialRulebookChosen():
            chosen = update(assessments).where(*_key(facility, event.assessment_id))
            connection.execute(chosen.values(official=event.rulebook_sha256))
        case AssessmentPublished():
            total = None if event.total is None else str(event.total)
            values = {"status": "published", "result_sha256": event.result_sha256, "total": total}
            connection.execute(update(assessments).where(*_key(facility, event.assessment_id)).values(values))
        case AssessmentWithdrawn():
            withdrawn = update(assessments).where(*_key(facility, event.assessment_id))
            connection.execute(withdrawn.values(status="open", result_sha256=None, total=None))


def _key(facility: str, assessment_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return assessments.c.facility == facility, assessments.c.assessment_id == assessment_id


VIEWS = Views(metadata=metadata, fold=fold)
