"""The rulebooks that scoring keeps, each under the SHA-256 of its bytes."""

from typing import Any

from sqlalchemy import select, text

from services.scoring import commands, views
from services.scoring.answers.assessment import RulebookText
from services.scoring.rulebooks.rulebook import Rulebook, read_rulebook
from shared import service
from shared.contracts.scoring import RulebookRef
from shared.errors import Invalid, NotFound
from shared.event import flat
from shared.schema import schema_of
from shared.service import answers, query


class Rulebooks(service.LedgerService):
    """The part of the service that knows rulebooks."""

    @answers(RulebookRef)
    @query
    def add_rulebook(self, facility: str, data: dict[str, Any], context: dict[str, Any]) -> dict[str, str]:
        """Keep a rulebook under the SHA-256 of its bytes, which makes adding it again the same; answers both names."""
        if errors := flat(schema_of(commands.AddRulebook, strict=True).validate(data)):
            raise Invalid(errors)
        content = data["text"].encode()
        rulebook = read_rulebook(content)
        with self.ledger.database.write() as connection:
            connection.execute(
                text("INSERT INTO rulebook VALUES (:sha256, :rulebook_id, :text) ON CONFLICT DO NOTHING"),
                {"sha256": rulebook.sha256, "rulebook_id": rulebook.id, "text": content},
            )
        return {"rulebook_id": rulebook.id, "sha256": rulebook.sha256}

    add_rulebook.asks = commands.AddRulebook  # type: ignore[attr-defined]  # as `command` says it of others

    @answers(list[RulebookRef])
    @query
    def rulebooks(self) -> list[dict[str, str]]:
        """The rulebooks that are known: rulebook_id and sha256."""
        table = views.rulebooks.c
        return self.ledger.database.mappings(
            select(table.rulebook_id, table.sha256).order_by(table.rulebook_id, table.sha256)
        )

    @answers(RulebookText)
    @query
    def rulebook(self, sha256: str) -> dict[str, str]:
        """One rulebook by the SHA-256 of its bytes: rulebook_id, sha256, and its text; raises NotFound."""
        table = views.rulebooks.c
        found = self.ledger.database.mappings(select(views.rulebooks).where(table.sha256 == sha256))
        if not found:
            raise NotFound(f"no rulebook {sha256}")
        return {**found[0], "text": found[0]["text"].decode()}

    def _rulebook(self, sha256: str) -> Rulebook | None:
        table = views.rulebooks.c
        rows = self.ledger.database.rows(select(table.text).where(table.sha256 == sha256))
        return read_rulebook(rows[0].text) if rows else None

    def _must_have(self, sha256: str) -> Rulebook:
        rulebook = self._rulebook(sha256)
        if rulebook is None:
            raise NotFound(f"no rulebook {sha256}")
        return rulebook

    def _named(self, name: str, year: int) -> Rulebook:
        """A rulebook of a year by its id or hash; where several have the id, the hash must be given."""
        table = views.rulebooks.c
        rows = self.ledger.database.rows(
            select(table.sha256).where((table.rulebook_id == name) | (table.sha256 == name))
        )
        books = [book for row in rows if (book := self._must_have(row.sha256)).year == year]
        if len(books) != 1:
            raise NotFound(f"{len(books)} rulebooks {name} of {year}; name one by its id, or by its sha256")
        return books[0]
