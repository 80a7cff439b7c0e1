"""Writes what a service answered as a response: JSON, a page of a list, or a file."""

import base64
import gzip
import hashlib
import re
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from werkzeug.wrappers import Request, Response

from services.gateway.route import Kind

GZIPPED_BYTES = 1024
"""Shorter answers are sent as they are."""
_TEXTS = ("application/json", "application/problem+json", "text/", "image/svg+xml")


def answered(
    kind: Kind, answer: Any, request: Request, status: HTTPStatus = HTTPStatus.OK, version: int | None = None
) -> Response:
    """The response to a request of a kind; `version` is that of the stream that was asked for."""
    response = _written(kind, answer, request, status)
    if request.method in ("GET", "HEAD") and status == HTTPStatus.OK:
        return _tagged(response, request, version)
    return response


def gzipped(response: Response, request: Request) -> Response:
    """The response, compressed where the client reads that and it is text of some length."""
    if not (response.mimetype or "").startswith(_TEXTS) or response.direct_passthrough:
        return response
    response.vary.add("Accept-Encoding")
    body = response.get_data()
    if len(body) < GZIPPED_BYTES or not request.accept_encodings["gzip"]:
        return response
    response.set_data(gzip.compress(body, compresslevel=5, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    if "ETag" in response.headers:
        response.headers["ETag"] = f'{response.headers["ETag"][:-1]}.gz"'
    return response


def _tagged(response: Response, request: Request, version: int | None) -> Response:
    """With an entity tag: the version of the stream, if there is one, and what the body is; or 304 where that is known."""
    content = hashlib.sha256(response.get_data()).hexdigest()[:16]
    tag = f'"{content}"' if version is None else f'"{version}.{content}"'
    known = request.headers.get("If-None-Match", "")
    if tag in (one.strip().removeprefix("W/").replace(".gz", "") for one in known.split(",")):
        response = Response(status=HTTPStatus.NOT_MODIFIED.value)
    response.headers["ETag"] = tag
    return response


def _written(kind: Kind, answer: Any, request: Request, status: HTTPStatus) -> Response:
    match kind:
        case "list":
            return _page(answer, request)
        case "feed":
            return _feed(answer, request)
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


def _feed(page: dict[str, Any], request: Request) -> Response:
    """The events as an array, each in the bytes of its ledger, and always where to go on."""
    items = [{"number": item["number"], "event": orjson.Fragment(item["event"])} for item in page["items"]]
    response = _json(items)
    asked = urlencode({**request.args.to_dict(), "after": page["next"]})
    response.headers["Link"] = f'<{quote(request.path)}?{asked}>; rel="next"'
    response.headers["X-Head"] = str(page["head"])
    return response


def _file(file: dict[str, str]) -> Response:
    """The bytes of a file; a page may use its own style and nothing else."""
    body = base64.b64decode(file["body"])
    response = Response(body, content_type=file["media_type"])
    if filename := file.get("filename"):
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(filename)}"
    return with_policy(response, sandboxed=True)


def with_policy(response: Response, *, sandboxed: bool = False) -> Response:
    """A page with a policy by which it may use its own style and nothing else."""
    if response.mimetype == "text/html":
        body = response.get_data()
        styles = " ".join(_hash(style) for style in re.findall(rb"<style>(.*?)</style>", body, re.DOTALL)) or "'none'"
        rest = "frame-ancestors 'none'; sandbox" if sandboxed else "form-action 'self'; frame-ancestors 'none'"
        response.headers["Content-Security-Policy"] = f"default-src 'none'; style-src {styles}; {rest}"
    return response


def _hash(content: bytes) -> str:
    """A source of CSP that allows this very content."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}'"
