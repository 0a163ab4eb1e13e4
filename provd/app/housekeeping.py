"""What is done once a minute, whether or not anybody asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.logger import Logger

from provd.app.services import Services
from provd.store.interface import StoreError

_DAY_S: Final = 86_400.0
_log: Final = Logger(namespace="provd.app")


def keep_house(services: Services) -> None:
    """Take back what has ended, and forget what is old (``[sessions]``); what fails is tried again a minute later."""
    keep, store = services.current.config.sessions, services.store
    before = services.wall() - keep.keep_days * _DAY_S
    _each(
        services.dhcp.expire,
        services.installs.tidy,
        services.admission.tidy,
        lambda: store.sessions.prune(before=before, keep=keep.keep_count),
        lambda: store.tokens.prune(before=before),
        lambda: store.trigger_runs.prune(before=before),
        lambda: store.audit.prune(before=before),
        services.access.tidy,
        services.recorder.tidy,
    )


def _each(*works: Callable[[], object]) -> None:
    """Do all of them; a timer that raises would never come again, and a full disk is no reason to end no lease."""
    for work in works:
        try:
            work()
        except StoreError as error:
            _log.error("housekeeping: {error}", error=error)
        except Exception:  # noqa: BLE001  likewise
            _log.failure("housekeeping failed")
