"""What access is configured with: the operator's key, the OpenID provider, and whose bearer tokens machines may show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.config import setting
from shared.errors import Invalid

SHORTEST_OPERATOR_KEY = 32
"""In characters."""


@dataclass(frozen=True, kw_only=True)
class OidcClient:
    """How we are known at the OpenID provider at which people sign in; `secret` is null for a public client."""

    issuer: str
    client_id: str
    secret: str | None


@dataclass(frozen=True, kw_only=True)
class JwtIssuer:
    """Whose bearer tokens are taken: one of the `audiences` must be named in them; where the keys are is discovered or told."""

    audiences: tuple[str, ...]
    jwks_uri: str | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The whole of it, checked."""

    operator_key: str | None
    public_url: str
    oidc: OidcClient | None
    jwt_issuers: Mapping[str, JwtIssuer]


def settings_of(config: Mapping[str, Any]) -> Settings:
    """What a configuration says; raises Invalid naming each setting that access cannot begin with."""
    faults: dict[str, list[str]] = {}
    key = setting(config, "OPERATOR_KEY")
    if key is not None and len(str(key)) < SHORTEST_OPERATOR_KEY:
        faults["OPERATOR_KEY"] = [f"expected at least {SHORTEST_OPERATOR_KEY} characters, or none at all"]
    public_url = str(setting(config, "PUBLIC_URL")).rstrip("/")
    oidc = _oidc(config, faults)
    issuers = dict(_issuers(setting(config, "JWT_ISSUERS"), faults))
    if faults:
        raise Invalid(faults)
    if oidc is not None and oidc.issuer not in issuers:
        issuers[oidc.issuer] = JwtIssuer(audiences=(oidc.client_id, public_url))
    return Settings(
        operator_key=None if key is None else str(key), public_url=public_url, oidc=oidc, jwt_issuers=issuers
    )


def _oidc(config: Mapping[str, Any], faults: dict[str, list[str]]) -> OidcClient | None:
    issuer, client_id = setting(config, "OIDC_ISSUER"), setting(config, "OIDC_CLIENT_ID")
    if not issuer:
        return None
    if not client_id:
        faults["OIDC_CLIENT_ID"] = ["expected how the provider at OIDC_ISSUER knows us"]
    return OidcClient(issuer=str(issuer), client_id=str(client_id), secret=setting(config, "OIDC_CLIENT_SECRET"))


def _issuers(told: Any, faults: dict[str, list[str]]) -> Mapping[str, JwtIssuer]:
    found = {}
    for issuer, one in told.items() if isinstance(told, Mapping) else ():
        audience = one.get("audience") if isinstance(one, Mapping) else None
        audiences = (audience,) if isinstance(audience, str) else tuple(audience or ())
        if not audiences:
            faults[f"JWT_ISSUERS.{issuer}"] = ["expected {audience, jwks_uri?}"]
        else:
            found[str(issuer)] = JwtIssuer(audiences=audiences, jwks_uri=one.get("jwks_uri"))
    if not isinstance(told, Mapping):
        faults["JWT_ISSUERS"] = ["expected issuer → {audience, jwks_uri?}"]
    return found
