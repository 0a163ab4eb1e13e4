"""The audit log: who asked for which change, what came of it, and how objects were before and after."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum

from provd.model.account import AuditEntry, Caller
from provd.model.mac import Mac
from provd.plugin.scrub import scrub_value
from provd.store.interface_accounts import AuditStore


@dataclass(slots=True)
class Attempt:
    """One operation that may change something, while it runs.

    Attributes:
        caller: who asked.
        outcome: what the log will say.
        before: objects as they were.
        after: objects as they are.
    """

    caller: Caller
    outcome: str = "done"
    before: dict[str, object] = field(default_factory=dict)
    after: dict[str, object] = field(default_factory=dict)


_ATTEMPT: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


def caller() -> Caller | None:
    """Who asked for what runs now; None where provd acts by itself."""
    attempt = _ATTEMPT.get()
    return None if attempt is None else attempt.caller


def changed(subject: str, before: object, after: object) -> None:
    """An object was changed by whatever runs now.

    Args:
        subject: as in ``system web1``.
        before: the object, None for one that is new.
        after: the object, None for one that is gone.
    """
    attempt = _ATTEMPT.get()
    if attempt is None:
        return
    attempt.before.setdefault(subject, _plain(before))
    attempt.after[subject] = _plain(after)


def outcome(text: str) -> None:
    """Say in the log what came of the operation that runs now, where it is not "done"."""
    attempt = _ATTEMPT.get()
    if attempt is not None:
        attempt.outcome = text


class Audit:
    """Writes the log.

    Args:
        store: keeps entries.
        wall: seconds since the epoch.
    """

    def __init__(self, store: AuditStore, wall: Callable[[], float]) -> None:
        self._store, self._wall = store, wall

    def record(self, attempt: Attempt, operation: str, arguments: object) -> None:
        """Keep what came of an operation."""
        who = attempt.caller
        self._store.record(
            AuditEntry(
                at=self._wall(),
                user=who.user,
                via=who.via,
                peer=who.peer,
                operation=operation,
                arguments=_mapping(arguments),
                outcome=attempt.outcome,
                before={subject: value for subject, value in attempt.before.items() if value is not None},
                after={subject: value for subject, value in attempt.after.items() if value is not None},
            )
        )


@contextmanager
def attempt(who: Caller, operation: str, arguments: object, log: Audit | None) -> Iterator[None]:
    """Around an operation; what it raises is its outcome.

    Args:
        who: the caller.
        operation: its name.
        arguments: as they were given.
        log: None for an operation that changes nothing.
    """
    running = Attempt(who)
    token = _ATTEMPT.set(running)
    try:
        yield
    except Exception as error:
        running.outcome = str(error) or type(error).__name__
        raise
    finally:
        _ATTEMPT.reset(token)
        if log is not None:
            log.record(running, operation, arguments)


def _mapping(arguments: object) -> Mapping[str, object]:
    hidden = scrub_value(_measured(arguments))
    return hidden if isinstance(hidden, Mapping) else {"arguments": hidden}


def _plain(value: object) -> object:
    """A copy that shows no secret; a profile is told by what its own file and its ancestors say, without origins."""
    if value is None:
        return None
    if is_dataclass(value) and not isinstance(value, type):
        return scrub_value(_shown(value))
    return scrub_value(value)


def _shown(value: object) -> object:
    """Plain values; addresses as people write them."""
    if isinstance(value, Mac):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _shown(getattr(value, one.name)) for one in fields(value) if one.name != "origins"}
    if isinstance(value, Mapping):
        return {str(key): _shown(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(one) for one in value]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _measured(value: object) -> object:
    """A text of several lines is a whole document: no key tells which of its words are secret, so it is measured."""
    if isinstance(value, Mapping):
        return {name: _measured(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_measured(one) for one in value]
    if isinstance(value, str) and "\n" in value:
        digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{len(value.splitlines())} lines, SHA-256 {digest}"
    return value
