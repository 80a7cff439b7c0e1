"""The OpenAPI document of the whole API, as bytes that are the same wherever they are made."""

import inspect
import json
from importlib import import_module
from typing import Any

from services.gateway.callers import COOKIE
from services.gateway.route import Route
from services.gateway.routes import ROUTES
from services.hosted import class_of
from services.openapi import operations, responses, words
from services.openapi.schemas import Json, Schemas


def document() -> Json:
    """OpenAPI 3.1 of every line of the table, in its order."""
    tags = [_tag(service) for service in dict.fromkeys(route.service for route in ROUTES)]
    info = {"summary": "指令与查询。Every command and every question.", "description": words.ABOUT}
    schemas = Schemas(
        title="Xunjian 巡检",
        version="v1",
        info=info,
        servers=[{"url": "/"}],
        tags=tags,
        security=[{"session": []}, {"token": []}],
    )
    for name, scheme in _SCHEMES.items():
        schemas.spec.components.security_scheme(name, scheme)
    responses.declare(schemas)
    operations.declare(schemas)
    for route in ROUTES:  # first, so that what is both asked and answered has its plain name where it is asked
        operations.body(route, service_of(route), schemas)
    for route, name in zip(ROUTES, operations.names(ROUTES), strict=True):
        said = operations.operation(route, service_of(route), name, schemas)
        schemas.spec.path(route.path, operations={route.method.lower(): said})
    made: Json = schemas.spec.to_dict()
    made["components"]["schemas"] = dict(sorted(made["components"]["schemas"].items()))
    return made


def document_bytes(made: Json) -> bytes:
    """The document as its file has it: JSON in UTF-8."""
    return (json.dumps(made, ensure_ascii=False, indent=1) + "\n").encode()


def service_of(route: Route) -> Any:
    """The class whose method answers a line."""
    return class_of(route.service)


def _tag(service: str) -> Json:
    about = inspect.getdoc(import_module(f"services.{service}")) or ""
    return {"name": service, "x-displayName": words.TAGS[service], "description": about}


_SCHEMES: dict[str, Json] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "浏览器会话。The cookie of a browser's session; what changes something must come from a page of this address.",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "会话令牌、API 密钥或 JWT。A session's token, an API key, or a JWT of the provider that is trusted here.",
    },
}
