"""What is done once a minute, whether or not anybody asks."""

from __future__ import annotations

from typing import Final

from provd.app.services import Services

_DAY_S: Final = 86_400.0


def keep_house(services: Services) -> None:
    """Take back what has ended, and forget what is old (``[sessions]``)."""
    services.dhcp.expire()
    services.installs.tidy()
    services.admission.tidy()
    keep, store = services.current.config.sessions, services.store
    before = services.wall() - keep.keep_days * _DAY_S
    store.sessions.prune(before=before, keep=keep.keep_count)
    store.tokens.prune(before=before)
    store.trigger_runs.prune(before=before)
    store.audit.prune(before=before)
    services.access.tidy()
    services.recorder.tidy()
