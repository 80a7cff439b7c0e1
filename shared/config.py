"""Configuration: the one table of all settings, and how a service asks for one.

What they are set to is one flat mapping, name → value; `shared.configuring` makes it from a YAML file and from variables
`XUNJIAN_…`. `docs/configuration.md` is written from this table by `make catalogue`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from shared.errors import Invalid
from shared.kinds import ADDRESS, FLAG, HOSTS, MAPPING, SECONDS, Kind, one_of, text, url, whole

SCORED = ("asset_registry", "scheduling", "work_orders", "scoring")
"""The services whose events make the score, in the order in which they flow."""
FED = (*SCORED, "integration")
"""The services whose events other systems are told of: all but access, whose ledger is nobody else's."""
SERVICES = (*FED, "access")
"""The services that keep ledgers; each has its own database."""
ALL = (*SERVICES, "gateway")

PREFIX = "XUNJIAN_"
BROKER_SCHEMES = ("amqp", "amqps", "pyamqp")


@dataclass(frozen=True)
class Setting:
    """One setting: what it may be, what it is where nobody says it, what it means, and who reads it.

    `outside`: the embedded platform, too, takes it from its environment; there the rest follows from its folder and port.
    """

    name: str
    kind: Kind
    default: Any
    meaning: str
    by: tuple[str, ...] = ALL
    secret: bool = False
    outside: bool = False

    @property
    def variable(self) -> str:
        """The variable of the environment that says it."""
        return PREFIX + self.name.upper()


