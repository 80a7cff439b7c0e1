"""Files are kept once under their hash, and are what their bytes are."""

import base64
import hashlib
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import MetaData

from shared.attachments import Attachments, attachment_table, content_of, document_type, picture_type
from shared.database import Database
from shared.errors import Invalid, NotFound

metadata = MetaData()
TABLE = attachment_table(metadata)
PDF = b"%PDF-1.7\n..."


@pytest.fixture
def files(database_url: str) -> Iterator[Attachments]:
    database = Database(database_url)
    metadata.create_all(database.engine)
    yield Attachments(database, TABLE)
    database.close()


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 8)) -> bytes:
    drawn = BytesIO()
    Image.new("RGB", size, "red").save(drawn, kind)
    return drawn.getvalue()


def test_a_file_is_found_under_the_hash_of_its_bytes_in_its_facility_only(files: Attachments) -> None:
    kept = files.keep("hall", PDF, "application/pdf")

    assert kept == {"sha256": hashlib.sha256(PDF).hexdigest(), "media_type": "application/pdf", "size": len(PDF)}
    read = files.read("hall", kept["sha256"])
    assert (read["media_type"], base64.b64decode(read["body"])) == ("application/pdf", PDF)
    with pytest.raises(NotFound):
        files.read("other-hall", kept["sha256"])


def test_a_file_that_comes_again_is_kept_once(files: Attachments) -> None:
    assert files.keep("hall", PDF, "application/pdf") == files.keep("hall", PDF, "application/pdf")


def test_what_is_not_kept_is_missing(files: Attachments) -> None:
    kept = files.keep("hall", PDF, "application/pdf")["sha256"]

    assert files.missing("hall", {kept, 64 * "0"}) == {64 * "0"}
    assert files.missing("other-hall", [kept]) == {kept}
    assert files.missing("hall", []) == set()


@pytest.mark.parametrize(("kind", "type_"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
def test_a_picture_is_known_by_its_bytes(kind: str, type_: str) -> None:
    assert picture_type(picture(kind)) == type_
    assert document_type(picture(kind)) == type_


@pytest.mark.parametrize(
    "content",
    [b"", b"<script>alert(1)</script>", b"GIF89a", PDF, picture("BMP"), picture("GIF"), picture()[:40], picture("JPEG")[:-200]],
    ids=["empty", "script", "gif header", "pdf", "bmp", "gif", "cut png", "cut jpeg"],
)  # fmt: skip
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="file: expected a picture: JPEG, PNG or WebP"):
        picture_type(content)


def test_a_picture_that_would_fill_the_memory_is_refused() -> None:
    bomb = bytearray(picture())
    bomb[16:24] = (60_000).to_bytes(4, "big") + (60_000).to_bytes(4, "big")

    with pytest.raises(Invalid, match="file: expected a picture"):
        picture_type(bytes(bomb))


def test_a_document_is_a_pdf_or_a_picture() -> None:
    assert document_type(PDF) == "application/pdf"
    with pytest.raises(Invalid, match="file: expected a PDF document or a picture"):
        document_type(b"PK\3\4")


def test_what_is_no_base64_is_refused() -> None:
    with pytest.raises(Invalid, match="file: expected base64"):
        content_of("not base64!")
