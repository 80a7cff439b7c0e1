"""A proof of one deduction without the rest of the ledgers (RFC 6962), so that other people's data need not travel.

It holds the seal, the rulebook, the result (which names no person) and the events that the deduction rests on, each with
the hashes that lead from it to the sealed tree hash of its ledger. What was not recorded cannot be shown this way: that no
other event spoke for the office is seen only in the whole bundle.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.scoring.publishing.bundle import Bundle
from services.scoring.publishing.seal import Seal, read_seal
from services.scoring.rulebooks.rulebook import Rulebook, read_rulebook
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Recorded, canonical, flat, read
from shared.ledger import chained, envelope, stripped
from shared.merkle import audit_path, leaf, root_by
from shared.schema import Id, schema_of
from shared.signing import PublicKey

FORMAT = "xunjian-proof/1"


@dataclass(frozen=True, kw_only=True)
class _Event:
    envelope: str
    path: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _File:
    """What the file must look like; `seal` and `result` are looked at by their own readers."""

    format: str
    rulebook: str
    indicator: Id
    deduction: int
    events: tuple[_Event, ...]


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A proof that could be read; `deduction` counts from 1, in the order of the result."""

    seal: Seal
    rulebook_text: bytes
    rulebook: Rulebook
    result: Mapping[str, Any]
    indicator: str
    deduction: int
    events: Sequence[tuple[bytes, Recorded, Sequence[str]]]
    """Body, event and path of each."""

    @property
    def proven(self) -> Mapping[str, Any] | None:
        """The deduction as the result has it; None where it has none such."""
        return deduction_of(self.result, self.indicator, self.deduction)


def deduction_of(result: Mapping[str, Any], indicator: str, number: int) -> Mapping[str, Any] | None:
    """A deduction of a result by its indicator and its number there, from 1."""
    rows: list[Any] = [row for row in result.get("indicators", ()) if row.get("id") == indicator]
    deductions: list[Any] = rows[0].get("deductions", []) if rows else []
    return deductions[number - 1] if 1 <= number <= len(deductions) else None


def write_proof(bundle: Bundle, indicator: str, number: int) -> bytes:
    """The proof of one deduction of a bundle; raises NotFound where there is none such, Rejected without tree hashes."""
    opened = bundle.opened()
    deduction = deduction_of(opened.result, indicator, number)
    if deduction is None:
        raise NotFound(f"no deduction {number} of {indicator} in the result; count them from 1")
    if any(head.root is None for head in opened.seal.statement.heads.values()):
        raise Rejected("the result was sealed without tree hashes")
    proof = {
        "format": FORMAT,
        "seal": orjson.loads(bundle.seal),
        "rulebook": bundle.rulebook.decode(),
        "result": opened.result,
        "indicator": indicator,
        "deduction": number,
        "events": list(_paths(bundle, opened.history, set(deduction["evidence"]))),
    }
    return canonical(proof)


def _paths(bundle: Bundle, history: Sequence[Recorded], ids: set[str]) -> Iterator[dict[str, Any]]:
    leaves = {
        source: [leaf(stripped(envelope_)[0]) for envelope_ in envelopes]
        for source, envelopes in bundle.events.items()
        if any(one.id in ids for one in history if one.source == f"/{source}")
    }
    for one in sorted((one for one in history if one.id in ids), key=lambda one: one.id):
        source = one.source.lstrip("/")
        whole = bundle.events[source][one.position - 1]
        yield {"envelope": whole.decode(), "path": audit_path(leaves[source], one.position - 1)}


def read_proof(content: bytes) -> Proof:
    """Read a proof's file; raises Invalid where it is none, naming each fault by its path."""
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError as fault:
        raise Invalid(f"expected a proof, a JSON object: {fault.msg}") from fault
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise Invalid(f"expected a proof, a JSON object of format {FORMAT}")
    seal, result = said.pop("seal", None), said.pop("result", None)
    if not isinstance(seal, dict) or not isinstance(result, dict):
        raise Invalid("expected a proof with the objects seal and result")
    if faults := flat(schema_of(_File, strict=True).validate(said)):
        raise Invalid(faults)
    text = said["rulebook"].encode()
    return Proof(
        seal=read_seal(orjson.dumps(seal)),
        rulebook_text=text,
        rulebook=read_rulebook(text),
        result=result,
        indicator=said["indicator"],
        deduction=said["deduction"],
        events=[_event(number, one) for number, one in enumerate(said["events"])],
    )


def _event(number: int, said: Mapping[str, Any]) -> tuple[bytes, Recorded, Sequence[str]]:
    try:
        body, hash_ = stripped(said["envelope"].encode())
        recorded = read(body, hash_)
        for step in said["path"]:
            if len(bytes.fromhex(step.removeprefix("sha256:"))) != 32:
                raise Invalid({"path": ["expected SHA-256 hashes"]})
    except (Invalid, ValueError) as fault:
        raise Invalid(f"events[{number}]: {fault}") from fault
    return body, recorded, said["path"]


def check_proof(content: bytes, proof: Proof, keys: Sequence[PublicKey]) -> Iterator[str]:
    """Every way in which a proof does not hold; raises Invalid where its seal is by none of the keys."""
    statement = proof.seal.statement
    if not proof.seal.holds(keys):
        yield "seal: the signature does not hold"
    if (found := hashlib.sha256(proof.rulebook_text).hexdigest()) != statement.rulebook_sha256:
        yield f"rulebook: its sha256 is {found}, sealed is {statement.rulebook_sha256}"
    if (found := _result_sha256(proof.result)) != statement.result_sha256:
        yield f"result: its sha256 is {found}, sealed is {statement.result_sha256}"
        return  # what nobody published may be anything
    if proof.proven is None:
        yield f"result: it has no deduction {proof.deduction} of {proof.indicator}"
        return
    if (told := [recorded.id for _, recorded, _ in proof.events]) != list(proof.proven["evidence"]):
        yield f"events: expected {', '.join(proof.proven['evidence']) or 'none'}, found {', '.join(told) or 'none'}"
    for number, (body, recorded, path) in enumerate(proof.events):
        head = statement.heads.get(recorded.source.lstrip("/"))
        root = head and root_by(body, recorded.position - 1, head.position, path)
        if recorded.hash != chained(recorded.prevhash, body):
            yield f"events[{number}]: {recorded.id} does not have the hash that its content gives"
        if head is None or head.root is None or root != head.root or recorded.facility != statement.facility:
            yield f"events[{number}]: {recorded.id} is not in the sealed ledger of {recorded.source.lstrip('/')}"
    if content != _again(proof):
        yield "the file is not in canonical form (RFC 8785)"


def _result_sha256(result: Mapping[str, Any]) -> str:
    try:
        return hashlib.sha256(canonical(dict(result))).hexdigest()
    except (RecursionError, TypeError):
        return "of no canonical JSON"


def _again(proof: Proof) -> bytes:
    """The bytes that the proof's parts make."""
    parts = {
        "format": FORMAT,
        "seal": orjson.loads(proof.seal.as_bytes()),
        "rulebook": proof.rulebook_text.decode(),
        "result": dict(proof.result),
        "indicator": proof.indicator,
        "deduction": proof.deduction,
        "events": [
            {"envelope": envelope(body, recorded.hash).decode(), "path": list(path)}
            for body, recorded, path in proof.events
        ],
    }
    return canonical(parts)
