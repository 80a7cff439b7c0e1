"""A small HTTP client that keeps its connection, and one that sends any bytes at all."""

import http.client
import socket
from typing import Any, NamedTuple

import orjson


class Answer(NamedTuple):
    """A response; `json` is its body."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return orjson.loads(self.text)

    @property
    def faults(self) -> dict[str, str]:
        """A problem document's errors: field → what was expected."""
        return {error["field"]: error["expected"] for error in self.json["errors"]}


class Client:
    """Asks one gateway over one connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return self.send("GET", path, None, headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """POST of a JSON value, or of bytes as they are."""
        raw = body if isinstance(body, bytes | None) else orjson.dumps(body)
        return self.send("POST", path, raw, {"Content-Type": "application/json", **headers})

    def send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        """Any request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            self.connection.request(method, path, body, named)
            response = self.connection.getresponse()
        except BaseException:
            self.connection.close()
            raise
        return Answer(response.status, dict(response.headers), response.read().decode())

    def send_bytes(self, raw: bytes) -> bytes:
        """Send whatever it is on a connection of its own, say that no more will come, and read all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            try:
                connection.sendall(raw)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                return b""
            received = b""
            while True:
                try:
                    data = connection.recv(65536)
                except ConnectionResetError:
                    return received
                if not data:
                    return received
                received += data
