"""The seal of a published result: a signature over what was published and over the heads and tree hashes of all ledgers.

Kept outside the platform (a small file, a QR code on paper), it is what a changed or shortened ledger is held against.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal

import msgspec
import orjson
from marshmallow import Schema

from shared.contracts.scoring import AssessmentPublished, Head, Signature
from shared.errors import Invalid
from shared.event import Moment, Recorded, canonical, flat, timestamp
from shared.schema import Id, Money, Sha256, schema_of
from shared.signing import PrivateKey, PublicKey, key_id

FORMAT: Final = "xunjian-seal/1"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What a seal says: which result was published of what, and how far every ledger had come then."""

    format: Literal["xunjian-seal/1"]
    facility: Id
    assessment_id: Id
    as_of: date
    known_at: Moment
    rulebook_sha256: Sha256
    result_sha256: Sha256
    heads: dict[str, Head]
    published_by: str
    sealed_at: Moment
    simulated: bool
    total: Money | None = None

    def as_json(self) -> dict[str, Any]:
        """Its members as JSON values, timestamps in UTC."""
        said: dict[str, Any] = orjson.loads(msgspec.json.encode(self))
        said |= {"known_at": timestamp(self.known_at), "sealed_at": timestamp(self.sealed_at)}
        said["heads"] = {
            source: {name: value for name, value in head.items() if value is not None}
            for source, head in said["heads"].items()
        }
        return said


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A statement with the signature over its canonical JSON (RFC 8785)."""

    statement: Statement
    signature: Signature

    def as_bytes(self) -> bytes:
        """The seal's file: canonical JSON of statement, algorithm, key_id and signature."""
        return canonical({"statement": self.statement.as_json(), **_signature(self.signature)})

    def holds(self, keys: Iterable[PublicKey]) -> bool:
        """Whether the statement is signed by the one of these keys that it names; raises Invalid if it is none of them."""
        by = self.signature
        key = next((key for key in keys if key_id(key) == by.key_id), None)
        if key is None:
            raise Invalid(f"sealed by key {by.key_id}, expected one of the keys given")
        if key.algorithm != by.algorithm:
            return False
        return key.verifies(base64.b64decode(by.signature), canonical(self.statement.as_json()))


def sealed(
    publication: AssessmentPublished, facility: str, at: datetime, key: PrivateKey, *, simulated: bool
) -> AssessmentPublished:
    """A publication with its seal."""
    statement = _statement(publication, facility, at, simulated=simulated)
    signature = base64.b64encode(key.sign(canonical(statement.as_json()))).decode()
    by = Signature(algorithm=key.public.algorithm, key_id=key_id(key.public), signature=signature)
    return replace(publication, seal=by)


def seal_of(recorded: Recorded) -> Seal | None:
    """The seal of a recorded publication; None where it was published without one."""
    publication = recorded.event
    if not isinstance(publication, AssessmentPublished) or publication.seal is None:
        return None
    statement = _statement(publication, recorded.facility, recorded.time, simulated=recorded.simulated)
    return Seal(statement=statement, signature=publication.seal)


def read_seal(content: bytes) -> Seal:
    """Read a seal's file; raises Invalid where it is none, naming each fault by its path."""
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError as fault:
        raise Invalid(f"expected a seal, a JSON object: {fault.msg}") from fault
    if not isinstance(said, dict) or set(said) != _MEMBERS:
        raise Invalid(f"expected a seal, a JSON object with just {', '.join(sorted(_MEMBERS))}")
    statement, signature = said.pop("statement"), said
    faults = {**flat(_faults(_STATEMENT, statement), "statement"), **flat(_faults(_SIGNATURE, signature))}
    if faults:
        raise Invalid(faults)
    try:
        base64.b64decode(signature["signature"], validate=True)
    except (binascii.Error, ValueError) as fault:
        raise Invalid({"signature": [f"expected base64: {fault}"]}) from fault
    return Seal(statement=msgspec.convert(statement, Statement), signature=msgspec.convert(signature, Signature))


_STATEMENT, _SIGNATURE = schema_of(Statement, strict=True), schema_of(Signature, strict=True)
_MEMBERS = {"statement", *_SIGNATURE.fields}


def _faults(schema: Schema, value: Any) -> Mapping[Any, Any]:
    return schema.validate(value) if isinstance(value, dict) else {"_schema": ["expected an object"]}


def _signature(signature: Signature) -> dict[str, str]:
    return {name: getattr(signature, name) for name in _SIGNATURE.fields}


def _statement(publication: AssessmentPublished, facility: str, at: datetime, *, simulated: bool) -> Statement:
    return Statement(
        format=FORMAT,
        facility=facility,
        assessment_id=publication.assessment_id,
        as_of=publication.as_of,
        known_at=publication.known_at,
        rulebook_sha256=publication.rulebook_sha256,
        result_sha256=publication.result_sha256,
        heads=publication.heads,
        published_by=publication.published_by,
        sealed_at=at,
        simulated=simulated,
        total=publication.total,
    )
