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
REQUESTS_PER_MINUTE       how many requests one caller may make of one gateway
ANONYMOUS_REQUESTS_PER_MINUTE   and one address from which nobody has signed in
WEBHOOK_HOSTS             hosts with internal addresses that webhooks may nevertheless call
WEBHOOK_SM2_KEY           integration's private key (PEM) that signs webhooks by SM2, made where there is none; null: no
                          webhook can be signed so
WEB_SERVER_ADDRESS        where the gateway listens
MONITOR_ADDRESS           where each process says how it is (/healthz, /readyz, /metrics) to anybody who asks; null: nowhere
"""

from collections.abc import Mapping
from typing import Any

import yaml

from shared.errors import Invalid

SCORED = ("asset_registry", "scheduling", "work_orders", "scoring")
"""The services whose events make the score, in the order in which they flow."""
FED = (*SCORED, "integration")
"""The services whose events other systems are told of: all but access, whose ledger is nobody else's."""
SERVICES = (*FED, "access")
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
    "REQUESTS_PER_MINUTE": 3000,
    "ANONYMOUS_REQUESTS_PER_MINUTE": 300,
    "WEBHOOK_HOSTS": [],
    "WEBHOOK_SM2_KEY": None,
    "WEB_SERVER_ADDRESS": "127.0.0.1:8000",
    "MONITOR_ADDRESS": None,
    "serializer": "json",
    "max_workers": 10,
}


FROM_OUTSIDE = (
    "PUBLIC_URL",
    "OIDC_ISSUER",
    "OIDC_CLIENT_ID",
    "OIDC_CLIENT_SECRET",
    "JWT_ISSUERS",
    "REQUESTS_PER_MINUTE",
    "ANONYMOUS_REQUESTS_PER_MINUTE",
    "WEBHOOK_HOSTS",
    "MONITOR_ADDRESS",
)
"""What the embedded platform, too, takes from its environment; the rest follows from its folder and port."""


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """What variables `XUNJIAN_…` say of FROM_OUTSIDE, each read as YAML; raises Invalid where one is none."""
    said: dict[str, Any] = {}
    for name in FROM_OUTSIDE:
        try:
            value = yaml.safe_load(environment.get(f"XUNJIAN_{name}", ""))
        except yaml.YAMLError as fault:
            raise Invalid({f"XUNJIAN_{name}": [f"expected YAML: {' '.join(str(fault).split())}"]}) from fault
        if value is not None:
            said[name] = value
    return said


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
