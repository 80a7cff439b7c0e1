"""The public keys of issuers (JWKS, RFC 7517): fetched when they are needed, and anew when a token names an unknown one."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from services.access.outbound import json_at
from services.access.refusal import NotLetIn
from shared.clock import Clock
from shared.errors import Unavailable

FRESH = timedelta(hours=1)
"""For how long keys are used without asking again."""
SELDOM = timedelta(seconds=10)
"""How often an issuer is asked at most, whatever tokens name."""


@dataclass
class _Keys:
    by_id: dict[str | None, Key] = field(default_factory=dict)
    fetched_at: datetime | None = None


class KeyRing:
    """The keys of one issuer; `where` says at which address they are."""

    def __init__(self, where: Callable[[], str], clock: Clock) -> None:
        self._where = where
        self._clock = clock
        self._keys = _Keys()
        self._failed_at: datetime | None = None
        self._fetching = threading.Lock()

    def key(self, key_id: str | None) -> Key:
        """The key that a token names, or the only one; raises NotLetIn, and Unavailable where nobody can say."""
        with self._fetching:  # one asks for all that wait
            if self._is_due(key_id):
                self._fetch(key_id)
        if key_id is None and len(self._keys.by_id) == 1:
            (only,) = self._keys.by_id.values()
            return only
        if key_id not in self._keys.by_id:
            raise NotLetIn("unknown_key", "the token is signed by a key that its issuer does not publish")
        return self._keys.by_id[key_id]

    def _is_due(self, key_id: str | None) -> bool:
        age = self._since(self._keys.fetched_at)
        return age > FRESH or (key_id not in self._keys.by_id and age >= SELDOM)

    def _since(self, moment: datetime | None) -> timedelta:
        return timedelta.max if moment is None else self._clock.now() - moment

    def _fetch(self, wanted: str | None) -> None:
        """Ask the issuer; where it does not answer, a key that is known goes on to be good."""
        try:
            told = self._asked().get("keys")
        except Unavailable:
            if wanted in self._keys.by_id:
                return
            raise
        found: dict[str | None, Key] = {}
        for one in told if isinstance(told, list) else ():
            try:
                if one.get("use", "sig") == "sig" and one.get("kty") != "oct":
                    found[one.get("kid")] = JWKRegistry.import_key(one)
            except (JoseError, AttributeError, TypeError, ValueError):
                continue  # a kind of key that we do not know
        self._keys = _Keys(found, self._clock.now())

    def _asked(self) -> dict[str, Any]:
        """What the issuer answers; whoever kept us waiting for nothing is not asked again at once."""
        if self._since(self._failed_at) < SELDOM:
            raise Unavailable("the issuer of the token did not answer just now")
        try:
            return json_at(self._where())
        except Unavailable:
            self._failed_at = self._clock.now()
            raise
