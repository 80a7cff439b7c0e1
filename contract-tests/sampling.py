"""Adds a sample of each event version that has none yet: its envelope from a ledger, its hash, and what it is read as.

    contract-tests/sampling.py    write samples/<type>.json, and their lines in samples.sha256 and read-as.yaml

What is there never changes; look at what was added before it is committed, for from then on it stays.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import yaml
from publishers import Told, published
from test_samples import HERE, MANIFEST, read_as

from shared.event import read
from shared.ledger import Draft, Entry
from shared.tests.given import ledger_at

SAMPLES, READ_AS = HERE / "samples", HERE / "read-as.yaml"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Then:
    """A clock that stands at the event's own time."""

    simulated = False

    def __init__(self) -> None:
        self.moment = EPOCH

    def now(self) -> datetime:
        """That time."""
        return self.moment

    def advance(self, moment: datetime) -> None:
        """Stand at another time."""
        self.moment = moment


def main() -> int:
    """Add what is missing; prints each type that is new."""
    heading, _, body = READ_AS.read_text().partition("\n")
    entries = yaml.safe_load(body)
    hashes = {name: hash_ for hash_, _, name in (line.partition("  ") for line in MANIFEST.read_text().splitlines())}
    with TemporaryDirectory() as folder:
        for type_, text in sorted(missing(Path(folder))):
            content = _readable(orjson.loads(text))
            (SAMPLES / f"{type_}.json").write_bytes(content)
            hashes[f"samples/{type_}.json"] = hashlib.sha256(content).hexdigest()
            entries[type_] = read_as(read(content))
            print(type_)
    MANIFEST.write_text("".join(f"{hash_}  {name}\n" for name, hash_ in sorted(hashes.items())))
    READ_AS.write_text(f"{heading}\n{yaml.safe_dump(entries, allow_unicode=True, width=1000)}")
    return 0


def _readable(envelope: dict[str, Any]) -> bytes:
    """An envelope as it is kept: indented, its members sorted, its hash the last."""
    hash_ = envelope.pop("hash")
    return (json.dumps({**dict(sorted(envelope.items())), "hash": hash_}, ensure_ascii=False, indent=2) + "\n").encode()


def missing(folder: Path) -> Iterator[tuple[str, str]]:
    """The first envelope of each event type without a sample, from a ledger of its service with all that goes before."""
    known = {file.stem for file in SAMPLES.glob("*.json")}
    story = list(published())
    for service in sorted({event.type.partition(".")[0] for _, event, _ in story}):
        for text in _recorded(folder, service, [told for told in story if told[1].type.startswith(f"{service}.")]):
            type_ = orjson.loads(text)["type"]
            if type_ not in known:
                known.add(type_)
                yield type_, text


def _recorded(folder: Path, service: str, story: list[Told]) -> list[str]:
    clock, versions = _Then(), dict[str, int]()
    with ledger_at(f"sqlite:///{folder / service}.db", service, clock) as ledger:
        for recorder, event, at in story:
            clock.advance(at)
            versions[recorder.stream] = versions.get(recorder.stream, 0) + 1
            draft = Draft(stream=recorder.stream, version=versions[recorder.stream], event=event, time=at)
            ledger.append(
                Entry(
                    facility="chenggong",
                    drafts=[draft],
                    actor="user:li",
                    correlation_id="request-1",
                    causation_id="c-1",
                )
            )
        return ledger.raw("chenggong")


if __name__ == "__main__":
    sys.exit(main())
