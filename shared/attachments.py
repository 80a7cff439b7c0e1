"""Files that belong to what events say: kept once under the SHA-256 of their bytes, beside the ledger and not in it.

An event names a file by its hash, so a changed or lost file shows. What a file is follows from its content, never from
what its sender calls it.
"""

import base64
import binascii
import hashlib
import warnings
from collections.abc import Collection, Sequence
from io import BytesIO
from typing import Any

from PIL import Image, UnidentifiedImageError
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, select, text
from sqlalchemy.dialects import postgresql, sqlite

from shared.database import Database
from shared.digest import digested
from shared.errors import Invalid, NotFound

PICTURES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
PDF = "application/pdf"
MOST_PIXELS = 64_000_000
"""More than a phone's camera has; a small file that says it is larger wants to fill the memory."""


def attachment_table(metadata: MetaData) -> Table:
    """The table of a service that keeps files."""
    return Table(
        "attachment",
        metadata,
        Column("facility", String(80), primary_key=True),
        Column("sha256", String(64), primary_key=True),
        Column("media_type", String(40), nullable=False),
        Column("size", Integer, nullable=False),
        Column("content", LargeBinary, nullable=False),
        Column("digest", String(64), nullable=False, server_default=text("''")),
    )


class Attachments:
    """The files of one service."""

    def __init__(self, database: Database, table: Table) -> None:
        self._database = database
        self._table = table

    def keep(self, facility: str, content: bytes, media_type: str) -> dict[str, Any]:
        """Keep a file, once however often it comes; answers {sha256, media_type, size}."""
        row = {"sha256": hashlib.sha256(content).hexdigest(), "media_type": media_type, "size": len(content)}
        insert = sqlite.insert if self._database.sqlite else postgresql.insert
        with self._database.write() as connection:
            whole = digested({"facility": facility, "content": content, **row})
            statement = insert(self._table).values(whole)
            connection.execute(statement.on_conflict_do_nothing())
        return row

    def keep_all(self, facility: str, contents: Sequence[bytes], media_type: str) -> None:
        """Keep many files of one kind in one transaction."""
        rows = {hashlib.sha256(content).hexdigest(): content for content in contents}
        whole = [
            digested({"facility": facility, "sha256": name, "media_type": media_type, "size": len(one), "content": one})
            for name, one in rows.items()
        ]
        insert = sqlite.insert if self._database.sqlite else postgresql.insert
        if whole:
            with self._database.write() as connection:
                connection.execute(insert(self._table).on_conflict_do_nothing(), whole)

    def read(self, facility: str, sha256: str) -> dict[str, str]:
        """A file as a download: {media_type, body: base64}; raises NotFound."""
        table = self._table.c
        found = self._database.rows(select(self._table).where(table.facility == facility, table.sha256 == sha256))
        if not found:
            raise NotFound(f"no file {sha256} in {facility}")
        return {"media_type": found[0].media_type, "body": base64.b64encode(found[0].content).decode()}

    def content(self, facility: str, sha256: str) -> bytes | None:
        """The bytes of a file, None where it is not kept."""
        table = self._table.c
        wanted = select(table.content).where(table.facility == facility, table.sha256 == sha256)
        rows = self._database.rows(wanted)
        return bytes(rows[0].content) if rows else None

    def missing(self, facility: str, hashes: Collection[str]) -> set[str]:
        """Those of some hashes under which nothing is kept."""
        table = self._table.c
        there = select(table.sha256).where(table.facility == facility, table.sha256.in_(hashes))
        return set(hashes) - {row.sha256 for row in self._database.rows(there)} if hashes else set()


def content_of(body: str) -> bytes:
    """The bytes of a file that came as base64; raises Invalid."""
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as fault:
        raise Invalid({"file": [f"expected base64: {fault}"]}) from fault


def picture_type(content: bytes) -> str:
    """The media type of a JPEG, PNG or WebP picture that can be decoded whole; raises Invalid for anything else."""
    expected = "expected a picture: JPEG, PNG or WebP"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=list(PICTURES)) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise Invalid({"file": [f"expected a picture of at most {MOST_PIXELS} pixels"]})
                kind = PICTURES[str(picture.format)]
                picture.load()
    except UnidentifiedImageError as fault:
        raise Invalid({"file": [expected]}) from fault
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise Invalid({"file": [f"{expected}; this one cannot be read: {fault}"]}) from fault
    return kind


def document_type(content: bytes) -> str:
    """The media type of a PDF document or a picture; raises Invalid for anything else."""
    if content.startswith(b"%PDF-"):
        return PDF
    try:
        return picture_type(content)
    except Invalid as fault:
        raise Invalid(
            {"file": [why.replace("a picture:", "a PDF document or a picture:") for why in fault.errors["file"]]}
        ) from fault
