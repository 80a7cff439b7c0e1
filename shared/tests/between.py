"""A way to a server that can be cut and mended again, and may change what the server says: a TCP relay of greenlets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import eventlet


def _unchanged(said: bytes) -> bytes:
    return said


class Between:
    """The relay; `address` is the server's address by way of it."""

    def __init__(self, address: str, change: Callable[[bytes], bytes]) -> None:
        parts = urlsplit(address)
        self._server = (parts.hostname, parts.port)
        self._change = change
        self._listener = eventlet.listen(("127.0.0.1", 0))
        self._place = self._listener.getsockname()
        self.address = address.replace(f"@{parts.hostname}:{parts.port}", f"@127.0.0.1:{self._place[1]}")
        self._open: list[Any] = []
        self._carrying: list[Any] = []
        self._accepting = eventlet.spawn(self._forever)

    def cut(self) -> None:
        """Break every connection, and let nobody connect."""
        for one in (self._accepting, *self._carrying):  # first: nobody may close what a greenlet waits for
            one.kill()
        for end in (self._listener, *self._open):
            end.close()
        self._open.clear()
        self._carrying.clear()

    def mend(self) -> None:
        """Let everybody connect again."""
        self._listener = eventlet.listen(self._place)
        self._accepting = eventlet.spawn(self._forever)

    def _forever(self) -> None:
        while True:
            client, _ = self._listener.accept()
            server = eventlet.connect(self._server)
            self._open += [client, server]
            for way in ((client, server, _unchanged), (server, client, self._change)):
                self._carrying.append(eventlet.spawn(self._carry, *way))

    def _carry(self, source: Any, sink: Any, change: Callable[[bytes], bytes]) -> None:
        with suppress(OSError):
            while said := source.recv(65536):
                sink.sendall(change(said))
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(2)


@contextmanager
def between(address: str, change: Callable[[bytes], bytes] = _unchanged) -> Iterator[Between]:
    """A relay before the server of an address `scheme://user@host:port/…`, until the end of the block."""
    relay = Between(address, change)
    try:
        yield relay
    finally:
        relay.cut()
