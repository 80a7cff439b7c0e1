"""A client as an office's program would be: it repeats a command under its idempotency key until it is answered."""

import http.client
import time
from typing import Any
from urllib.parse import urlencode

import orjson

PATIENCE_SECONDS = 60.0
KEY = "xj_" + 40 * "k"
"""The operator's key of every platform that a test starts."""
SIGNED_IN = {"Authorization": f"Bearer {KEY}"}
REPEATED = (0, 503)
"""No connection, or a service that is not there: worth another try."""


class Api:
    """The HTTP API under `/v1` on a port of 127.0.0.1, under a key; a connection for each request, as processes come and go."""

    def __init__(self, port: int, key: str = KEY) -> None:
        self.port = port
        self.key = key
        self.repeated = 0

    def once(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """One request: status and document; (0, why) where there was no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        told = {"Content-Type": "application/json", **self._signed_in()}
        told |= {name.replace("_", "-"): text for name, text in headers.items()}
        try:
            connection.request(method, f"/v1{path}", None if body is None else orjson.dumps(body), told)
            response = connection.getresponse()
            return response.status, orjson.loads(response.read())
        except (OSError, http.client.HTTPException) as fault:
            return 0, repr(fault)
        finally:
            connection.close()

    def _signed_in(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def get(self, path: str, **query: str) -> Any:
        """Ask until it is answered."""
        return self._patiently("GET", f"{path}?{urlencode(query)}" if query else path, None, {})

    def post(self, path: str, body: Any, key: str, actor: str | None = "user:li", at: str | None = None) -> Any:
        """Send a command until it is answered, at a simulated time (RFC 3339); in a real installation there is no `actor`."""
        headers = {"Idempotency-Key": key} | ({"X-Actor": actor} if actor else {})
        return self._patiently("POST", path, body, headers | ({"X-Simulated-Time": at} if at else {}))

    def _patiently(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            status, answer = self.once(method, path, body, **headers)
            if status == 200:
                return answer
            assert status in REPEATED, f"{method} {path}: {status} {answer}"
            assert time.monotonic() < give_up, f"{method} {path}: still {status} {answer}"
            self.repeated += 1
            time.sleep(0.1)
