"""Writes what a service answered as a response: JSON, a page of a list, or a file."""

import base64
import hashlib
import re
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from werkzeug.wrappers import Request, Response

from services.gateway.routes import Kind


def answered(kind: Kind, answer: Any, request: Request, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """The response to a request of a kind."""
    match kind:
        case "list":
            return _page(answer, request)
        case "download":
            return _file(answer)
        case _:
            return _json(answer, status)


def _json(value: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(value), status=status.value, content_type="application/json")


def _page(page: dict[str, Any], request: Request) -> Response:
    """The rows as an array, and where the next ones are as a link (RFC 8288)."""
    response = _json(page["items"])
    if page["next"] is not None:
        asked = urlencode({**request.args.to_dict(), "cursor": page["next"]})
        response.headers["Link"] = f'<{quote(request.path)}?{asked}>; rel="next"'
    return response


def _file(file: dict[str, str]) -> Response:
    """The bytes of a file; a page may use its own style and nothing else."""
    body = base64.b64decode(file["body"])
    response = Response(body, content_type=file["media_type"])
    if filename := file.get("filename"):
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(filename)}"
    if response.mimetype == "text/html":
        styles = " ".join(_hash(style) for style in re.findall(rb"<style>(.*?)</style>", body, re.DOTALL)) or "'none'"
        policy = f"default-src 'none'; style-src {styles}; frame-ancestors 'none'; sandbox"
        response.headers["Content-Security-Policy"] = policy
    return response


def _hash(content: bytes) -> str:
    """A source of CSP that allows this very content."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}'"
