"""Makes a configuration of a YAML file and the environment, and says of each setting that is wrong what was expected.

A variable `XUNJIAN_X` says the setting X; `XUNJIAN_X_FILE` the path of a file that holds it, as secrets are handed to
containers. Within the file `${NAME:default}` stands for a variable, as in any configuration of nameko.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from shared.config import (
    DEFAULTS,
    PREFIX,
    SERVICES,
    SETTINGS,
    Setting,
    database_url,
    database_variable,
    setting,
    with_password,
)
from shared.errors import Invalid
from shared.kinds import Kind

FILE = "_FILE"
UNSAID = ("", "null")
"""What a variable says where it says nothing: compose hands on what is not set."""
NO_SETTINGS = re.compile(
    f"{PREFIX}(KEY|LANG|TAG|PORT|PROMETHEUS_PORT|GRAFANA_PORT|ENV_FILE|SECRETS|BACKUP|RABBITMQ_API|FUZZ_.*|TEST_.*|PASSWORD_.*)"
)
"""Variables of the command line, of compose and of the tests, which may stand beside those of a service."""
OF_NAMEKO = ("serializer", "LOGGING", "AMQP_SSL", "HEARTBEAT", "TRANSPORT_OPTIONS", "LOGIN_METHOD")
"""What else a configuration may hold; nameko reads it."""

DATABASE = Kind(
    "a SQLAlchemy URL, postgresql+psycopg://…",
    lambda value: isinstance(value, str) and bool(re.match(r"(postgresql(\+psycopg)?|sqlite)://", value)),
    verbatim=True,
)
_DATABASES = {
    database_variable(service): Setting(
        f"DATABASES.{service}",
        DATABASE,
        f"postgresql+psycopg://xunjian@127.0.0.1:5432/xunjian_{service}",
        f"The database of {service}, which is nobody else's.",
        (service,),
    )
    for service in SERVICES
}
VARIABLES: Mapping[str, Setting] = {one.variable: one for one in SETTINGS} | _DATABASES
"""Every setting, by the variable that says it."""

_PASSWORD = re.compile(r"(://[^:/@\s]*):[^/\s]*@")
_PLACEHOLDER = re.compile(r"\$\{([^}:\s]+)(?::([^}]*))?\}")


def configured(file: Path, environment: Mapping[str, str], service: str | None = None) -> dict[str, Any]:
    """The whole configuration: the file, and above it what the environment says.

    Raises Invalid naming every setting that is unknown, or of another kind than expected; of those that only other
    services than `service` read, none is looked at.
    """
    config = {"AMQP_URI": DEFAULTS["AMQP_URI"], **as_written(file, environment)}
    if faults := dict(_faults(config, file, service)):
        raise Invalid(faults)
    return config


def as_written(file: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """The same, but not held against the table: raises Invalid where it cannot be read, or a variable is wrong."""
    said = said_by(environment)
    try:
        found = yaml.load(file.read_text(), _loader(said, environment))  # noqa: S506  a safe loader's own subclass
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        raise Invalid({str(file): [_line(fault)]}) from fault
    if not isinstance(found, dict):
        raise Invalid({str(file): ["expected a mapping, setting → value"]})
    config: dict[str, Any] = {"DATABASES": {}} | found
    for variable, value in said.items():
        _put(config, VARIABLES[variable].name, value)
    return _with_passwords(config)


def said_by(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the environment says, variable → value; raises Invalid for unknown names and unreadable files or values."""
    said: dict[str, Any] = {}
    faults: dict[str, list[str]] = {}
    for name, words in environment.items():
        if not name.startswith(PREFIX) or NO_SETTINGS.fullmatch(name):
            continue
        variable = name.removesuffix(FILE) if name not in VARIABLES else name
        try:
            value = _value(variable, name, words, environment)
        except Invalid as fault:
            faults |= {where: list(whys) for where, whys in fault.errors.items()}
        else:
            if value is not None:
                said[variable] = value
    if faults:
        raise Invalid(faults)
    return said


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the environment says of the settings that the embedded platform takes from outside; raises as `said_by`."""
    said = said_by(environment)
    return {one.name: said[one.variable] for one in SETTINGS if one.outside and one.variable in said}


def _value(variable: str, name: str, words: str, environment: Mapping[str, str]) -> Any:
    """The value of one variable, None where it says nothing; raises Invalid."""
    if variable not in VARIABLES:
        raise Invalid({name: [_no_setting(name, VARIABLES)]})
    where = name
    if name != variable and words:
        if environment.get(variable, "") not in UNSAID:
            raise Invalid({name: [f"expected one of {variable} and {name}, not both"]})
        where, words = f"{name} ({words})", _content(name, Path(words))
    if words in UNSAID:
        return None
    one = VARIABLES[variable]
    try:
        value = one.kind.read(words)
    except yaml.YAMLError as fault:
        raise Invalid({where: [f"expected {one.kind.expected}, written as YAML"]}) from fault
    if not one.kind.takes(value):
        raise Invalid({where: [_expected(one, value)]})
    return value


def _content(name: str, path: Path) -> str:
    """What a file says, without the end of its last line; raises Invalid."""
    try:
        content = path.read_text().removesuffix("\n").removesuffix("\r")
    except OSError as fault:
        raise Invalid({f"{name} ({path})": [f"expected a file that can be read: {fault.strerror}"]}) from fault
    except UnicodeDecodeError as fault:
        raise Invalid({f"{name} ({path})": ["expected a file of text in UTF-8"]}) from fault
    if not content:
        raise Invalid({f"{name} ({path})": ["expected a file that holds the value; it is empty"]})
    return content


def _expected(one: Setting, value: Any) -> str:
    found = "another value" if one.secret else _PASSWORD.sub(r"\1:***@", repr(value))
    return f"expected {one.kind.expected}; found {found}"


def _no_setting(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"no such setting{f'; perhaps {near[0]}' if near else ''}; docs/configuration.md names them all"


def _faults(config: Mapping[str, Any], file: Path, service: str | None) -> Iterator[tuple[str, list[str]]]:
    """What is wrong with it, by where: the names first, then the values."""
    names = {one.name: one for one in SETTINGS}
    databases = config["DATABASES"]
    for name in config:
        if name not in {*names, "DATABASES", *OF_NAMEKO}:
            yield f"{file}: {name}", [_no_setting(name, [*names, "DATABASES"])]
    for name, one in names.items():
        value = config.get(name)
        if value is not None and _concerns(one, service) and not one.kind.takes(value):
            yield f"{file}: {name}", [_expected(one, value)]
    if not isinstance(databases, dict) or not set(databases) <= set(SERVICES):
        yield f"{file}: DATABASES", [f"expected a mapping of {', '.join(SERVICES)} to database URLs"]
        return
    for name, value in databases.items():
        if service in (None, name) and not DATABASE.takes(value):
            yield f"{file}: DATABASES.{name}", [f"expected {DATABASE.expected}"]


def _concerns(one: Setting, service: str | None) -> bool:
    return service is None or service in one.by


def _with_passwords(config: dict[str, Any]) -> dict[str, Any]:
    """The addresses with the passwords that are said apart from them."""
    address, databases = config.get("AMQP_URI"), config["DATABASES"]
    if isinstance(address, str):
        config["AMQP_URI"] = with_password(address, setting(config, "BROKER_PASSWORD"))
    if isinstance(databases, dict):
        named = (service for service, url in databases.items() if isinstance(url, str) and url)
        config["DATABASES"] = databases | {service: database_url(config, service) for service in named}
    return config


def _put(config: dict[str, Any], name: str, value: Any) -> None:
    first, _, service = name.partition(".")
    if not service:
        config[name] = value
    elif isinstance(config[first], dict):
        config[first][service] = value


def _loader(said: Mapping[str, Any], environment: Mapping[str, str]) -> type[yaml.SafeLoader]:
    """A safe loader that puts in what stands for variables."""

    class Loader(yaml.SafeLoader):
        pass

    def text_of(placeholder: re.Match[str]) -> str:
        return environment.get(placeholder[1], placeholder[2] or "")

    def value_of(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
        words = str(loader.construct_scalar(node))
        whole = _PLACEHOLDER.fullmatch(words)
        if whole is not None and whole[1] in VARIABLES:
            return said.get(whole[1], yaml.safe_load(whole[2] or ""))
        return yaml.safe_load(_PLACEHOLDER.sub(text_of, words))

    def text_in_quotes(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
        return _PLACEHOLDER.sub(text_of, str(loader.construct_scalar(node)))

    Loader.add_constructor("!variable", value_of)
    Loader.add_constructor("tag:yaml.org,2002:str", text_in_quotes)
    Loader.add_implicit_resolver("!variable", re.compile(r".*\$\{.*\}.*"), None)
    return Loader


def _line(fault: BaseException) -> str:
    return " ".join(str(fault).split())
