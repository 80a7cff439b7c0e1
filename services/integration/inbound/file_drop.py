"""A file in place of a connection: each of its rows is received as an event of its source would be."""

from typing import Any

from sqlalchemy import select

from services.integration.inbound import answers as forms
from services.integration.inbound import commands, receiving
from services.integration.inbound.rows import events_of
from services.integration.inbound.tables import sources
from shared.attachments import content_of
from shared.errors import Invalid, NotFound
from shared.event import flat
from shared.rights import RIGHTS, must_have_one
from shared.schema import schema_of
from shared.service import answers, query

LARGEST_FILE = 20 * 2**20
"""In bytes."""


class FileDrop(receiving.Receiving):
    """The part of the service that takes files."""

    @answers(forms.FileReceipt)
    @query
    def receive_file(self, facility: str, data: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
        """Receive each row of a sheet as an event of a source; the same row again is a duplicate.

        Answers what became of each row. Raises NotFound for a source that is not mapped, Invalid for a file that cannot be
        read.
        """
        must_have_one(context.get("roles", ()), RIGHTS["integration.receive_file"])
        if faults := flat(schema_of(commands.ReceiveFile, strict=True).validate(data)):
            raise Invalid(faults)
        content = content_of(data["file"])
        if len(content) > LARGEST_FILE:
            raise Invalid({"file": [f"expected at most {LARGEST_FILE} bytes, not {len(content)}"]})
        found = self.ledger.database.rows(select(sources).filter_by(facility=facility, source_id=data["source_id"]))
        if not found:
            raise NotFound(f"no source {data['source_id']} in {facility}")
        mapping = self.mapping(facility, found[0].source_id, found[0].mapping_sha256)
        rows = events_of(content, data["media_type"], mapping, facility)
        placed = [receiving.Placed(item=item) if item.faults else self.place(facility, item) for _, item in rows]
        told = self.receive(placed, context)
        return {"items": [{"line": line, **one} for (line, _), one in zip(rows, told, strict=True)]}
