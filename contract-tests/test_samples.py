"""A sample of every event version that was ever published: it never changes, and is read as it always was.

A new version comes with three things, which `sampling.py` adds: its envelope from a ledger as `samples/<type>.json`, its
line in `samples.sha256`, and what it is read as in `read-as.yaml`; the tests say what is missing.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

import shared.contracts
from shared.event import Recorded, canonical, check, event_types, read
from shared.ledger import chained

HERE = Path(__file__).parent
SAMPLES = sorted((HERE / "samples").glob("*.json"))
MANIFEST = HERE / "samples.sha256"
READ_AS: dict[str, dict[str, str]] = yaml.safe_load((HERE / "read-as.yaml").read_text())

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)


def test_every_event_that_is_published_has_a_sample() -> None:
    assert shared.contracts.__all__

    missing = set(event_types()) - {sample.stem for sample in SAMPLES}

    assert not missing, f"no samples/<type>.json of {', '.join(sorted(missing))}"


def test_a_sample_once_published_never_changes() -> None:
    lines = [line.split("  ", 1) for line in MANIFEST.read_text().splitlines()]
    frozen = {name: sha256 for sha256, name in lines}

    found = {f"samples/{sample.name}": _sha256(sample) for sample in SAMPLES}

    changed = {name for name, sha256 in frozen.items() if found.get(name) != sha256}
    assert not changed, f"changed or gone: {', '.join(sorted(changed))}; publish a new version instead"
    added = [f"{sha256}  {name}" for name, sha256 in found.items() if name not in frozen]
    assert not added, "add to samples.sha256:\n" + "\n".join(added)


@each_sample
def test_a_sample_is_a_whole_envelope_under_its_own_name(sample: Path) -> None:
    envelope = orjson.loads(sample.read_bytes())

    assert envelope["type"] == sample.stem
    assert envelope["source"] == f"/{sample.stem.partition('.')[0]}"
    assert envelope["specversion"] == "1.0"
    assert envelope["datacontenttype"] == "application/json"
    assert min(envelope["position"], envelope["streamversion"]) >= 1


@each_sample
def test_the_hash_of_a_sample_follows_from_the_one_before(sample: Path) -> None:
    envelope = orjson.loads(sample.read_bytes())
    hash_ = envelope.pop("hash")

    assert chained(envelope["prevhash"], canonical(envelope)) == hash_


@each_sample
def test_a_sample_from_a_ledger_is_read_as_it_always_was(sample: Path) -> None:
    _assert_read_as_frozen(sample, read(sample.read_bytes()))


@each_sample
def test_a_sample_from_a_stranger_is_read_as_it_always_was(sample: Path) -> None:
    _assert_read_as_frozen(sample, check(orjson.loads(sample.read_bytes())))


@each_sample
def test_a_sample_with_fields_of_the_future_is_read_all_the_same(sample: Path) -> None:
    envelope = orjson.loads(sample.read_bytes())
    envelope["data"]["a_field_of_the_future"] = {"a": [1]}
    envelope["anattributeofthefuture"] = "x"

    _assert_read_as_frozen(sample, read(orjson.dumps(envelope)))
    _assert_read_as_frozen(sample, check(envelope))


def read_as(recorded: Recorded) -> dict[str, str]:
    """What an event was read as: each field's path → Python type and value."""
    return dict(_flat(recorded.event, ""))


def _assert_read_as_frozen(sample: Path, recorded: Recorded) -> None:
    found = read_as(recorded)
    if sample.stem not in READ_AS:
        pytest.fail("add to read-as.yaml:\n" + yaml.safe_dump({sample.stem: found}, allow_unicode=True), pytrace=False)
    # A field that was added since has its default here, which the frozen reading does not know.
    known = {path: value for path, value in found.items() if path in READ_AS[sample.stem]}
    assert known == READ_AS[sample.stem]


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Each field with the Python type that it is read as; what is absent is left out."""
    if is_dataclass(value):
        for member in fields(value):
            yield from _flat(getattr(value, member.name), f"{path}.{member.name}".lstrip("."))
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _flat(item, f"{path}[{number}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(item, f"{path}.{name}")
    elif value is not None:
        yield path, f"{type(value).__name__} {value}"


def _sha256(sample: Path) -> str:
    return hashlib.sha256(sample.read_bytes()).hexdigest()
