"""A receiver of webhooks: a real server on a port of its own that takes what is sent, and answers by a script.

Each word of the script is how one call is answered; after the last one all are answered well.
"""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import eventlet
import orjson

GOOD = ("ok", "no_content", "chunked", "to_the_end")
"""Answers that acknowledge."""
BAD = (
    "error",
    "busy",
    "redirect",
    "early",
    "garbage",
    "reset",
    "too_short",
    "too_long",
    "slow",
    "endless",
    "drip",
    "bad_chunk",
    "after_reading_half",
)
"""Answers that do not: failures, delays and lies."""

_ANSWERS = {
    "ok": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "no_content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "chunked": b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "to_the_end": b"HTTP/1.0 200 OK\r\n\r\nok",
    "error": b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
    "busy": b"HTTP/1.1 429 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
    "gone": b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
    "redirect": b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "early": b"",
    "garbage": b"\x00\xff not at all HTTP\r\n\r\n",
    "too_short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok",
    "too_long": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 200_000,
    "bad_chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok",
}


@dataclass
class Call:
    """One call as it arrived, and how it was answered."""

    path: str
    headers: dict[str, str]
    body: bytes
    answered: str

    @property
    def event(self) -> dict[str, Any]:
        """What it tells."""
        return dict(orjson.loads(self.body))

    @property
    def number(self) -> int:
        """The number of the event."""
        return int(self.headers["xunjian-number"])


@dataclass
class Receiver:
    """What arrived at `url`."""

    url: str
    script: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    @property
    def acknowledged(self) -> list[int]:
        """The numbers that were answered well, in order."""
        return [call.number for call in self.calls if call.answered in GOOD]


@contextmanager
def receiver(*script: str) -> Iterator[Receiver]:
    """A receiver, until the end of the block."""
    listening = eventlet.listen(("127.0.0.1", 0))
    found = Receiver(f"http://127.0.0.1:{listening.getsockname()[1]}/hook?of=hall", list(script))
    serving = eventlet.spawn(_serve, listening, found)
    try:
        yield found
    finally:
        serving.kill()
        listening.close()


def _serve(listening: Any, found: Receiver) -> None:
    while True:
        connection, _ = listening.accept()
        eventlet.spawn(_answer, connection, found)


def _answer(connection: Any, found: Receiver) -> None:
    with suppress(OSError):
        how = found.script.pop(0) if found.script else "ok"
        if how == "after_reading_half":
            connection.recv(10)
        else:
            found.calls.append(_read(connection, how))
            _send(connection, how)
        if how in ("reset", "after_reading_half"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _read(connection: Any, how: str) -> Call:
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += _some(connection)
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += _some(connection)
    return Call(first.split(" ")[1], headers, body, how)


def _some(connection: Any) -> bytes:
    found: bytes = connection.recv(65536)
    if not found:
        raise ConnectionError("the caller hung up")
    return found


def _send(connection: Any, how: str) -> None:
    match how:
        case "slow":
            eventlet.sleep(1)
        case "reset":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok")
        case "endless":
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(100):
                connection.sendall(b"x")
                eventlet.sleep(0.02)
        case "drip":
            for byte in _ANSWERS["ok"]:
                connection.sendall(bytes([byte]))
                eventlet.sleep(0.02)
        case _:
            connection.sendall(_ANSWERS[how])
