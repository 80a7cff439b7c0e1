"""A proof of one deduction holds without the rest of the ledgers, and for nothing else than it says."""

import functools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.proof import check_proof, read_proof, write_proof
from services.audit.tests.installation import HALL
from services.audit.tests.originals import PUBLISHED, Originals
from services.scoring.publishing.bundle import Bundle
from services.scoring.publishing.evidence import gather
from services.scoring.publishing.evidence import published as publication
from services.scoring.tests.sealing import KEY
from shared.errors import Invalid, NotFound
from shared.event import canonical
from shared.signing import new_key


@dataclass(frozen=True)
class Made:
    """The evidence of a small hall's year, and the proof of its first deduction for hvac: the visit of December."""

    bundle: Bundle = field(repr=False)
    content: bytes = field(repr=False)


@pytest.fixture(scope="module")
def made(originals: Originals, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """A hall whose year was published."""
    folder = tmp_path_factory.mktemp("proof")
    with originals.copy(PUBLISHED, "sqlite", folder) as hall:
        bundle = gather(hall.databases["scoring"], publication(hall.databases["scoring"], HALL, 2021))
        yield Made(bundle, write_proof(bundle, "hvac", 1))


def faults(content: bytes) -> list[str]:
    """What is wrong with a proof; what cannot even be read counts as one fault."""
    try:
        return list(check_proof(content, read_proof(content), [KEY.public]))
    except Invalid as refused:
        return [str(refused)]


def changed(made: Made, **members: Any) -> bytes:
    """The proof with other members."""
    return canonical({**orjson.loads(made.content), **members})


def test_the_proof_of_every_deduction_holds_with_its_evidence_alone(made: Made) -> None:
    result = orjson.loads(made.bundle.result)
    number = 0
    for row in result["indicators"]:
        for number_, deduction in enumerate(row["deductions"], start=1):
            content = write_proof(made.bundle, row["id"], number_)
            proof = read_proof(content)

            assert faults(content) == []
            assert proof.proven == deduction
            assert [recorded.id for _, recorded, _ in proof.events] == deduction["evidence"]
            number += 1
    assert number >= 10


def test_a_proof_holds_no_event_that_the_deduction_does_not_rest_on(made: Made) -> None:
    proof = read_proof(made.content)
    told = {recorded.type for _, recorded, _ in proof.events}

    assert "work_orders.work_accepted.v1" not in told
    assert b"satisfaction_reported" not in made.content


def test_with_any_byte_changed_it_does_not_hold(made: Made) -> None:
    draw = random.Random(5)

    for at in draw.sample(range(len(made.content)), 400):
        content = bytearray(made.content)
        content[at] ^= 1 << draw.randrange(8)
        assert faults(bytes(content)), f"byte {at}"


def test_a_proof_for_another_deduction_or_with_other_events_does_not_hold(made: Made) -> None:
    events = orjson.loads(made.content)["events"]
    others = orjson.loads(write_proof(made.bundle, "lighting", 1))["events"]

    assert "expected" in " ".join(faults(changed(made, indicator="lighting")))
    assert faults(changed(made, deduction=99)) == ["result: it has no deduction 99 of hvac"]
    assert "events: expected" in " ".join(faults(changed(made, events=events[:-1])))
    assert "events: expected" in " ".join(faults(changed(made, events=others)))


def test_an_event_that_is_not_in_the_sealed_ledger_is_named(made: Made) -> None:
    proof = orjson.loads(made.content)
    first, *rest = proof["events"]
    *others, last = proof["events"]
    told_later = {**first, "envelope": first["envelope"].replace('"actor":"user:li"', '"actor":"user:wu"')}
    misplaced = {**last, "path": last["path"][::-1]}

    assert any("is not in the sealed ledger" in fault for fault in faults(changed(made, events=[told_later, *rest])))
    assert any("is not in the sealed ledger" in fault for fault in faults(changed(made, events=[*others, misplaced])))


def test_a_proof_by_an_unknown_key_is_refused(made: Made) -> None:
    with pytest.raises(Invalid, match="expected one of the keys given"):
        list(check_proof(made.content, read_proof(made.content), [new_key().public]))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "expected a proof, a JSON object"),
        (b"[]", "expected a proof, a JSON object of format xunjian-proof/1"),
        (b'{"format":"xunjian-proof/1"}', "expected a proof with the objects seal and result"),
        (b'{"format":"xunjian-proof/1","seal":{},"result":{},"indicator":"x","deduction":"1","events":[],"rulebook":""}',
         "deduction: expected an integer"),
    ],
)  # fmt: skip
def test_what_is_no_proof_is_refused_with_the_reason(content: bytes, why: str) -> None:
    assert why in " ".join(faults(content))


def test_events_that_cannot_be_read_are_refused(made: Made) -> None:
    events = json.loads(made.content)["events"]

    for wrong in ({"envelope": "{}", "path": []}, {**events[0], "path": ["sha256:00"]}, {**events[0], "path": ["x"]}):
        assert faults(changed(made, events=[wrong]))[0].startswith("events[0]: ")


def test_what_was_not_deducted_cannot_be_proven(made: Made) -> None:
    for indicator, number in (("hvac", 99), ("satisfaction", 1), ("none", 1)):
        with pytest.raises(NotFound, match=f"no deduction {number} of {indicator}"):
            write_proof(made.bundle, indicator, number)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=3,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every member and item in a JSON value, the outer ones first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in inner:
        yield (*path, name)
        yield from places(member, (*path, name))


@settings(max_examples=150, deadline=None)
@given(number=st.integers(0, 10_000), value=json_values)
def test_a_proof_with_anything_in_any_place_is_refused_or_does_not_hold(made: Made, number: int, value: Any) -> None:
    said = orjson.loads(made.content)
    paths = list(places(said))
    *outer, last = paths[number % len(paths)]
    place = functools.reduce(lambda found, name: found[name], outer, said)
    before, place[last] = place[last], value

    found = faults(orjson.dumps(said, option=orjson.OPT_SORT_KEYS))

    assert found or value == before
