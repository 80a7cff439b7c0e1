"""What the processes say: one event a line, as JSON or for a terminal, under the correlation id of its request.

Everything goes through the standard library's root logger, so nameko, kombu and eventlet speak the same way.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import Processor

from shared import tracing
from shared.trace_ids import trace_of

_SECRET = re.compile(r"authorization|cookie|credential|passw|secret|token|api_?key|private", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(://[^:/@\s]*):[^/@\s]*@")
_QUIET = {
    "alembic.runtime.plugins": logging.WARNING,
    "amqp": logging.ERROR,  # it warns of each confirm that comes while a channel closes
    "kombu": logging.WARNING,
    "nameko": logging.INFO,
    "eventlet": logging.INFO,
}


def _in_trace(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the trace of a line's correlation id, where traces are kept."""
    if tracing.is_on() and isinstance(line.get("correlation_id"), str):
        line["trace_id"] = f"{trace_of(line['correlation_id'])[0]:032x}"
    return line


_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    _in_trace,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(lines: Literal["json", "console"] = "json", level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logging to `stream` (standard error) from `level` on; calling it again starts anew."""
    root = logging.getLogger()
    root.handlers[:] = [handler(lines, stream)]
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))


def handler(lines: Literal["json", "console"] = "json", stream: TextIO | None = None) -> logging.Handler:
    """What writes the lines; also for `LOGGING` in nameko's configuration, so the libraries are quietened here too."""
    stream = stream or sys.stderr
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)
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
    writer = logging.StreamHandler(stream)
    writer.addFilter(_expected)
    writer.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=_rendering(lines, stream))
    )
    return writer


def _rendering(lines: str, stream: TextIO) -> list[Processor]:
    last: Processor = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    if lines == "console":
        last = structlog.dev.ConsoleRenderer(colors=stream.isatty())
    # Tracebacks become text first, so that secrets are masked there as well; local variables are never shown.
    tidied = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return [tidied, structlog.processors.format_exc_info, _without_secrets, last]


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
        return logging.getLogger().isEnabledFor(logging.INFO)
    return True
