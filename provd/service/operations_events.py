"""The operation that tells what happened to boots and machines, and what has happened since."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Final, Protocol

import msgspec

from provd.model.event import Event
from provd.plugin.contract import Operation
from provd.plugin.scrub import scrub_value
from provd.service.inspect import describe
from provd.service.operations import Arguments

MOST: Final = 1000
"""Events that one call looks at."""


MOST_KINDS: Final = 1024
"""Characters of the patterns: each is tried with each event, and nobody else is served meanwhile."""


class EventsView(Protocol):
    """Events that were kept."""

    def events_after(self, number: int, *, system: str = "", limit: int = 1000) -> Sequence[Event]:
        """Events with a larger number, the oldest first."""
        ...

    def last_event(self) -> int:
        """Number of the newest event, 0 before the first."""
        ...


class EventsQuery(Arguments, frozen=True):
    """Which events."""

    kind: Annotated[
        str, msgspec.Meta(description="Patterns of kinds with commas, as in `install.*,boot.*`.", max_length=MOST_KINDS)
    ] = "*"
    system: Annotated[str, msgspec.Meta(description="Only those of one system.")] = ""
    after: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=2**62)] | None,
        msgspec.Meta(description="Only those with a larger number, the oldest first; none: the newest ones."),
    ] = None
    limit: Annotated[int, msgspec.Meta(description="At most so many.", ge=1, le=MOST)] = 50


class EventOperations:
    """Around the events that were kept.

    Args:
        events: the store's.
    """

    def __init__(self, events: EventsView) -> None:
        self._events = events

    def operations(self) -> tuple[Operation, ...]:
        """``events``."""
        return (
            Operation(
                "events",
                "Show what happened to boots and machines.",
                "read",
                EventsQuery,
                self.events,
                "provd events --kind 'install.*'",
                result="`events`, the oldest first; `last`: the number to go on `after`; `since`: the number up to "
                "which events were not looked at, 0 for none.",
            ),
        )

    def events(self, arguments: EventsQuery) -> object:
        """The newest events, or those after a number."""
        newest, wanted = self._events.last_event(), arguments.after
        start = max(0, newest - MOST) if wanted is None else wanted
        seen = self._events.events_after(start, system=arguments.system, limit=MOST)
        patterns = [one.strip() for one in arguments.kind.split(",") if one.strip()]
        found = [event for event in seen if any(fnmatchcase(event.kind, pattern) for pattern in patterns)]
        if wanted is None:
            chosen, last = found[-arguments.limit :], newest
        else:
            chosen = found[: arguments.limit]
            last = chosen[-1].id if len(found) > len(chosen) else _looked(seen, max(start, newest))
        return {"events": [_row(event) for event in chosen], "last": last, "since": start}


def _looked(seen: Sequence[Event], newest: int) -> int:
    """Number up to which everything has been looked at."""
    return seen[-1].id if len(seen) >= MOST else newest


def _row(event: Event) -> dict[str, object]:
    return {
        "id": event.id,
        "at": event.at,
        "kind": event.kind,
        "system": event.system,
        "mac": event.mac,
        "session": event.session,
        "text": describe(event),
        "fields": scrub_value(event.fields),
    }
