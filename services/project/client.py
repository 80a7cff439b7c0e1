"""A keep-alive client of the HTTP API (`/v1`): JSON in, JSON out, problem documents (RFC 9457) as the errors they were.

Commands carry an idempotency key, so one whose answer was lost is sent again without harm.
"""

import http.client
import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import orjson

from services.operator_key import VARIABLE, known_for
from shared.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Rejected, Unauthenticated, Unavailable
from shared.rights import Role

DEFAULT_URL = "http://127.0.0.1:8000"
PATIENCE_SECONDS = 30.0
"""For how long a request is sent again and again to an installation of which a part is away: a restart takes seconds."""
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 3.2

_REFUSALS: dict[str, type[Refused]] = {
    "urn:xunjian:problem:conflict": Conflict,
    "urn:xunjian:problem:forbidden": Forbidden,
    "urn:xunjian:problem:not-found": NotFound,
    "urn:xunjian:problem:rejected": Rejected,
    "urn:xunjian:problem:unauthenticated": Unauthenticated,
    "urn:xunjian:problem:unavailable": Unavailable,
}


class Client:
    """One connection to one installation; every request has a deadline of `timeout` seconds.

    What a restart of a service keeps from being answered is asked again until `patience` seconds are over.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        timeout: float = 30.0,
        key: str | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(f"{url}: expected an address like {DEFAULT_URL}")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        try:
            self._connection = kind(parts.hostname, parts.port, timeout=timeout)
        except ValueError as fault:
            raise Invalid(f"{url}: {fault}") from fault
        self.url = url.rstrip("/")
        self._prefix = parts.path.rstrip("/")
        self._next: str | None = None
        self._key = key or known_for(self.url)
        self._simulated: bool | None = None
        self._patience = patience
        self._answered = False

    @property
    def simulated(self) -> bool:
        """Whether the installation is simulated, so that commands may be given in the name of people who are made up."""
        if self._simulated is None:
            self._simulated = bool(self.get("/installation")["simulated"])
        return self._simulated

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def get(self, path: str, **query: str | None) -> Any:
        """Ask; `path` begins after `/v1`, members of `query` that are None are left out."""
        return self._sent("GET", _asked(path, query), None, {})

    def rows(self, path: str, **query: str | None) -> list[dict[str, Any]]:
        """Ask for a list, page after page (RFC 8288: `next`), until all of it is there."""
        found = list(self.get(path, **query))
        while self._next is not None:
            found += self.get(path, **query, cursor=self._next)
        return found

    def send(
        self,
        path: str,
        body: dict[str, Any],
        *,
        key: str,
        actor: str,
        role: Role | None = None,
        at: datetime | None = None,
    ) -> Any:
        """Send a command under an idempotency key; `at` is its time, only for a simulated installation.

        `actor` and `role` are told to a simulated installation only: in a real one it is who has the key that acts.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": key, **self._acting(actor, role)}
        if at is not None:
            headers["X-Simulated-Time"] = at.isoformat()
        return self._sent("POST", path, orjson.dumps(body), headers)

    def send_file(
        self, path: str, content: bytes, media_type: str, *, key: str, actor: str, role: Role, **query: str | None
    ) -> Any:
        """Send a file as it is, under an idempotency key; raises as `send` does, with the places in the file alone."""
        headers = {"Content-Type": media_type, "Idempotency-Key": key, **self._acting(actor, role)}
        asked = _asked(path, query)
        try:
            return self._sent("POST", asked, content, headers)
        except Invalid as fault:
            request = f"POST /v1{asked}: "
            raise Invalid({place.removeprefix(request): whys for place, whys in fault.errors.items()}) from fault

    def file(self, path: str, **query: str | None) -> bytes:
        """Ask for a file."""
        content: bytes = self._sent("GET", _asked(path, query), None, {}, lambda _, answer: answer)
        return content

    def _acting(self, actor: str, role: Role | None) -> dict[str, str]:
        if not self.simulated:
            return {}
        return {"X-Actor": actor} if role is None else {"X-Actor": actor, "X-Roles": role}

    def _sent(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        read: Callable[[str, bytes], Any] | None = None,
    ) -> Any:
        give_up, pause = time.monotonic() + self._patience, FIRST_PAUSE
        while True:
            try:
                return self._once(method, path, body, headers, read or _json)
            except Unavailable:
                if time.monotonic() + pause > give_up:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _once(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], read: Callable[[str, bytes], Any]
    ) -> Any:
        if self._key is not None:
            headers = {**headers, "Authorization": f"Bearer {self._key}"}
        try:
            self._connection.request(method, f"{self._prefix}/v1{quote(path, safe='/?&=%:+')}", body, headers)
            response = self._connection.getresponse()
            answer = response.read()
            self._next = _cursor(response.getheader("Link"))
            self._answered = True
        except (OSError, http.client.HTTPException) as fault:
            self._connection.close()
            if isinstance(fault, ConnectionRefusedError) and not self._answered:
                raise Invalid(f"{self.url}: nothing answers there; start it with `xunjian serve`") from fault
            raise Unavailable(f"{method} {self.url}/v1{path}: {_why(fault)}") from fault
        if response.status >= 400:
            raise _refusal(f"{method} /v1{path}", response.status, answer)
        return read(f"{method} /v1{path}", answer)


def _asked(path: str, query: dict[str, str | None]) -> str:
    asked = urlencode({name: value for name, value in query.items() if value is not None})
    return f"{path}?{asked}" if asked else path


def _cursor(link: str | None) -> str | None:
    """The cursor in a link to the next page; None where there is none."""
    if link is None or not link.endswith('; rel="next"'):
        return None
    return parse_qs(urlsplit(link[1 : link.index(">")]).query)["cursor"][0]


def _why(fault: Exception) -> str:
    return "no answer in time" if isinstance(fault, TimeoutError) else str(fault) or type(fault).__name__


def _json(asked: str, answer: bytes) -> Any:
    try:
        return orjson.loads(answer)
    except orjson.JSONDecodeError as fault:
        raise Invalid(f"{asked}: expected JSON, found {answer[:60]!r}; is this an installation of Xunjian?") from fault


def _refusal(asked: str, status: int, answer: bytes) -> Refused:
    """The error that a problem document tells of, with the request that it answers."""
    try:
        problem = orjson.loads(answer)
    except orjson.JSONDecodeError:
        problem = None
    if not isinstance(problem, dict):
        return Unavailable(f"{asked}: {status} {answer[:60].decode(errors='replace')}")
    if isinstance(errors := problem.get("errors"), list) and errors:
        return Invalid(_by_field(asked, errors))
    text = f"{asked}: {problem.get('detail') or problem.get('title') or status}"
    if status == HTTPStatus.UNAUTHORIZED:
        text = f"{text}; {VARIABLE} says the key of an installation elsewhere"
    return _REFUSALS.get(str(problem.get("type")), Invalid if status < 500 else Unavailable)(text)


def _by_field(asked: str, errors: list[dict[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for error in errors:
        place = f"{asked}: {error['field']}" if error["field"] else asked
        found.setdefault(place, []).append(error["expected"])
    return found
