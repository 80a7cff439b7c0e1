"""Signatures: Ed25519 (RFC 8032), or SM2 with SM3 (GM/T 0003, GM/T 0009) where a platform asks for the national algorithms.

Keys are PEM files (PKCS #8 private, SubjectPublicKeyInfo public) as OpenSSL makes and reads them. A key is named by the
SHA-256 of its public half in DER.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Literal, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from gmalg import SM2

from shared.errors import Invalid

Algorithm = Literal["Ed25519", "SM2"]

# OpenSSL's forms of an SM2 key: all but the key itself is always the same, and `cryptography` reads neither.
_SM2_PUBLIC = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_SM2_PRIVATE = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
_SM2_PUBLIC_WITHIN = bytes.fromhex("a144034200")
SM2_USER = b"1234567812345678"
"""The signer's id that GM/T 0009 prescribes where none was agreed."""


class PublicKey(Protocol):
    """The half that checks."""

    @property
    def algorithm(self) -> Algorithm:
        """Which algorithm the key is for."""

    @property
    def der(self) -> bytes:
        """The key as SubjectPublicKeyInfo."""

    def verifies(self, signature: bytes, content: bytes) -> bool:
        """Whether a signature is the key's own, over just this content."""


class PrivateKey(Protocol):
    """The half that signs."""

    @property
    def public(self) -> PublicKey:
        """The half that checks."""

    @property
    def der(self) -> bytes:
        """The key as PKCS #8, not encrypted."""

    def sign(self, content: bytes) -> bytes:
        """The signature over a content."""


@dataclass(frozen=True)
class _Ed25519Public:
    key: Ed25519PublicKey
    algorithm: Algorithm = "Ed25519"

    @property
    def der(self) -> bytes:
        return self.key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def verifies(self, signature: bytes, content: bytes) -> bool:
        try:
            self.key.verify(signature, content)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class _Ed25519Private:
    key: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        return _Ed25519Public(self.key.public_key())

    @property
    def der(self) -> bytes:
        none = serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, none)

    def sign(self, content: bytes) -> bytes:
        return self.key.sign(content)


@dataclass(frozen=True)
class _SM2Public:
    point: bytes
    algorithm: Algorithm = "SM2"

    @property
    def der(self) -> bytes:
        return _SM2_PUBLIC + self.point

    def verifies(self, signature: bytes, content: bytes) -> bool:
        try:
            r, s = (number.to_bytes(32, "big") for number in decode_dss_signature(signature))
        except (OverflowError, ValueError):
            return False
        verified: bool = SM2(uid=SM2_USER, pk=self.point).verify(content, r, s)
        return verified


@dataclass(frozen=True)
class _SM2Private:
    secret: bytes
    point: bytes

    @property
    def public(self) -> PublicKey:
        return _SM2Public(self.point)

    @property
    def der(self) -> bytes:
        return _SM2_PRIVATE + self.secret + _SM2_PUBLIC_WITHIN + self.point

    def sign(self, content: bytes) -> bytes:
        """`r` and `s` as a DER sequence (GM/T 0009)."""
        r, s = SM2(self.secret, SM2_USER, self.point).sign(content)
        return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def new_key(algorithm: Algorithm = "Ed25519") -> PrivateKey:
    """A new key, of the system's random numbers."""
    if algorithm == "Ed25519":
        return _Ed25519Private(Ed25519PrivateKey.generate())
    secret, _ = SM2().generate_keypair()
    return sm2_key(secret)


def sm2_key(secret: bytes) -> PrivateKey:
    """The SM2 key of a secret number, whose leading zeros may be left out (as the library does)."""
    whole = secret.rjust(32, b"\0")
    return _SM2Private(whole, SM2().generate_pk(whole))


def key_id(key: PublicKey) -> str:
    """The name of a key: SHA-256 of its public half in DER, in hexadecimal."""
    return hashlib.sha256(key.der).hexdigest()


def public_pem(key: PublicKey) -> str:
    """The public half as a PEM file."""
    return _pem("PUBLIC KEY", key.der)


def private_pem(key: PrivateKey) -> str:
    """The private half as a PEM file; whoever has it can sign."""
    return _pem("PRIVATE KEY", key.der)


def read_public(pem: str) -> PublicKey:
    """The public key of a PEM file; raises Invalid."""
    der = _der(pem, "PUBLIC KEY")
    if der.startswith(_SM2_PUBLIC) and len(der) == len(_SM2_PUBLIC) + 65:
        return _sm2_public(der[-65:])
    try:
        key = serialization.load_der_public_key(der)
    except (UnsupportedAlgorithm, ValueError) as fault:
        raise Invalid(f"expected an Ed25519 or SM2 public key: {fault}") from fault
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid("expected an Ed25519 or SM2 public key, not one of another algorithm")
    return _Ed25519Public(key)


def read_private(pem: str) -> PrivateKey:
    """The private key of a PEM file; raises Invalid."""
    der = _der(pem, "PRIVATE KEY")
    secret, rest = der[len(_SM2_PRIVATE) : len(_SM2_PRIVATE) + 32], der[len(_SM2_PRIVATE) + 32 :]
    if der.startswith(_SM2_PRIVATE) and rest.startswith(_SM2_PUBLIC_WITHIN) and len(rest) == 70:
        if SM2(secret).generate_pk(secret) != rest[5:]:
            raise Invalid("expected an SM2 key whose halves belong together")
        return _SM2Private(secret, rest[5:])
    try:
        key = serialization.load_der_private_key(der, password=None)
    except (TypeError, UnsupportedAlgorithm, ValueError) as fault:
        raise Invalid(f"expected an Ed25519 or SM2 private key: {fault}") from fault
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid("expected an Ed25519 or SM2 private key, not one of another algorithm")
    return _Ed25519Private(key)


def _sm2_public(point: bytes) -> PublicKey:
    if not SM2().verify_pk(point):
        raise Invalid("expected an SM2 public key: its point is not on the curve")
    return _SM2Public(point)


def _pem(label: str, der: bytes) -> str:
    text = base64.b64encode(der).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _der(pem: str, label: str) -> bytes:
    found = re.search(rf"-----BEGIN {label}-----\s*([A-Za-z0-9+/=\s]+)-----END {label}-----", pem)
    if not found:
        raise Invalid(f"expected a PEM file with a {label}")
    try:
        return base64.b64decode("".join(found[1].split()), validate=True)
    except ValueError as fault:
        raise Invalid(f"expected a PEM file with a {label}: {fault}") from fault
