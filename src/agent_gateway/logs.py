"""Log lines: JSON where a machine reads them, text on a terminal; one format for our own and for the libraries'."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from agent_gateway.redaction import redact_value

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(
    level: Literal["debug", "info", "warning", "error"] = "info",
    style: Literal["auto", "json", "console"] = "auto",
    stream: TextIO | None = None,
) -> None:
    """Send every log line to a stream (standard error when None).

    Whatever is bound in structlog's contextvars, such as `request_id` and `run_id`, is on each line. Libraries that
    use `logging` are heard from `warning` on, or from `level` on if that is higher.
    """
    target = stream if stream is not None else sys.stderr
    as_json = style == "json" or (style == "auto" and not target.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if as_json else _keep,
        _redact,
    ]
    renderer = _render_json if as_json else _console(target)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(_Lenient(target)),  # type: ignore[arg-type] # it only writes
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared[:1], structlog.stdlib.add_log_level, _name_logger, *shared[2:]],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, LEVELS[level]))


class _Lenient:
    """A stream that may be gone: a log nobody can read any more must not end a run."""

    def __init__(self, target: TextIO) -> None:
        self._target = target

    def write(self, text: str) -> None:
        """Write if that is still possible."""
        with contextlib.suppress(OSError, ValueError):
            self._target.write(text)

    def flush(self) -> None:
        """Flush if that is still possible."""
        with contextlib.suppress(OSError, ValueError):
            self._target.flush()


def _redact(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Take secrets out of every text of a line; a traceback that is still to be made is the console's."""
    del logger, name
    for key, value in event.items():
        if not key.startswith("_") and key != "exc_info":
            event[key] = redact_value(value)
    return event


def _keep(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    del logger, name
    return event


def _name_logger(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    del name
    event["logger"] = logger.name if isinstance(logger, logging.Logger) else event["_record"].name
    return event


def _render_json(logger: WrappedLogger, name: str, event: EventDict) -> str:
    del logger, name
    ordered = {"timestamp": event.pop("timestamp", ""), "level": event.pop("level", ""), "event": event.pop("event")}
    return json.dumps({**ordered, **event}, default=repr)


def _console(target: TextIO) -> Any:
    return structlog.dev.ConsoleRenderer(
        colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )
