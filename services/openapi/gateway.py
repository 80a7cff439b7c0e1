"""What the gateway's own methods are asked and answer: most of them write their response by themselves."""

from collections.abc import Mapping

from services.gateway import forms, signing_in
from services.gateway.route import Route
from services.gateway.service import SetClock
from services.openapi.schemas import Json
from shared.catalogue.documents import MEDIA_TYPES

ASKS: Mapping[str, type] = {
    "set_clock": SetClock,
    "sign_in": signing_in.SignIn,
    "change_password": signing_in.ChangePassword,
    "first_account": signing_in.FirstAccount,
    "set_password": signing_in.SetPassword,
}
ANSWERS: Mapping[str, type] = {
    "health": forms.Health,
    "installation": forms.Installation,
    "set_clock": forms.Moved,
    "sign_in": signing_in.SignedIn,
    "session": forms.Session,
    "first_account": signing_in.SignedIn,
    "set_password": signing_in.SignedIn,
}
_LOCATION: Json = {"Location": {"$ref": "#/components/headers/Location"}}


def _file(said: str, *media_types: str) -> Json:
    return {"200": {"description": said, "content": {media_type: {} for media_type in media_types}}}


SUCCESSES: Mapping[str, Json] = {
    "openapi": _file("本文档。This document.", "application/json"),
    "api_page": _file("本文档的网页。The page of this document.", "text/html"),
    "catalogue": _file("事件目录。A file of the catalogue.", *sorted(MEDIA_TYPES.values())),
    "catalogue_of_event": _file("事件的 JSON Schema。The JSON Schema of an event.", MEDIA_TYPES["json"]),
    "begin_oidc": {"302": {"description": "去登录。To the provider.", "headers": _LOCATION}},
    "finish_oidc": {
        "303": {"description": "已登录。Signed in, and on to where the browser was going.", "headers": _LOCATION}
    },
}
"""What is answered that is no JSON of a form."""


def writes_by_itself(route: Route) -> bool:
    """Whether a line is answered by the gateway with something else than JSON of a form."""
    return route.service == "gateway" and route.rpc in SUCCESSES


WAYS_IN = frozenset({"sign_in", "first_account", "set_password", "begin_oidc", "finish_oidc"})
"""Nobody has to have signed in for these, and may be refused all the same."""
