"""Logs: one JSON object a line on standard error, for every command that keeps running.

An exception is told by its sort and its place in the code, never in its own words: whoever raised
it may have put a patient into them.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter

from timevalg.model.errors import places

FRAMES = 5
"""Places in the code that are told of an exception, the innermost of them."""


def configure() -> None:
    """Have everything logged in this way, whatever the library it comes from."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_words,
    ]
    structlog.configure(
        processors=[*shared, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    last: list[structlog.typing.Processor] = [
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(),
    ]
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    sys.excepthook = lambda *raised: _uncaught(raised)
    threading.excepthook = lambda raised: _uncaught(
        (raised.exc_type, raised.exc_value, raised.exc_traceback)
    )


def _uncaught(raised: tuple[type[BaseException], Any, TracebackType | None]) -> None:
    structlog.get_logger(__name__).error("an exception was not caught", exc_info=raised)


def without_words(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put the sort and the place of an exception in its stead."""
    raised = event.pop("exc_info", None)
    error = raised if isinstance(raised, BaseException) else None
    if isinstance(raised, tuple):
        error = raised[1]
    elif raised and error is None:
        error = sys.exc_info()[1]
    if error is not None:
        event.setdefault("error", type(error).__name__)
        event["where"] = places(error, FRAMES)
    return event
