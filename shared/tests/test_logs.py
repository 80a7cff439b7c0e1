"""One event a line, under its request's correlation id, and without secrets."""

import io
import logging
from collections.abc import Iterator
from typing import Any, Literal

import orjson
import pytest
import structlog

from shared import logs


@pytest.fixture(params=["json", "console"])
def lines(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What is logged in each form in turn."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    form: Literal["json", "console"] = request.param
    stream = io.StringIO()
    logs.configure(form, "INFO", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_secrets_are_masked_wherever_they_stand(lines: io.StringIO) -> None:
    structlog.get_logger().info(
        "up", broker="amqp://guest:hunter2@h/", nested=[{"api_key": "hunter2"}], cookie="hunter2"
    )
    logging.getLogger("kombu").warning("Connected to %s", "amqp://guest:hunter2@h/")
    try:
        raise ConnectionError("postgresql+psycopg://xunjian:hunter2@h/db is away")
    except ConnectionError:
        logging.getLogger("nameko.containers").exception("lost")

    assert lines.getvalue().count("***") >= 5
    assert "hunter2" not in lines.getvalue()


def test_everyone_logs_under_the_correlation_id(lines: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(correlation_id="c-1")

    structlog.get_logger().info("ours", facility="程功")
    logging.getLogger("nameko.containers").info("nameko's %s", "too")

    ours, theirs = lines.getvalue().splitlines()
    assert "程功" in ours
    assert "c-1" in ours
    assert "nameko's too" in theirs
    assert "c-1" in theirs


def test_an_expected_refusal_is_one_calm_line(lines: io.StringIO) -> None:
    try:
        raise ValueError("a rule said no")
    except ValueError as fault:
        logging.getLogger("nameko.containers").warning("(expected) error handling worker: %s", fault, exc_info=True)

    (line,) = lines.getvalue().splitlines()
    assert "a rule said no" in line
    assert "info" in line


def test_json_lines_can_be_read_by_machines() -> None:
    stream = io.StringIO()
    before = logging.getLogger().handlers[:]
    logs.configure("json", stream=stream)

    structlog.get_logger("shared.relay").warning("away", fault=ValueError("x"), position=3)

    line: dict[str, Any] = orjson.loads(stream.getvalue())
    logging.getLogger().handlers[:] = before
    structlog.reset_defaults()
    assert (line["event"], line["level"], line["logger"], line["position"]) == ("away", "warning", "shared.relay", 3)
