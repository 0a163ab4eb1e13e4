"""What plugins that bring triggers share: the runtime, whose events count, and deliveries that are tried again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from fnmatch import fnmatchcase

import msgspec

from provd.model.event import Event
from provd.plugin.contract import Trigger
from provd.plugin.runtime import Runtime


class KeepsRuntime:
    """Base of a plugin object that needs the runtime later, in its coroutines.

    Attributes:
        runtime: what :meth:`start` was given; there is none before.
    """

    runtime: Runtime

    def start(self, runtime: Runtime) -> None:
        """Keep the runtime; the host calls this before the first event."""
        self.runtime = runtime


class Delivery(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Settings of something that is sent to another server, and sent again where that fails.

    Attributes:
        timeout_s: seconds for one attempt.
        attempts: attempts in all.
        backoff_s: seconds before the second attempt; doubles each time, an hour at most.
        most_at_once: events that are sent at the same time; further ones wait.
    """

    timeout_s: float = 10.0
    attempts: int = 8
    backoff_s: float = 2.0
    most_at_once: int = 4

    def __post_init__(self) -> None:
        if min(self.attempts, self.most_at_once) < 1 or self.timeout_s <= 0 or self.backoff_s < 0:
            raise ValueError("attempts, most_at_once and timeout_s must be above 0, and backoff_s not below")

    def trigger(
        self,
        name: str,
        on: tuple[str, ...],
        run: Callable[[Event], Awaitable[str]],
        doubts: Callable[[], Iterable[str]] = tuple,
    ) -> Trigger:
        """The trigger that sends; what waits is on the disk."""
        return Trigger(
            name,
            on,
            # The attempt ends by its own time-out, with a sentence of its own.
            self.timeout_s + 5,
            run,
            attempts=self.attempts,
            backoff_s=self.backoff_s,
            most_at_once=self.most_at_once,
            durable=True,
            doubts=doubts,
        )


def wants(systems: Iterable[str], event: Event) -> bool:
    """Whether an event is about one of these systems.

    Args:
        systems: names, ``*`` as in file names.
        event: what happened.
    """
    return any(fnmatchcase(event.system, pattern) for pattern in systems)
