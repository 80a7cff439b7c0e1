"""Whether a bundle or a proof holds, with nothing at hand but itself and a public key."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jinja2 import UndefinedError

import shared.contracts  # noqa: F401  # makes every event type known
from services.audit.chain import Chain
from services.audit.first_difference import first_difference
from services.scoring.aggregate import SIGNATURES, Assessment
from services.scoring.evaluation import evaluate, result_bytes
from services.scoring.facts import Facts
from services.scoring.publishing.bundle import INDEX, RESULT, RULEBOOK, SEAL, Bundle, Opened, write_bundle
from shared.contracts.scoring import Head
from shared.errors import Invalid
from shared.ledger import stripped
from shared.merkle import Tree
from shared.signing import PublicKey

_STRANGE = (ArithmeticError, AttributeError, Invalid, LookupError, RecursionError, TypeError, ValueError)
"""What content that no service accepted may raise where it is worked with."""


def check_bundle(content: bytes, bundle: Bundle, opened: Opened, keys: Sequence[PublicKey] | None) -> Iterator[str]:
    """Every difference of a bundle from what its seal says, from the seal to the last byte.

    `content` is the zip that `bundle` was read from; without keys (None) the signature is not looked at. Raises Invalid
    where the seal is by none of the keys.
    """
    if keys is not None and not opened.seal.holds(keys):
        yield f"{SEAL}: the signature does not hold"
    statement = opened.seal.statement
    yield from _hash_faults(RULEBOOK, bundle.rulebook, statement.rulebook_sha256)
    yield from _hash_faults(RESULT, bundle.result, statement.result_sha256)
    if statement.heads.keys() != bundle.events.keys():
        yield f"events of {_names(bundle.events)} are there, expected of {_names(statement.heads)}"
    for source in statement.heads.keys() & bundle.events.keys():
        yield from _ledger_faults(source, bundle.events[source], statement.heads[source], statement.facility)
    yield from _signature_faults(opened)
    yield from _result_faults(bundle, opened)
    for sha256, photo in bundle.photos.items():
        yield from _hash_faults(f"photos/{sha256}", photo, sha256)
    yield from _byte_faults(content, bundle)


def _hash_faults(file: str, content: bytes, expected: str) -> Iterator[str]:
    if (found := hashlib.sha256(content).hexdigest()) != expected:
        yield f"{file}: its sha256 is {found}, expected {expected}"


def _ledger_faults(source: str, envelopes: Sequence[bytes], head: Head, facility: str) -> Iterator[str]:
    """Follow a ledger from its first event to the head that was sealed."""
    place, chain, tree = f"events/{source}.jsonl", Chain(), Tree()
    for number, envelope in enumerate(envelopes, start=1):
        body, hash_ = stripped(envelope)
        for position, what in chain.follow(number, body, hash_):
            yield f"{place}:{position}: {what}"
        if (chain.members.get("position"), chain.members.get("source")) != (number, f"/{source}"):
            yield f"{place}:{number}: is not event {number} of {source}"
        if chain.members.get("facility") != facility:
            yield f"{place}:{number}: is of facility {chain.members.get('facility')}, expected {facility}"
        tree.append(body)
    if (len(envelopes), chain.hash) != (head.position, head.hash):
        yield f"{place}: ends at position {len(envelopes)} {chain.hash}, sealed is {head.position} {head.hash}"
    if head.root is not None and tree.root != head.root:
        yield f"{place}: its tree hash is {tree.root}, sealed is {head.root}"


def _signature_faults(opened: Opened) -> Iterator[str]:
    """Whether as many people signed this very result as have to."""
    statement = opened.seal.statement
    stream = f"assessment/{statement.assessment_id}"
    life = [one for one in opened.history if one.source == "/scoring" and one.subject == stream]
    assessment = Assessment.replay(statement.assessment_id, (recorded.event for recorded in life))
    signed = {one.signed_by for one in assessment.signatures if one.result_sha256 == statement.result_sha256}
    if len(signed) < SIGNATURES:
        yield f"the result was signed by {len(signed)}, expected {SIGNATURES} different people"


def _result_faults(bundle: Bundle, opened: Opened) -> Iterator[str]:
    """Score again, and compare byte for byte."""
    statement = opened.seal.statement
    try:
        facts = Facts(statement.facility).extend(opened.history)
        result = evaluate(facts, opened.rulebook, statement.as_of, statement.known_at)
    except _STRANGE as fault:
        yield f"the events cannot be scored: {fault}"
        return
    if (found := result_bytes(result)) != bundle.result:
        yield f"{RESULT}: scored again, {first_difference(bundle.result, found)}"
    if result.total != statement.total:
        yield f"{SEAL}: total is {statement.total}, scored again it is {result.total}"


def _byte_faults(content: bytes, bundle: Bundle) -> Iterator[str]:
    """Whether the zip is just what its parts make: then nothing in it, not even its padding, was changed."""
    try:
        expected = write_bundle(bundle)
    except (*_STRANGE, UndefinedError) as fault:  # a result that is none, say
        yield f"{INDEX}: cannot be made of the other files: {fault!r}"
        return
    if expected != content:
        places = (number for number, (one, other) in enumerate(zip(expected, content, strict=False)) if one != other)
        at = next(places, min(len(expected), len(content)))
        yield f"the zip is not what its files make: byte {at} differs ({INDEX}, a file's name, date or place)"


def _names(sources: Mapping[str, Any]) -> str:
    return ", ".join(sorted(sources)) or "nobody"
