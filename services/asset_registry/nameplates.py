"""What may be said of equipment: its nameplate and its documents."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone

from shared.contracts.asset_registry import Document, Nameplate

MOST_DOCUMENTS = 100
"""How many documents one description names at most."""
FIRST_TO_RISE = timezone(timedelta(hours=14))
"""Where a day begins before it does elsewhere; which zone a facility is in is not known here."""


def latest_day(at: datetime) -> date:
    """The last day that has begun somewhere on earth."""
    return at.astimezone(FIRST_TO_RISE).date()


def faults(nameplate: Nameplate, at: datetime) -> Iterator[tuple[str, str]]:
    """What cannot be so, as (field, what was expected); equipment was installed on a day that has come."""
    yield from nameplate.faults()
    if nameplate.installed_on is not None and nameplate.installed_on > latest_day(at):
        yield "installed_on", f"expected a day that has come, not {nameplate.installed_on}"


def document_faults(documents: tuple[Document, ...]) -> Iterator[tuple[str, str]]:
    """What is wrong with a list of documents, as (field, what was expected)."""
    if len(documents) > MOST_DOCUMENTS:
        yield "documents", f"expected at most {MOST_DOCUMENTS}"
    seen: set[str] = set()
    for number, document in enumerate(documents):
        if document.sha256 in seen:
            yield f"documents[{number}].sha256", "expected a file once in the list"
        if not document.title.strip():
            yield f"documents[{number}].title", "expected words, not blank"
        seen.add(document.sha256)
