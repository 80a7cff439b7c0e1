"""The wiring of what other systems tell us."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select

from services.integration.inbound import answers as forms
from services.integration.inbound import commands, file_drop
from services.integration.inbound.aggregate import Message, Source
from services.integration.inbound.mapping_file import read_mapping
from services.integration.inbound.reconciliation import reconciled
from services.integration.inbound.tables import closed_days, halls, mappings, messages, sortable, sources
from shared.contracts.asset_registry import FacilityRegistered
from shared.contracts.integration import SourceMapped
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Recorded
from shared.pages import Page, page
from shared.service import answers, command, query
from shared.subscription import subscribe
from shared.unit import Unit

MOST_DAYS = 366
"""How many days are reconciled at once."""
USUAL_DAYS = timedelta(days=6)
"""How many before the last one, where nobody says since when."""
STATES = ("pending", "accepted", "refused")


class Inbound(file_drop.FileDrop):
    """Receives what other systems tell, and passes it on."""

    @answers(forms.MappedSource)
    @command(commands.MapSource)
    def map_source(self, do: Unit, asked: commands.MapSource) -> dict[str, Any]:
        """Give a source's messages a meaning; those that were refused are tried by it. The same once more changes nothing."""
        mapping = read_mapping(asked.mapping)
        if mapping.facility not in (None, do.facility):
            raise Invalid({"facility": [f"expected {do.facility}, where it is adopted, or no such line"]})
        taken = do.rows(select(sources.c.source_id).filter_by(facility=do.facility, source=mapping.source))
        if taken and taken[0].source_id != asked.source_id:
            raise Rejected(f"{mapping.source} is source {taken[0].source_id} already")
        source = do.find(Source, asked.source_id)
        if source.mapping_sha256 != mapping.sha256:
            source.map(
                SourceMapped(
                    source_id=asked.source_id,
                    source=mapping.source,
                    mapping_sha256=mapping.sha256,
                    mapping=asked.mapping,
                    mapped_by=do.actor,
                ),
                do.now,
            )
        refused = select(func.count()).select_from(messages).filter_by(facility=do.facility, source=mapping.source)
        again = do.rows(
            refused.where(messages.c.status == "refused", messages.c.mapping_sha256.is_distinct_from(mapping.sha256))
        )
        named = {"source_id": asked.source_id, "source": mapping.source, "mapping_sha256": mapping.sha256}
        return {**named, "waiting": again[0][0]}

    @answers(forms.RetriedMessage)
    @command(commands.RetryMessage)
    def retry_message(self, do: Unit, asked: commands.RetryMessage) -> dict[str, Any]:
        """Try a message again that was refused, by the mapping that its source has now; it is pending until then."""
        message = do.edit(Message, asked.message)
        found = do.rows(select(sources).filter_by(facility=do.facility, source=message.told.source))
        if not found:
            raise Rejected(f"{message.told.source} is mapped by no source of {do.facility}")
        message.retry(self.retried(message, found[0]), do.now)
        return {"message": message.id, "status": message.status}

    @subscribe("asset_registry", FacilityRegistered)
    def on_facility_registered(self, do: Unit, recorded: Recorded) -> None:
        """Know which facilities there are, and their time zones."""

    @answers(forms.ListedSource)
    @query
    def sources_of(self, facility: str, **paging: Any) -> Page:
        """The sources of a facility, by source_id."""
        wanted = select(sources).filter_by(facility=facility)
        return page(self.ledger.database, wanted, {"source_id": [sources.c.source_id]}, **paging)

    @answers(forms.SourceWithMapping)
    @query
    def source(self, facility: str, source_id: str) -> dict[str, Any]:
        """One source with its mapping; raises NotFound."""
        now = (mappings.c.facility == sources.c.facility) & (mappings.c.source_id == sources.c.source_id)
        now &= mappings.c.mapping_sha256 == sources.c.mapping_sha256
        wanted = select(sources, mappings.c.mapping).join(mappings, now)
        rows = self.ledger.database.mappings(
            wanted.where(sources.c.facility == facility, sources.c.source_id == source_id)
        )
        if not rows:
            raise NotFound(f"no source {source_id} in {facility}")
        return rows[0]

    @answers(forms.ListedMessage)
    @query
    def messages(
        self,
        facility: str,
        status: str | None = None,
        source: str | None = None,
        day: str | None = None,
        **paging: Any,
    ) -> Page:
        """The messages of a facility, by status, source (URI or source_id) and local day; newest first, or as sorted."""
        if status not in (None, *STATES):
            raise Invalid({"status": [f"expected one of {', '.join(STATES)}"]})
        wanted = select(messages).where(messages.c.facility == facility)
        if status is not None:
            wanted = wanted.where(messages.c.status == status)
        if source is not None:
            wanted = wanted.where((messages.c.source == source) | (messages.c.source_id == source))
        if day is not None:
            wanted = wanted.where(self._within(facility, date.fromisoformat(day), date.fromisoformat(day)))
        order = {"position": [messages.c.position], "happened_at": [messages.c.happened_at, messages.c.message]}
        paging["sort"] = paging.get("sort") or "-position"
        return page(self.ledger.database, wanted, order, **paging)

    @answers(forms.MessageWithEnvelope)
    @query
    def message(self, facility: str, message: str) -> dict[str, Any]:
        """One message with the CloudEvent as it was sent; raises NotFound."""
        rows = self.ledger.database.mappings(select(messages).filter_by(facility=facility, message=message))
        if not rows:
            raise NotFound(f"no message {message} in {facility}")
        return {**rows[0], "envelope": self.envelope(facility, rows[0]["sha256"])}

    @answers(list[forms.ReconciledDay])
    @query
    def reconciliation(
        self, facility: str, since: str | None = None, until: str | None = None, source: str | None = None
    ) -> list[dict[str, Any]]:
        """What arrived of each source and local day, beside what the source says of it; by default of the last week.

        Raises Invalid where `since` is after `until`, or more than MOST_DAYS before it.
        """
        last = date.fromisoformat(until) if until else self.ledger.clock.now().astimezone(self._zone(facility)).date()
        first = date.fromisoformat(since) if since else last - USUAL_DAYS
        if not 0 <= (last - first).days < MOST_DAYS:
            raise Invalid({"since": [f"expected a day not after {last}, and at most {MOST_DAYS} days with it"]})
        told = select(messages).where(messages.c.facility == facility, self._within(facility, first, last))
        closed = select(closed_days).where(
            closed_days.c.facility == facility, closed_days.c.day.between(first.isoformat(), last.isoformat())
        )
        if source is not None:
            uri = self._uri(facility, source)
            told, closed = told.where(messages.c.source == uri), closed.where(closed_days.c.source == uri)
        database = self.ledger.database
        return reconciled(database.mappings(told), database.mappings(closed), self._zone(facility))

    def _uri(self, facility: str, source: str) -> str:
        """How a source calls itself, by its source_id too."""
        rows = self.ledger.database.rows(select(sources.c.source).filter_by(facility=facility, source_id=source))
        return str(rows[0].source) if rows else source

    def _within(self, facility: str, first: date, last: date) -> ColumnElement[bool]:
        """That a message happened in these local days."""
        zone = self._zone(facility)
        begins, ends = (
            sortable(datetime.combine(day, time.min, tzinfo=zone)) for day in (first, last + timedelta(days=1))
        )
        return (messages.c.happened_at >= begins) & (messages.c.happened_at < ends)

    def _zone(self, facility: str) -> ZoneInfo:
        """The time zone that decides the facility's days; raises NotFound."""
        if not self.is_registered(facility):
            raise NotFound(f"no facility {facility}")
        return ZoneInfo(self.ledger.database.rows(select(halls.c.timezone).filter_by(facility=facility))[0].timezone)
