"""Signed tokens (JWT, RFC 7519): whose they are, once signature, issuer, audience and times are found in order.

Only asymmetric algorithms: a token signed by a secret (HS256) could be made by whoever knows our public key, and one
that is not signed (none) by anybody.
"""

import math
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry, extract_compact

from services.access.jwks import KeyRing
from services.access.outbound import json_at
from services.access.refusal import NotLetIn
from services.access.settings import JwtIssuer
from shared.clock import Clock
from shared.errors import Unavailable

ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519")
"""The last two are one: RFC 9864 names it anew."""
LEEWAY = int(timedelta(minutes=1).total_seconds())
"""By how many seconds clocks may differ."""
LONGEST_SUBJECT = 255
"""In characters (OpenID Connect Core 1.0, 2)."""
LATEST = 253_402_300_799
"""The last second of the year 9999."""
_REGISTRY = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """Whom an issuer calls `subject`, until `expires_at` (seconds since 1970)."""

    issuer: str
    subject: str
    expires_at: int
    claims: Mapping[str, Any]


class Bearers:
    """Reads the tokens of the issuers that are trusted here."""

    def __init__(self, issuers: Mapping[str, JwtIssuer], clock: Clock) -> None:
        self._issuers = issuers
        self._clock = clock
        self._rings = {name: KeyRing(partial(_where, name, one), clock) for name, one in issuers.items()}

    def read(self, token: str) -> Bearer:
        """Whose a token is; raises NotLetIn, and Unavailable where its issuer cannot be asked for its keys."""
        _, claims = _unverified(token)
        issuer = claims.get("iss")
        if not isinstance(issuer, str) or issuer not in self._issuers:
            raise NotLetIn("wrong_issuer", f"the token is of {str(issuer)[:200]}, which is not trusted here")
        return self.verified(token, issuer, self._issuers[issuer].audiences)

    def verified(self, token: str, issuer: str, audiences: Collection[str]) -> Bearer:
        """A token of this issuer for one of these audiences; raises as `read` does."""
        header, _ = _unverified(token)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS or "crit" in header:
            expected = f"the token is signed by {str(algorithm)[:40]}, expected one of {', '.join(ALGORITHMS)}"
            raise NotLetIn("wrong_algorithm", expected)
        key_id = header.get("kid")
        key = self._rings[issuer].key(key_id if isinstance(key_id, str) else None)
        claims = _signed(token, key)
        self._must_hold(claims, issuer, audiences)
        return Bearer(issuer=issuer, subject=claims["sub"], expires_at=min(int(claims["exp"]), LATEST), claims=claims)

    def _must_hold(self, claims: Mapping[str, Any], issuer: str, audiences: Collection[str]) -> None:
        now = self._clock.now().timestamp()
        named = claims.get("aud")
        if claims.get("iss") != issuer:
            raise NotLetIn("wrong_issuer", f"the token is not of {issuer}")
        if not set(audiences) & set(named if isinstance(named, list) else [named]):
            raise NotLetIn("wrong_audience", f"the token is not meant for {' or '.join(sorted(audiences))}")
        expires, begins = _seconds(claims, "exp"), _seconds(claims, "iat" if claims.get("nbf") is None else "nbf")
        if expires is None:
            raise NotLetIn("malformed", "the token does not say when it expires (exp)")
        if now >= expires + LEEWAY:
            raise NotLetIn("expired", "the token has expired")
        if begins is not None and begins > now + LEEWAY:
            raise NotLetIn("not_yet_valid", "the token is not valid yet")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
            raise NotLetIn("malformed", "the token does not say whose it is (sub)")


def _where(issuer: str, told: JwtIssuer) -> str:
    return told.jwks_uri or str(discovered(issuer).get("jwks_uri", ""))


def discovered(issuer: str) -> dict[str, Any]:
    """What an issuer says of itself (OpenID Connect Discovery 1.0); raises Unavailable."""
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    found = json_at(address)
    if found.get("issuer") != issuer:
        raise Unavailable(f"{address} is of another issuer than {issuer}")
    return found


def _unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token as they stand there, by anybody's hand."""
    try:
        parts = extract_compact(token.encode())
        header: Any = parts.protected
        claims = orjson.loads(parts.payload)
    except (JoseError, ValueError, TypeError, KeyError) as fault:
        raise NotLetIn("malformed", "the token is no JWT") from fault
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise NotLetIn("malformed", "the token is no JWT")
    return header, claims


def _signed(token: str, key: Key) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():  # nothing else runs meanwhile
            warnings.simplefilter("ignore", SecurityWarning)  # about the name EdDSA
            return dict(jwt.decode(token, key, algorithms=ALGORITHMS, registry=_REGISTRY).claims)
    except (JoseError, ValueError, TypeError) as fault:
        raise NotLetIn("bad_signature", "the token's signature is not its issuer's") from fault


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotLetIn("malformed", f"the token's {name} is no number")
    return value
