"""One call of a receiver: POST to an address that was looked at, with an end to everything that could take long.

Nothing is taken from the environment, no redirect is followed, no cookie kept, no connection used twice. A call counts
as acknowledged only when its whole answer was read and is of 2xx.
"""

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

import eventlet

from services.integration.outbound.addresses import Forbidden, Outside, Target
from shared.errors import Invalid

CALL_SECONDS = 10.0
"""How long a call may take, from looking the host up to the last byte of the answer."""
MOST_ANSWER_BYTES = 64 * 1024
GONE = 410


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of a call; `error` is None where the whole answer was read and is of 2xx."""

    status: int | None
    error: str | None
    milliseconds: int
    retry_after: str | None = None

    @property
    def acknowledged(self) -> bool:
        """Whether the receiver has it."""
        return self.error is None


class Calling:
    """Calls receivers; at most `seconds` each."""

    def __init__(self, outside: Outside, seconds: float = CALL_SECONDS) -> None:
        self.outside = outside
        self._seconds = seconds
        self._tls = ssl.create_default_context()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a body, and say how that was answered; raises nothing."""
        began, status, retry_after = monotonic(), None, None
        try:
            with eventlet.Timeout(self._seconds, TimeoutError(f"no answer within {self._seconds:g} s")):
                status, retry_after = self._exchange(self.outside.target(url), headers, body)
            error = None if 200 <= status < 300 else f"answered {status}"
        except (Forbidden, Invalid, OSError, http.client.HTTPException, _TooLong) as fault:
            error = _line(fault)
        return Answer(
            status=status,
            error=error,
            milliseconds=round((monotonic() - began) * 1000),
            retry_after=retry_after,
        )

    def _exchange(self, target: Target, headers: Mapping[str, str], body: bytes) -> tuple[int, str | None]:
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.auto_open = 0
        try:
            connection.sock = self._connected(target)
            connection.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
            whole = {"Host": target.authority, "Connection": "close", "Content-Length": str(len(body)), **headers}
            for name, value in whole.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            _read_whole(answer)
            return answer.status, answer.headers.get("Retry-After")
        finally:
            connection.close()

    def _connected(self, target: Target) -> socket.socket:
        """A connection to one of the addresses that were looked at, under the name of the host."""
        *others, last = self.outside.addresses(target)
        for address in others:
            try:
                return self._connect(target, address)
            except OSError:  # perhaps there is no way there by IPv6
                continue
        return self._connect(target, last)

    def _connect(self, target: Target, address: str) -> socket.socket:
        connected = socket.create_connection((address, target.port), timeout=self._seconds)
        if target.scheme == "http":
            return connected
        # In two steps: a socket whose handshake fails within the first is not closed by anybody.
        secured = self._tls.wrap_socket(connected, server_hostname=target.host, do_handshake_on_connect=False)
        try:
            secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        return secured


class _TooLong(Exception):
    """The answer is longer than anybody reads."""


def _read_whole(answer: http.client.HTTPResponse) -> None:
    """Read an answer to its end and forget it; raises where it has none, or ends before it should."""
    left = MOST_ANSWER_BYTES
    while chunk := answer.read(min(left + 1, 8192)):
        left -= len(chunk)
        if left < 0:
            raise _TooLong(f"the answer is longer than {MOST_ANSWER_BYTES} bytes")
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)


def _line(fault: Exception) -> str:
    """What went wrong, as one line; nothing of what the other side said is in it, which need not be a receiver at all."""
    if isinstance(fault, http.client.HTTPException):
        return f"the answer is no whole HTTP answer: {type(fault).__name__}"
    said = " ".join(str(fault).split()) or type(fault).__name__
    return said[:300]
