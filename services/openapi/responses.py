"""The responses of an operation: what it answers, and each way in which it may be refused."""

from pathlib import PurePosixPath
from typing import Any

from services.gateway import forms
from services.gateway.problems import MEDIA_TYPE
from services.gateway.route import Route
from services.gateway.routes import PICTURES, XLSX
from services.openapi import gateway
from services.openapi.schemas import Json, Schemas
from services.openapi.words import STATUSES
from shared.rights import PUBLIC

_FILES = {
    ".ics": ("text/calendar",),
    ".json": ("application/json",),
    ".pdf": ("application/pdf",),
    ".pem": ("application/x-pem-file",),
    ".png": ("image/png",),
    ".xlsx": (XLSX,),
    ".zip": ("application/zip",),
}
"""Media types of downloads by the end of their path."""
_OTHER_FILES = {
    "asset_registry.document": ("application/pdf", *PICTURES),
    "asset_registry.export_assets": (XLSX, "text/csv"),
    "asset_registry.labels": ("text/html",),
    "work_orders.photo": PICTURES,
}
"""Of those whose path does not say it, by their target."""


def declare(schemas: Schemas) -> None:
    """Put what several operations share into the document: headers, and a response for each status of a refusal."""
    problem = schemas.answer(forms.Problem)
    for name, (kind, means) in _HEADERS.items():
        schemas.spec.components.header(name, {"description": means, "schema": {"type": kind}})
    for status, (name, zh, en) in STATUSES.items():
        said: Json = {"description": f"{zh}。{en}", "headers": _headers("X-Correlation-Id", *_MORE.get(status, ()))}
        if status >= 400:
            said["content"] = {MEDIA_TYPE: {"schema": problem}}
        schemas.spec.components.response(name, said)


def responses(route: Route, form: Any, schemas: Schemas) -> Json:
    """By status, what an operation answers."""
    refusals = {str(status): {"$ref": f"#/components/responses/{STATUSES[status][0]}"} for status in _statuses(route)}
    if gateway.writes_by_itself(route):
        return {**gateway.SUCCESSES[route.rpc], **refusals}
    if route.target == "gateway.health":  # says of each service what it is, also where one is not there
        told = _success(route, form, schemas)
        content = {**told["content"], MEDIA_TYPE: {"schema": schemas.answer(forms.Problem)}}
        missing = {"description": "有服务不可用。Some service does not answer.", "content": content}
        return {"200": told, **refusals, "503": missing}
    return {"200": _success(route, form, schemas), **refusals}


def _success(route: Route, form: Any, schemas: Schemas) -> Json:
    named = ["X-Correlation-Id"]
    if route.method == "GET":
        named.append("ETag")
    named += {"list": ["Link"], "feed": ["Link", "X-Head"]}.get(route.kind, [])
    if route.kind == "download":
        ending = PurePosixPath(route.path).suffix
        content: Json = {media_type: {} for media_type in _OTHER_FILES.get(route.target) or _FILES[ending]}
    else:
        shape = list[form] if route.kind == "list" else form
        content = {"application/json": {"schema": schemas.answer(shape)}}
    return {"description": _ANSWERED[route.kind], "headers": _headers(*named), "content": content}


def _statuses(route: Route) -> list[int]:
    """The ways in which a request of this line can be refused, and 304."""
    changes, way_in = route.method != "GET", route.service == "gateway" and route.rpc in gateway.WAYS_IN
    said = {
        304: not changes and not gateway.writes_by_itself(route),
        400: changes,
        401: way_in or route.target not in PUBLIC,
        403: way_in or route.target not in PUBLIC,
        404: way_in or "{" in route.path or route.kind == "feed" or (changes and route.service != "gateway"),
        409: way_in or changes,
        412: changes and route.stream is not None,
        413: changes,
        415: changes,
        422: True,
        429: True,
        503: True,
    }
    return [status for status, comes in said.items() if comes]


_ANSWERED = {
    "command": "已执行。It was carried out.",
    "query": "所问的现状。What is so.",
    "list": "一页。A page of the list.",
    "upload": "已收。It was received.",
    "download": "文件。The file.",
    "feed": "事件。Events, in order.",
    "receive": "已收。It was received.",
}
_HEADERS = {
    "X-Correlation-Id": ("string", "Under which id the request is found in logs and events: the caller's, or a new one."),
    "ETag": ("string", "What the answer is; of a stream its version stands first. See If-None-Match and If-Match."),
    "X-Head": ("integer", "The number of the newest event of the facility."),
    "Location": ("string", "Where to go."),
    "Link": ("string", 'Where the next page is: `<…>; rel="next"`; absent on the last one, but not of a feed.'),
    "Retry-After": ("integer", "After how many seconds it is worth another try."),
    "WWW-Authenticate": ("string", "How to sign in."),
}  # fmt: skip
_MORE = {304: ("ETag",), 401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
