"""A small issuer of tokens: a real web server on 127.0.0.1 that publishes its keys, and signs what a test wants."""

import hmac
import json
import threading
import warnings
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

RSA = RSAKey.generate_key(2048, {"kid": "rsa-1"})
KEYS: dict[str, Key] = {
    "RS256": RSA,
    "ES256": ECKey.generate_key("P-256", {"kid": "ec-1"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "ed-1"}),
}
OTHERS = RSAKey.generate_key(2048, {"kid": "rsa-1"})
"""A key of somebody else, under the same name."""


class Issuer:
    """Where it is, which keys it publishes, and how often each address was asked for."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.published = [key.as_dict(private=False) for key in KEYS.values()]
        self.asked: Counter[str] = Counter()
        self.is_away = False
        self.gives: dict[str, Any] = {}
        """What it gives for a code."""

    def answer(self, path: str) -> dict[str, Any] | None:
        """What stands at a path."""
        self.asked[path] += 1
        found: dict[str, dict[str, Any]] = {
            "/.well-known/openid-configuration": {
                "issuer": self.address,
                "jwks_uri": f"{self.address}/jwks",
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
            },
            "/jwks": {"keys": self.published},
            "/token": self.gives,
        }
        return None if self.is_away else found.get(path)

    def claims(self, now: float, **changed: Any) -> dict[str, Any]:
        """Claims in order, but for what is changed; None leaves one out."""
        told = {"iss": self.address, "sub": "robot-17", "aud": "xunjian", "exp": int(now) + 300, "iat": int(now)}
        return {name: value for name, value in {**told, **changed}.items() if value is not None}


def signed(claims: dict[str, Any], algorithm: str = "RS256", key: Key | None = None, **header: Any) -> str:
    """A token; by default by the published key of its algorithm, which its header names."""
    by = key or KEYS[algorithm]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.encode({"alg": algorithm, "kid": by.kid, **header}, claims, by, algorithms=[algorithm])


def unsigned(claims: dict[str, Any]) -> str:
    """A token that nobody signed."""
    return f"{base64_of({'alg': 'none', 'kid': 'rsa-1'})}.{base64_of(claims)}."


def base64_of(part: dict[str, Any]) -> str:
    """A part of a token, as it is written there."""
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def by_the_public_key(claims: dict[str, Any]) -> str:
    """A token whose secret is the public key that everybody can read; by hand, since joserfc makes none."""
    told = f"{base64_of({'alg': 'HS256', 'kid': 'rsa-1'})}.{base64_of(claims)}"
    signature = hmac.digest(RSA.as_pem(private=False), told.encode(), "sha256")
    return f"{told}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


@contextmanager
def issuer() -> Iterator[Issuer]:
    """An issuer that answers until the end of the block."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told = found.answer(self.path)
            self.send_response(503 if told is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        do_POST = do_GET  # noqa: N815  http.server's name

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    found = Issuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
