"""Secrets that are made here and shown once: sessions, API keys, one-time codes. Kept is only their SHA-256.

Each has 32 random bytes, which nobody guesses, so a plain hash is enough (a password needs a slow one).
"""

import hashlib
import re
import secrets

SESSION = "xs_"
KEY = "xk_"
CODE = "xo_"
"""How the secrets begin, so that a scanner of repositories and logs finds those that were left lying about."""
_KEY = re.compile(r"xk_([a-z0-9][a-z0-9._-]{0,49})_[A-Za-z0-9_-]{43}", re.ASCII)


def new(prefix: str) -> str:
    """A secret that nobody has seen."""
    return prefix + secrets.token_urlsafe(32)


def new_key(key_id: str) -> str:
    """The same for a key, which says whose it is."""
    return f"{KEY}{key_id}_{secrets.token_urlsafe(32)}"


def key_id_of(shown: str) -> str | None:
    """Which key somebody seems to show; None where it is of no such form."""
    found = _KEY.fullmatch(shown)
    return None if found is None else found[1]


def sha256_of(secret: str) -> str:
    """As it is kept: lower-case hexadecimal."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
