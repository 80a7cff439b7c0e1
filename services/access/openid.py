"""Signing in at an OpenID provider: authorization code with PKCE (OpenID Connect Core 1.0, RFC 7636).

The browser carries only the state. What must not be seen in it (the verifier) and what the token must name (the nonce)
wait in the database, for ten minutes and for one use.
"""

from dataclasses import dataclass
from datetime import timedelta

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from services.access import tokens
from services.access.bearer import Bearer, Bearers, discovered
from services.access.one_time import OneTimeCodes
from services.access.outbound import SECONDS
from services.access.refusal import NotLetIn
from services.access.settings import JwtIssuer, OidcClient
from services.access.words import line
from shared.clock import Clock
from shared.database import Database
from shared.errors import Invalid, Rejected, Unavailable

CALLBACK = "/v1/session/oidc/callback"
"""Where the provider sends people back to."""
LASTS = timedelta(minutes=10)
"""How long somebody may take at the provider."""
SCOPE = "openid profile"


@dataclass(frozen=True, kw_only=True)
class Known:
    """Whom the provider knows: the issuer's name for them, and the names that they go by there."""

    issuer: str
    subject: str
    username: str
    display_name: str


class OpenIdProvider:
    """The provider at which people sign in."""

    def __init__(self, client: OidcClient, public_url: str, clock: Clock) -> None:
        self._client = client
        self._redirect_uri = public_url + CALLBACK
        self._bearers = Bearers({client.issuer: JwtIssuer(audiences=(client.client_id,))}, clock)

    def begin(self, codes: OneTimeCodes, return_to: str) -> tuple[str, str]:
        """Where to send a browser, and the state with which it comes back; raises Unavailable."""
        endpoint = self._endpoint("authorization_endpoint")
        verifier, nonce = tokens.new(""), tokens.new("")
        state = codes.make("oidc", {"verifier": verifier, "nonce": nonce, "return_to": return_to}, codes.expiry(LASTS))
        with self._session() as session:
            address, _ = session.create_authorization_url(endpoint, state=state, code_verifier=verifier, nonce=nonce)
        return address, state

    def finish(self, codes: OneTimeCodes, database: Database, code: str, state: str) -> tuple[Known, str]:
        """Whom the provider knows by a code, and where they wanted to go; raises NotLetIn, Unavailable."""
        waiting = codes.find(state, "oidc")
        with database.write() as connection:
            if waiting is None or not codes.use(connection, state, "oidc"):
                raise NotLetIn(
                    "wrong_state", "this sign-in was not begun here, has taken too long, or is done: begin anew"
                )
        token = self._id_token(code, waiting.details["verifier"])
        bearer = self._bearers.verified(token, self._client.issuer, (self._client.client_id,))
        if bearer.claims.get("nonce") != waiting.details["nonce"]:
            raise NotLetIn("wrong_nonce", "the provider's token is of another sign-in")
        if (
            isinstance(bearer.claims.get("aud"), list)
            and bearer.claims.get("azp", self._client.client_id) != self._client.client_id
        ):
            raise NotLetIn("wrong_audience", "the provider's token was made for another client")
        return _known(bearer), waiting.details["return_to"]

    def _id_token(self, code: str, verifier: str) -> str:
        """What the provider gives for a code."""
        endpoint = self._endpoint("token_endpoint")
        try:
            with self._session() as session:
                told = session.fetch_token(endpoint, code=code, code_verifier=verifier, timeout=SECONDS)
        except AuthlibBaseError as fault:
            raise NotLetIn("provider", f"the provider refused: {str(fault)[:200]}") from fault
        except (requests.RequestException, ValueError) as fault:
            raise Unavailable(f"{endpoint} did not answer") from fault
        if not isinstance(told.get("id_token"), str):
            raise NotLetIn("provider", "the provider gave no id_token")
        return str(told["id_token"])

    def _endpoint(self, name: str) -> str:
        found = discovered(self._client.issuer).get(name)
        if not isinstance(found, str):
            raise Unavailable(f"{self._client.issuer} names no {name}")
        return found

    def _session(self) -> OAuth2Session:
        return OAuth2Session(
            client_id=self._client.client_id,
            client_secret=self._client.secret,
            token_endpoint_auth_method="client_secret_basic" if self._client.secret else "none",
            scope=SCOPE,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
        )


def safe_return(wanted: str | None) -> str:
    """Where to go after a sign-in: a path of ours, by default the first page; raises Invalid for anything else."""
    path = wanted or "/"
    if not path.startswith("/") or path.startswith("//") or "\\" in path or not path.isprintable() or len(path) > 500:
        raise Invalid({"return_to": ["expected a path of this address, like /v1/docs"]})
    return path


def must_be_configured(provider: OpenIdProvider | None) -> OpenIdProvider:
    """The provider; raises Rejected where none is configured."""
    if provider is None:
        raise Rejected("no OpenID provider is configured here (OIDC_ISSUER): sign in with username and password")
    return provider


def _known(bearer: Bearer) -> Known:
    claims = bearer.claims
    told = {name: claims[name] for name in ("name", "preferred_username") if isinstance(claims.get(name), str)}
    username = told.get("preferred_username", "")
    return Known(
        issuer=bearer.issuer,
        subject=bearer.subject,
        username=username.partition("@")[0],
        display_name=line(told.get("name", "")).strip() or line(username).strip() or bearer.subject,
    )
