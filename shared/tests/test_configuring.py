"""Settings are read once, from a file and the environment; whatever is wrong with them is said of each at once."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kombu import Connection
from sqlalchemy import make_url

from shared.config import SETTINGS, database_url
from shared.configuring import VARIABLES, configured, from_environment
from shared.errors import Invalid

ROOT = Path(__file__).parents[2]
FILE = ROOT / "infra" / "config.yaml"
ODD = "p@ss:/%? #word"
"""A password with every sign that means something in an address."""


def refusal(file: Path = FILE, service: str | None = None, **environment: str) -> str:
    """What is said of settings that are wrong."""
    with pytest.raises(Invalid) as told:
        configured(file, environment, service)
    return str(told.value)


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    return file


def test_the_file_of_all_services_names_every_setting_with_its_default() -> None:
    config = configured(FILE, {})
    placeholders = yaml.safe_load(FILE.read_text())

    assert list(placeholders["DATABASES"].values()) == [
        f"${{{variable}:{one.default}}}" for variable, one in VARIABLES.items() if one.name.startswith("DATABASES.")
    ]
    assert placeholders.keys() - {"DATABASES", "serializer"} == {one.name for one in SETTINGS}
    for one in SETTINGS:
        assert placeholders[one.name].startswith(f"${{{one.variable}:"), one.name
        assert (config[one.name] or None) == (one.default or None), one.name


def test_each_value_is_what_its_kind_takes_whatever_yaml_would_make_of_it() -> None:
    config = configured(
        FILE,
        {
            "XUNJIAN_OPERATOR_KEY": "0123" * 10,
            "XUNJIAN_OIDC_CLIENT_ID": "true",
            "XUNJIAN_SIMULATED": "true",
            "XUNJIAN_PARTITIONS": "8",
            "XUNJIAN_WEBHOOK_HOSTS": "[a, b]",
            "XUNJIAN_JWT_ISSUERS": "null",
            "XUNJIAN_PUBLIC_URL": "",
        },
    )

    assert (config["OPERATOR_KEY"], config["OIDC_CLIENT_ID"]) == ("0123" * 10, "true")
    assert (config["SIMULATED"], config["PARTITIONS"], config["WEBHOOK_HOSTS"]) == (True, 8, ["a", "b"])
    assert (config["JWT_ISSUERS"], config["PUBLIC_URL"]) == (None, "http://127.0.0.1:8000")


def test_a_secret_can_be_a_file_and_goes_into_the_addresses_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{ODD}\n")
    addresses = {"XUNJIAN_AMQP_URI": "amqp://me@broker/hall", "XUNJIAN_DATABASE_SCORING": "postgresql://you@db/scoring"}
    files = {f"XUNJIAN_{name}_PASSWORD_FILE": str(tmp_path / "secret") for name in ("BROKER", "DATABASE")}

    config = configured(FILE, addresses | files)

    assert Connection(config["AMQP_URI"]).password == ODD
    assert Connection(config["AMQP_URI"]).virtual_host == "hall"
    assert make_url(database_url(config, "scoring")).password == ODD
    assert make_url(database_url(config, "scoring")).database == "scoring"


def test_an_address_that_holds_a_password_keeps_it() -> None:
    config = configured(FILE, {"XUNJIAN_AMQP_URI": "amqp://me:mine@broker/hall", "XUNJIAN_BROKER_PASSWORD": "theirs"})

    assert config["AMQP_URI"] == "amqp://me:mine@broker/hall"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("XUNJIAN_PARTITION", "4", "XUNJIAN_PARTITION: no such setting; perhaps XUNJIAN_PARTITIONS"),
        ("XUNJIAN_SEAL_KY_FILE", "/x", "XUNJIAN_SEAL_KY_FILE: no such setting; perhaps XUNJIAN_SEAL_KEY"),
        ("XUNJIAN_PARTITIONS", "many", "XUNJIAN_PARTITIONS: expected a whole number from 1 to 1024; found 'many'"),
        ("XUNJIAN_PARTITIONS", "0", "XUNJIAN_PARTITIONS: expected a whole number from 1 to 1024; found 0"),
        ("XUNJIAN_POLL_SECONDS", "-1", "XUNJIAN_POLL_SECONDS: expected a number of seconds above 0; found -1"),
        ("XUNJIAN_SIMULATED", "perhaps", "XUNJIAN_SIMULATED: expected true or false; found 'perhaps'"),
        ("XUNJIAN_MONITOR_ADDRESS", "here", "XUNJIAN_MONITOR_ADDRESS: expected [host:]port; found 'here'"),
        ("XUNJIAN_JWT_ISSUERS", "{", "XUNJIAN_JWT_ISSUERS: expected a mapping, {one: …}, written as YAML"),
        ("XUNJIAN_LOG_LEVEL", "LOUD", "XUNJIAN_LOG_LEVEL: expected one of DEBUG, INFO, WARNING, ERROR; found 'LOUD'"),
        ("XUNJIAN_AMQP_URI", "amqp://me:mine@broker:x", "found 'amqp://me:***@broker:x'"),
        ("XUNJIAN_OPERATOR_KEY", "short", "XUNJIAN_OPERATOR_KEY: expected at least 32 characters; found another value"),
        (
            "XUNJIAN_SEAL_KEY_FILE",
            "/nowhere",
            "XUNJIAN_SEAL_KEY_FILE (/nowhere): expected a file that can be read: No such",
        ),
        ("XUNJIAN_BROKER_PASSWORD_FILE", "/dev/null", "(/dev/null): expected a file that holds the value; it is empty"),
    ],
)
def test_a_variable_that_is_wrong_is_named_with_what_was_expected(variable: str, value: str, said: str) -> None:
    assert said in refusal(FILE, None, **{variable: value})


def test_all_that_is_wrong_is_said_at_once_and_both_ways_to_say_one_thing_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40)

    said = refusal(
        XUNJIAN_OPERATOR_KEY="o" * 40, XUNJIAN_OPERATOR_KEY_FILE=str(tmp_path / "key"), XUNJIAN_PARTITIONS="x"
    )

    assert "XUNJIAN_OPERATOR_KEY_FILE: expected one of XUNJIAN_OPERATOR_KEY and XUNJIAN_OPERATOR_KEY_FILE" in said
    assert "XUNJIAN_PARTITIONS: " in said
    assert "oooo" not in said
    assert "kkkk" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PARTITION: 4", "config.yaml: PARTITION: no such setting; perhaps PARTITIONS"),
        ("PARTITIONS: many", "config.yaml: PARTITIONS: expected a whole number"),
        ("DATABASES: {kitchen: x}", "config.yaml: DATABASES: expected a mapping of asset_registry"),
        ("DATABASES: {scoring: x}", "config.yaml: DATABASES.scoring: expected a SQLAlchemy URL"),
        ("DATABASES: 5", "config.yaml: DATABASES: expected a mapping"),
        ("- 5", "config.yaml: expected a mapping, setting → value"),
        ("{", "config.yaml: while parsing"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_what_was_expected(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(written(tmp_path, text))


def test_a_service_is_not_kept_from_starting_by_what_only_others_read(tmp_path: Path) -> None:
    file = written(tmp_path, "REQUESTS_PER_MINUTE: many\nPARTITIONS: 4\n")

    assert "REQUESTS_PER_MINUTE" in refusal(file, "gateway")
    assert configured(file, {}, "scoring")["PARTITIONS"] == 4


def test_the_file_may_ask_for_variables_of_its_own(tmp_path: Path) -> None:
    file = written(tmp_path, "AMQP_URI: amqp://${BROKER:nobody}/${VHOST:hall}\nPARTITIONS: ${XUNJIAN_PARTITIONS:3}\n")

    config = configured(file, {"BROKER": "here", "XUNJIAN_PARTITIONS": "5"})

    assert (config["AMQP_URI"], config["PARTITIONS"]) == ("amqp://here/hall", 5)


def test_the_embedded_platform_takes_from_outside_what_the_table_marks_and_no_more() -> None:
    said: dict[str, Any] = from_environment({"XUNJIAN_STOP_SECONDS": "3", "XUNJIAN_SEAL_KEY": "/x", "XUNJIAN_KEY": "k"})

    assert said == {"STOP_SECONDS": 3}
