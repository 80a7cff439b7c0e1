"""The way in and out: what is asked of access, and the cookies that browsers keep of it."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from services.gateway import doorkeeping
from services.gateway.callers import COOKIE, Access, Caller, credential_of
from services.gateway.code_forms import FIRST_ACCOUNT, NEW_PASSWORD, CodeForm
from services.gateway.doorkeeping import address_of
from shared.errors import Invalid, Refused, Unauthenticated
from shared.event import flat
from shared.schema import Text, schema_of

STATE_COOKIE = "xunjian_oidc"
HOME = "/v1/session"
"""Where a browser goes that has signed in and was not on its way anywhere."""


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """A name and a password."""

    username: Text
    password: Text


@dataclass(frozen=True, kw_only=True)
class FirstAccount:
    """The first administrator, under the code of the one-time link."""

    code: Text
    username: Text
    display_name: Text
    password: Text


@dataclass(frozen=True, kw_only=True)
class SetPassword:
    """A password for an account, under the code that an administrator handed over."""

    code: Text
    password: Text


@dataclass(frozen=True, kw_only=True)
class ChangePassword:
    """Another password for who is signed in."""

    old: Text
    new: Text


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A session: its token, to be shown as `Authorization: Bearer` by those who keep no cookies, and until when it lasts."""

    token: str
    actor: str
    expires_at: str


def checked(form: type, data: dict[str, Any]) -> dict[str, Any]:
    """What a body says, if it is of the form; raises Invalid."""
    if faults := flat(schema_of(form, strict=True).validate(data)):
        raise Invalid(faults)
    return data


def signed_in(told: dict[str, Any], public_url: str) -> Response:
    """A new session as JSON, and as a cookie."""
    body = {name: told[name] for name in ("token", "actor", "expires_at")}
    response = Response(orjson.dumps(body), content_type="application/json")
    keep(response, told, public_url)
    return response


def keep(response: Response, told: dict[str, Any], public_url: str) -> None:
    """Have the browser keep a session as long as it may last."""
    _set_cookie(response, COOKIE, told["token"], public_url, datetime.fromisoformat(told["expires_at"]))


def _set_cookie(response: Response, name: str, value: str, public_url: str, expires: datetime | None = None) -> None:
    """A cookie that no script reads and no other site sends along, until a moment or the browser's end."""
    secure = urlsplit(public_url).scheme == "https"
    response.set_cookie(name, value, expires=expires, secure=secure, httponly=True, samesite="Lax")


def signed_out() -> Response:
    """Nothing, and the cookie taken back."""
    response = Response(orjson.dumps(None), content_type="application/json")
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax")
    return response


def to_provider(access: Access, return_to: str | None, public_url: str) -> Response:
    """On to the OpenID provider; the state goes along in a cookie, so that only this browser can come back with it.

    Raises Invalid where `return_to` is no path of ours, which access says.
    """
    told = access.call("oidc_begin", return_to=return_to or HOME)
    response = redirect(told["redirect_to"], HTTPStatus.FOUND.value)
    _set_cookie(response, STATE_COOKIE, told["state"], public_url)
    return response


def from_provider(access: Access, request: Request, asked: dict[str, str | None], public_url: str) -> Response:
    """Back from the OpenID provider: a session, and on to where the browser was going; raises Unauthenticated."""
    if asked["error"]:
        raise Unauthenticated(f"the provider refused: {asked['error']} {asked['error_description'] or ''}".strip())
    if not asked["code"] or not asked["state"] or request.cookies.get(STATE_COOKIE) != asked["state"]:
        raise Unauthenticated("this browser did not begin this sign-in; begin again at /v1/session/oidc")
    told = access.call(
        "oidc_finish", code=asked["code"], state=asked["state"], address=address_of(request), deadline=30.0
    )
    response = redirect(told["return_to"], HTTPStatus.SEE_OTHER.value)
    keep(response, told, public_url)
    response.delete_cookie(STATE_COOKIE, httponly=True, samesite="Lax")
    return response


class SigningIn(doorkeeping.Doorkeeping):
    """Answers those who come and go."""

    def sign_in(self, request: Request, data: dict[str, Any], **_: Any) -> Response:
        """Sign in with a local account's name and password; answers a session, as a cookie too."""
        checked(SignIn, data)
        told = self.access.call("sign_in", **data, address=address_of(request))
        return signed_in(told, self.public_url)

    def session(self, caller: Caller, **_: Any) -> tuple[dict[str, Any]]:
        """Who is signed in, as whom, until when, and with which roles where."""
        return (vars(caller),)

    def sign_out(self, request: Request, **_: Any) -> Response:
        """End the session."""
        self.access.call("sign_out", credential=credential_of(request))
        self.callers.forget()
        return signed_out()

    def change_password(self, request: Request, data: dict[str, Any], **_: Any) -> tuple[None]:
        """Choose another password; every other session of the account ends."""
        checked(ChangePassword, data)
        self.access.call("change_password", credential=credential_of(request), **data, address=address_of(request))
        self.callers.forget()
        return (None,)

    def first_account(self, request: Request, data: dict[str, Any], **_: Any) -> Response:
        """Make the first account, under the code of the one-time link, and sign in."""
        checked(FirstAccount, data)
        told = self.access.call("first_account", **data, address=address_of(request))
        return signed_in(told, self.public_url)

    def set_password(self, request: Request, data: dict[str, Any], **_: Any) -> Response:
        """Set a password, under the code that an administrator handed over, and sign in."""
        checked(SetPassword, data)
        told = self.access.call("set_password", **data, address=address_of(request))
        return signed_in(told, self.public_url)

    def welcome(self, code: str | None, **_: Any) -> Response:
        """The page behind the one-time link."""
        return FIRST_ACCOUNT.page(code or "")

    def accept_welcome(self, request: Request, data: dict[str, Any], **_: Any) -> Response:
        """Make the first account by that page's form, and go on signed in."""
        return self._accept(FIRST_ACCOUNT, "first_account", FirstAccount, request, data)

    def password_page(self, code: str | None, **_: Any) -> Response:
        """The page behind the code that an administrator hands over."""
        return NEW_PASSWORD.page(code or "")

    def accept_password(self, request: Request, data: dict[str, Any], **_: Any) -> Response:
        """Set the password by that page's form, and go on signed in."""
        return self._accept(NEW_PASSWORD, "set_password", SetPassword, request, data)

    def _accept(self, form: CodeForm, method: str, fields: type, request: Request, data: dict[str, Any]) -> Response:
        """A form under a code: signed in, or the form again with what is wrong."""
        try:
            told = self.access.call(method, **checked(fields, data), address=address_of(request))
        except Invalid as fault:
            return form.page(str(data.get("code", "")), fault.errors, data, fault.status)
        except Refused as fault:
            return form.page(str(data.get("code", "")), {"": [str(fault)]}, data, fault.status)
        response = redirect(HOME, HTTPStatus.SEE_OTHER.value)
        keep(response, told, self.public_url)
        return response

    def begin_oidc(self, return_to: str | None, **_: Any) -> Response:
        """Go to the OpenID provider to sign in."""
        return to_provider(self.access, return_to, self.public_url)

    def finish_oidc(self, request: Request, caller: Caller | None, **asked: str | None) -> Response:
        """Come back from there."""
        return from_provider(self.access, request, asked, self.public_url)
