"""What the processes say: one event a line, as JSON or for a terminal, under the correlation id of its request.

Everything goes through the standard library's root logger, so nameko, kombu and eventlet speak the same way.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog
from nameko.extensions import DependencyProvider
from structlog.typing import Processor

CORRELATION_ID = "correlation_id"
"""Its name in log lines and among nameko's context data, which go with every call."""

_SECRET = re.compile(r"authorization|cookie|credential|passw|secret|token|api_?key|private", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(://[^:/@\s]*):[^/@\s]*@")
_QUIET = {"amqp": logging.WARNING, "kombu": logging.WARNING, "nameko": logging.INFO, "eventlet": logging.INFO}

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(lines: Literal["json", "console"] = "json", level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logging to `stream` (standard error) from `level` on; calling it again starts anew."""
    stream = stream or sys.stderr
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.addFilter(_expected)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=_rendering(lines, stream))
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))


class Correlation(DependencyProvider):
    """Puts the service, its method and the correlation id of the call into every line that a worker logs."""

    def worker_setup(self, worker_ctx: Any) -> None:
        """Bind them; a worker is a greenlet of its own, so nothing has to be unbound."""
        structlog.contextvars.bind_contextvars(
            service=worker_ctx.service_name,
            method=worker_ctx.entrypoint.method_name,
            **{CORRELATION_ID: worker_ctx.data.get(CORRELATION_ID)},
        )


def _rendering(lines: str, stream: TextIO) -> list[Processor]:
    tidy: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if lines == "console":
        return [*tidy, _without_secrets, structlog.dev.ConsoleRenderer(colors=stream.isatty())]
    return [
        *tidy,
        structlog.processors.format_exc_info,
        _without_secrets,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]


def _without_secrets(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask the values of members that are named like secrets, and passwords in URLs, at any depth."""
    return {key: _masked(key, value) for key, value in line.items()}


def _masked(key: str, value: Any) -> Any:
    if _SECRET.search(key):
        return "***"
    match value:
        case str():
            return _URL_PASSWORD.sub(r"\1:***@", value)
        case dict():
            return {name: _masked(str(name), member) for name, member in value.items()}
        case list() | tuple():
            return [_masked("", member) for member in value]
        case _:
            return value


def _expected(record: logging.LogRecord) -> bool:
    """Let a refused command be one calm line: nameko logs it as a warning with a traceback."""
    if record.name == "nameko.containers" and str(record.msg).startswith("(expected)"):
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.exc_info = None
    return True
