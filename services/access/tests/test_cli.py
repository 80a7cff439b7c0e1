"""`xunjian first-link` asks the running service for the link."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from services.access.cli import first_link_command
from services.access.service import Access
from services.access.tests.given import HERE, PASSWORD
from shared import embedded
from shared.rpc import caller
from shared.tests.hosted import hosting


def test_the_link_is_printed_until_somebody_administers(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker, file = embedded.fresh(), tmp_path / "config.yaml"
    file.write_text("AMQP_URI: ${TEST_BROKER}\nPUBLIC_URL: https://hall.example.org/\nserializer: json\n")
    monkeypatch.setenv("TEST_BROKER", broker)
    config = {"AMQP_URI": broker, "DATABASES": {"access": sqlite_url}, "serializer": "json"}

    with hosting(config, Access), caller(config) as call:
        printed = CliRunner().invoke(first_link_command, ["--config", str(file)])
        address, _, code = printed.output.strip().partition("?code=")
        call("access", "first_account", code=code, username="chen", display_name="陈", password=PASSWORD, address=HERE)
        afterwards = CliRunner().invoke(first_link_command, ["--config", str(file)])

    assert (printed.exit_code, address) == (0, "https://hall.example.org/welcome")
    assert (afterwards.exit_code, "somebody administers already" in afterwards.output) == (1, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "No such file"), ("AMQP_URI: [", "expected"), ("A: 1", "AMQP_URI: expected the address of the broker")],
)
def test_a_configuration_that_cannot_be_read_is_said_in_one_line(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "config.yaml"
    if text is not None:
        file.write_text(text)

    found = CliRunner().invoke(first_link_command, ["--config", str(file)])

    assert found.exit_code == 2
    assert said in found.output
    assert found.output.count("\n") == 1
