"""A small HTTP client that keeps its connection, and one that sends any bytes at all."""

import http.client
import socket
from email.message import Message
from typing import Any, NamedTuple

import orjson


class Raw(NamedTuple):
    """A response whose body is not looked at."""

    status: int
    headers: Message
    body: bytes


class Answer(NamedTuple):
    """A response; `json` is its body."""

    status: int
    headers: Message
    """By name, in whatever case."""
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
    """Asks one gateway over one connection, as the operator where nothing else is said."""

    def __init__(self, port: int, key: str | None = "operator") -> None:
        self.port = port
        self.key = key
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return self.send("GET", path, None, headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """POST of a JSON value, or of bytes as they are."""
        raw = body if isinstance(body, bytes | None) else orjson.dumps(body)
        return self.send("POST", path, raw, {"Content-Type": "application/json", **headers})

    def get_raw(self, path: str, **headers: str) -> Raw:
        """GET, whose body may be no text."""
        return self._sent("GET", path, None, headers)

    def send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        """Any request."""
        raw = self._sent(method, path, body, headers)
        return Answer(raw.status, raw.headers, raw.body.decode())

    def _sent(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Raw:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key is not None:
            named.setdefault("Authorization", f"Bearer {self.key}")
        try:
            self.connection.request(method, path, body, named)
            response = self.connection.getresponse()
        except BaseException:
            self.connection.close()
            raise
        return Raw(response.status, response.headers, response.read())

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
