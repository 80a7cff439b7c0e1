"""Every answer that is not a success, as a problem document (RFC 9457)."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response

from shared.errors import Invalid, Refused, TooMany, Unauthenticated, Unavailable

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2


class Unreadable(Exception):
    """A request that could not even be read; `members` go into the document."""

    def __init__(self, status: HTTPStatus, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.members = members


def problem(fault: Exception, path: str) -> Response:
    """The document for what went wrong with a request to `path`; of a fault of ours it says no more than that."""
    match fault:
        case Invalid():
            return _refusal(fault, path, errors=list(_fields(fault)))
        case Refused():
            return _refusal(fault, path)
        case Unreadable():
            return _document(fault.status, fault.status.phrase, str(fault), path, **fault.members)
        case MethodNotAllowed():
            response = _document(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", _allowed(fault), path)
            response.headers["Allow"] = ", ".join(sorted(fault.valid_methods or ()))
            return response
        case HTTPException() if fault.code == HTTPStatus.NOT_FOUND:
            return _document(HTTPStatus.NOT_FOUND, "Not found", "There is nothing at this address.", path)
        case _:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            detail = "The fault is ours; the log tells more under the correlation id of this answer."
            return _document(status, "Internal error", detail, path)


def _refusal(fault: Refused, path: str, **members: Any) -> Response:
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", type(fault).__name__).lower()
    response = _document(
        HTTPStatus(fault.status), fault.title, str(fault), path, type=f"urn:xunjian:problem:{name}", **members
    )
    if isinstance(fault, Unavailable):
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(fault, TooMany):
        response.headers["Retry-After"] = str(fault.retry_after)
    if isinstance(fault, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="xunjian"'
    return response


def _document(status: HTTPStatus, title: str, detail: str, path: str, **members: Any) -> Response:
    stated = {"type": "about:blank", "title": title, "status": status.value, "detail": detail, "instance": quote(path)}
    return Response(orjson.dumps({**stated, **members}), status=status.value, content_type=MEDIA_TYPE)


def _allowed(fault: MethodNotAllowed) -> str:
    return f"Allowed here: {', '.join(sorted(fault.valid_methods or ()))}."


def _fields(fault: Invalid) -> Iterable[dict[str, str]]:
    return ({"field": field, "expected": expected} for field, whys in fault.errors.items() for expected in whys)
