"""Calls of functions that plugins registered: an exception costs an answer, never a machine's reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from twisted.logger import Logger

from provd.service.boot_files import PayloadMissingError

T = TypeVar("T")

_logger = Logger(namespace="provd.boot")


def asked(what: str, function: Callable[..., T], *args: object) -> T | None:
    """What a plugin's function says; its exception is logged and counts as no answer.

    Args:
        what: the function's name and whose it is, for the log.
        function: the function.
        args: its arguments.

    Raises:
        PayloadMissingError: the function says that a file is missing.
    """
    try:
        return function(*args)
    except PayloadMissingError:
        raise
    except Exception:  # noqa: BLE001  one plugin must not cost a machine its reply
        _logger.failure("{what} raised", what=what)
        return None
