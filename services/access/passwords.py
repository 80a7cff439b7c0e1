"""Passwords: what a good one is (NIST SP 800-63B: length, no rules of composition), and their argon2id hashes."""

import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from eventlet import tpool

SHORTEST, LONGEST = 12, 200
"""In characters."""


def faults_of(password: str, username: str) -> Iterator[str]:
    """What is wrong with a password that somebody wants to have."""
    plain = _normal(password)
    if not SHORTEST <= len(plain) <= LONGEST:
        yield f"expected {SHORTEST} to {LONGEST} characters, not {len(plain)}; any characters will do"
    if plain.casefold() == username.casefold():
        yield "expected something else than the username"


class Passwords:
    """Makes and checks hashes, in a thread: it takes a tenth of a second, in which others are answered.

    Parameters are those of the hasher, by default argon2-cffi's (RFC 9106, low memory).
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._of_nobody = self._hasher.hash("nobody has this password")

    def hashed(self, password: str) -> str:
        """The hash to be kept."""
        return str(_aside(self._hasher.hash, _normal(password)))

    def fits(self, password: str, kept: str | None) -> bool:
        """Whether a password is the one of a hash; it takes as long where there is none."""
        try:
            _aside(self._hasher.verify, kept or self._of_nobody, _normal(password)[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether a hash was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(kept)


def _normal(password: str) -> str:
    """One form of what keyboards write in several (NFKC, SP 800-63B 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _aside(function: Callable[..., Any], *arguments: Any) -> Any:
    """In a thread of the operating system, while this greenlet waits: argon2 lets go of the interpreter."""
    return tpool.execute(function, *arguments)