SETTINGS = (
    Setting(
        "AMQP_URI", url(*BROKER_SCHEMES), "amqp://127.0.0.1:5672//", "The broker, RabbitMQ, and the virtual host on it."
    ),
    Setting(
        "BROKER_PASSWORD", text(), None, "The password of the user in `AMQP_URI`, which then holds none.", secret=True
    ),
    Setting(
        "DATABASE_PASSWORD",
        text(),
        None,
        "The password of the role in the address of the service's own database, which then holds none.",
        SERVICES,
        secret=True,
    ),
    Setting(
        "RUNTIME_ROLES",
        MAPPING,
        {},
        "PostgreSQL's roles under which services run, `{scoring: scoring}`: they may use the tables that another role owns."
        " A service that is not named here owns its tables.",
        ("xunjian migrate", "xunjian move"),
    ),
    Setting(
        "SIMULATED",
        FLAG,
        None,
        "`true` or `false` marks a new installation for ever, the same in all services; null takes each as it is marked,"
        " and a new one is real.",
        SERVICES,
    ),
    Setting(
        "PARTITIONS", whole(1, 1024), 4, "Queues of each subscription; fixed for the life of an installation.", SERVICES
    ),
    Setting("CATCH_UP_SECONDS", SECONDS, 5.0, "How often a reader compares itself with its sources.", SERVICES),
    Setting("POLL_SECONDS", SECONDS, 1.0, "How often the relay looks for events that nobody woke it for.", SERVICES),
    Setting("RPC_DEADLINE_SECONDS", SECONDS, 5.0, "How long a call between services may take."),
    Setting(
        "STOP_SECONDS",
        SECONDS,
        20.0,
        "How long work in hand may take once a process is told to stop; then it ends all the same.",
        outside=True,
    ),
    Setting(
        "SEAL_KEY",
        text("the path of a file"),
        None,
        "The file of the private key (PEM) that seals what is published, made where there is none; null: nothing can be"
        " published.",
        ("scoring",),
    ),
    Setting(
        "OPERATOR_KEY",
        text("at least 32 characters", shortest=32),
        None,
        "Whoever says it to the gateway is the operator, who sets the installation up; null: nobody is.",
        ("access",),
        secret=True,
    ),
    Setting(
        "PUBLIC_URL",
        url("http", "https"),
        "http://127.0.0.1:8000",
        "How browsers reach the gateway, for links and redirects.",
        ("access", "gateway"),
        outside=True,
    ),
    Setting(
        "OIDC_ISSUER",
        url("http", "https"),
        None,
        "The OpenID provider at which people sign in; null: with local accounts only.",
        ("access",),
        outside=True,
    ),
    Setting("OIDC_CLIENT_ID", text(), None, "How the provider knows us.", ("access",), outside=True),
    Setting(
        "OIDC_CLIENT_SECRET",
        text(),
        None,
        "Our secret there, if it gave us one.",
        ("access",),
        secret=True,
        outside=True,
    ),
    Setting(
        "JWT_ISSUERS",
        MAPPING,
        {},
        "Whose bearer tokens machines may show: issuer → `{audience, jwks_uri?}`.",
        ("access",),
        outside=True,
    ),
    Setting(
        "REQUESTS_PER_MINUTE",
        whole(1, 10**9),
        3000,
        "How many requests one caller may make of one gateway.",
        ("gateway",),
        outside=True,
    ),
    Setting(
        "ANONYMOUS_REQUESTS_PER_MINUTE",
        whole(1, 10**9),
        300,
        "How many requests may come from one address from which nobody has signed in.",
        ("gateway",),
        outside=True,
    ),
    Setting(
        "WEBHOOK_HOSTS",
        HOSTS,
        [],
        "Hosts with internal addresses that webhooks may nevertheless call.",
        ("integration",),
        outside=True,
    ),
    Setting(
        "WEBHOOK_SM2_KEY",
        text("the path of a file"),
        None,
        "The file of the private key (PEM) that signs webhooks by SM2, made where there is none; null: no webhook can be"
        " signed so.",
        ("integration",),
    ),
    Setting("WEB_SERVER_ADDRESS", ADDRESS, "127.0.0.1:8000", "Where the gateway listens.", ("gateway",)),
    Setting(
        "MONITOR_ADDRESS",
        ADDRESS,
        None,
        "Where each process says how it is (`/healthz`, `/readyz`, `/metrics`) to anybody who asks; null: nowhere.",
        outside=True,
    ),
    Setting(
        "OTLP_ENDPOINT",
        url("http", "https"),
        None,
        "Who receives traces by OTLP/HTTP, like `http://collector:4318`; null: nothing is traced.",
        outside=True,
    ),
    Setting(
        "MAX_BODY_BYTES",
        whole(1024, 2**30),
        1024 * 1024,
        "The longest body of a request that is no file.",
        ("gateway",),
    ),
    Setting("max_workers", whole(1, 1000), 10, "How many calls or requests a process works on at once."),
    Setting("LOG_LINES", one_of("json", "console"), "json", "Whether the log is for machines or for a terminal."),
    Setting("LOG_LEVEL", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO", "From which level on lines are logged."),
)
"""Every setting but the databases, which are named under DATABASES: service → SQLAlchemy URL."""

DEFAULTS: dict[str, Any] = {one.name: one.default for one in SETTINGS}


def database_variable(service: str) -> str:
    """The variable that names the database of a service."""
    return f"{PREFIX}DATABASE_{service.upper()}"


def database_url(config: Mapping[str, Any], service: str) -> str:
    """The database of a service, with the password of DATABASE_PASSWORD where it holds none of its own.

    Raises Invalid where no database is named.
    """
    named = config.get("DATABASES", {}).get(service)
    if not named:
        raise Invalid({f"DATABASES.{service}": ["expected the SQLAlchemy URL of this service's own database"]})
    return with_password(str(named), setting(config, "DATABASE_PASSWORD"))


def runtime_role(config: Mapping[str, Any], service: str) -> str | None:
    """The role under which a service runs, None where it owns its tables; raises Invalid for what is no service or role."""
    roles = setting(config, "RUNTIME_ROLES")
    if not isinstance(roles, Mapping):
        raise Invalid({"RUNTIME_ROLES": ["expected a mapping, {service: role}"]})
    for name, role in roles.items():
        if name not in SERVICES or not isinstance(role, str) or not role:
            raise Invalid(
                {f"RUNTIME_ROLES.{name}": [f"expected a role of PostgreSQL for one of {', '.join(SERVICES)}"]}
            )
    found: str | None = roles.get(service)
    return found


def with_password(address: str, password: str | None) -> str:
    """An address with a password for its user, if it names a user without one."""
    parts = urlsplit(address)
    if password is None or not parts.username or parts.password is not None:
        return address
    user = f"{quote(unquote(parts.username), safe='')}:{quote(password, safe='')}"
    return address.replace(f"{parts.netloc}", f"{user}@{parts.netloc.rpartition('@')[2]}", 1)


def setting(config: Mapping[str, Any], name: str) -> Any:
    """A setting, or its default."""
    value = config.get(name)
    return DEFAULTS[name] if value is None else value
