"""Configuration: one flat mapping, made from `XUNJIAN_…` environment variables or read by nameko from YAML.

AMQP_URI                  broker, or the embedded one
DATABASES                 service → SQLAlchemy URL
SIMULATED                 true, false, or null to take an existing database as it is marked
PARTITIONS                queues per subscription; fixed for the life of an installation
CATCH_UP_SECONDS          how often a reader compares itself with its sources
POLL_SECONDS              how often the relay looks for events that nobody woke it for
RPC_DEADLINE_SECONDS      how long a call between services may take
SEAL_KEY                  scoring's private key (PEM) that seals what is published, made where there is none; null: nothing
                          can be published
OPERATOR_KEY              a secret of at least 32 characters: whoever says it to the gateway is the operator, who sets the
                          installation up; null: nobody is
PUBLIC_URL                how browsers reach the gateway, for links and redirects
OIDC_ISSUER               the OpenID provider at which people sign in; null: with local accounts only
OIDC_CLIENT_ID            how the provider knows us
OIDC_CLIENT_SECRET        and our secret there, if it gave us one
JWT_ISSUERS               issuer → {audience, jwks_uri?}: whose bearer tokens machines may show
WEBHOOK_HOSTS             hosts with internal addresses that webhooks may nevertheless call
WEB_SERVER_ADDRESS        where the gateway listens
"""

from collections.abc import Mapping
from typing import Any

from shared.errors import Invalid

SCORED = ("asset_registry", "scheduling", "work_orders", "scoring")
"""The services whose events make the score, in the order in which they flow."""
SERVICES = (*SCORED, "integration", "access")
"""The services that keep ledgers; each has its own database."""

DEFAULTS: dict[str, Any] = {
    "SIMULATED": None,
    "PARTITIONS": 4,
    "CATCH_UP_SECONDS": 5.0,
    "POLL_SECONDS": 1.0,
    "RPC_DEADLINE_SECONDS": 5.0,
    "SEAL_KEY": None,
    "OPERATOR_KEY": None,
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "OIDC_ISSUER": None,
    "OIDC_CLIENT_ID": None,
    "OIDC_CLIENT_SECRET": None,
    "JWT_ISSUERS": {},
    "WEBHOOK_HOSTS": [],
    "WEB_SERVER_ADDRESS": "127.0.0.1:8000",
    "serializer": "json",
    "max_workers": 10,
}


def database_url(config: Mapping[str, Any], service: str) -> str:
    """The database of a service; raises Invalid where none is named."""
    url = config.get("DATABASES", {}).get(service)
    if not url:
        raise Invalid({f"DATABASES.{service}": ["expected the SQLAlchemy URL of this service's own database"]})
    return str(url)


def setting(config: Mapping[str, Any], name: str) -> Any:
    """A setting, or its default."""
    value = config.get(name)
    return DEFAULTS[name] if value is None else value
