"""The evidence bundle of a published result: one zip that can be checked with nothing but itself and a public key.

It is a function of what is in it: the files stand in the order of their names, stored and not compressed, dated 1980; so
whoever has the parts can make the very same bytes again, and a change of any byte shows.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import orjson

from services.scoring.publishing.bundle_index import index, photos_named
from services.scoring.publishing.seal import Seal, read_seal
from services.scoring.rulebooks.rulebook import Rulebook, read_rulebook
from shared.errors import Invalid
from shared.event import Recorded, read
from shared.ledger import stripped

SEAL, RULEBOOK, RESULT, INDEX = "seal.json", "rulebook.yaml", "result.json", "index.html"
_EVENTS = re.compile(r"events/([a-z_]{1,40})\.jsonl")
_PHOTO = re.compile(r"photos/([0-9a-f]{64})")
LARGEST = 2**30
"""In bytes; a year of a large hall has some ten million."""


class Changed(Invalid):
    """A file in a bundle is not the one that was put into it."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The parts, as bytes: `events` are whole envelopes by source and position, `photos` files by their SHA-256."""

    seal: bytes
    rulebook: bytes
    result: bytes
    events: Mapping[str, Sequence[bytes]]
    photos: Mapping[str, bytes] = field(default_factory=dict)

    def opened(self) -> "Opened":
        """The parts as what they mean; raises Invalid, naming the file, where one cannot be read."""
        with _within(SEAL):
            seal = read_seal(self.seal)
        with _within(RULEBOOK):
            rulebook = read_rulebook(self.rulebook)
        with _within(RESULT):
            result = _object(self.result)
        return Opened(seal=seal, rulebook=rulebook, result=result, history=tuple(self._history()))

    def _history(self) -> Iterator[Recorded]:
        for source, envelopes in self.events.items():
            for number, envelope in enumerate(envelopes, start=1):
                with _within(f"events/{source}.jsonl:{number}"):
                    yield read(*stripped(envelope))


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A bundle that could be read; whether it holds is another question."""

    seal: Seal
    rulebook: Rulebook
    result: Mapping[str, Any]
    history: Sequence[Recorded]

    def photos(self) -> list[str]:
        """The SHA-256 of every photo that the results behind its deductions name, each once."""
        events = {recorded.id: recorded for recorded in self.history}
        deductions = (deduction for row in self.result["indicators"] for deduction in row["deductions"])
        return list(dict.fromkeys(photo for deduction in deductions for photo in photos_named(deduction, events)))


def write_bundle(bundle: Bundle) -> bytes:
    """The zip; raises Invalid as `opened` does."""
    opened = bundle.opened()
    files = {
        SEAL: bundle.seal,
        RULEBOOK: bundle.rulebook,
        RESULT: bundle.result,
        INDEX: index(opened.seal, opened.rulebook, opened.result, opened.history, sorted(bundle.photos)),
        **{
            f"events/{source}.jsonl": b"".join(line + b"\n" for line in lines)
            for source, lines in bundle.events.items()
        },
        **{f"photos/{sha256}": content for sha256, content in bundle.photos.items()},
    }
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, files[name])
    return written.getvalue()


def read_bundle(content: bytes) -> Bundle:
    """Take a zip apart; raises Invalid where it is no bundle: a file more or less, compressed, or of another name.

    Raises Changed where a file in it is not what its checksum says.
    Nothing is unpacked to disk, and nothing is larger than the zip itself.
    """
    if len(content) > LARGEST:
        raise Invalid(f"expected a bundle of at most {LARGEST} bytes")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            files = dict(_files(archive))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, UnicodeDecodeError, ValueError, RuntimeError) as fault:
        raise Invalid(f"expected a zip: {fault}") from fault
    for name in (SEAL, RULEBOOK, RESULT, INDEX):
        if name not in files:
            raise Invalid(f"expected the file {name} in it")
    return Bundle(
        seal=files[SEAL],
        rulebook=files[RULEBOOK],
        result=files[RESULT],
        events={found[1]: _lines(files[name], name) for name in files if (found := _EVENTS.fullmatch(name))},
        photos={found[1]: files[name] for name in files if (found := _PHOTO.fullmatch(name))},
    )


def _files(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    seen: set[str] = set()
    for entry in archive.infolist():
        name = entry.filename
        known = name in (SEAL, RULEBOOK, RESULT, INDEX) or _EVENTS.fullmatch(name) or _PHOTO.fullmatch(name)
        if not known:
            raise Invalid(f"expected no file {name!r} in it")
        if name in seen:
            raise Invalid(f"expected the file {name} once")
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise Invalid(f"expected the file {name} stored as it is, not compressed from {entry.file_size} bytes")
        seen.add(name)
        yield name, _read(archive, entry)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(entry)
    except zipfile.BadZipFile as fault:
        if "CRC" in str(fault):
            raise Changed(f"{entry.filename}: is not the file that was put in: its checksum is another") from fault
        raise


def _lines(content: bytes, name: str) -> list[bytes]:
    if content and not content.endswith(b"\n"):
        raise Invalid(f"{name}: expected a line break at its end")
    return content.split(b"\n")[:-1]


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as fault:
        raise Invalid(f"expected JSON: {fault.msg}") from fault
    if not isinstance(value, dict):
        raise Invalid("expected a JSON object")
    return value


@contextmanager
def _within(file: str) -> Iterator[None]:
    """Say of which file a fault is."""
    try:
        yield
    except Invalid as fault:
        raise Invalid(f"{file}: {fault}") from fault
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as fault:
        raise Invalid(f"{file}: cannot be read: {fault!r}") from fault
