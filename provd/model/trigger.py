"""Trigger runs: what was run on an event, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from provd.model.event import Event


@dataclass(frozen=True, slots=True)
class TriggerRun:
    """One run of one trigger, with all its attempts.

    Attributes:
        trigger: its name.
        event: kind of the event that started it.
        event_id: number of that event.
        started_at: seconds since the epoch, of the newest attempt.
        seconds: how long that attempt ran.
        ok: whether it ended without an exception in time.
        output: what it returned, or why it failed.
        attempt: number of the newest attempt, from 1; 0 where none began.
        waiting: it is not over: an attempt is running or will be made.
        next_at: seconds since the epoch of the next attempt, 0 where none is planned.
        of: the event itself; None in records of earlier versions.
        id: number given by the store, 0 before.
    """

    trigger: str
    event: str
    event_id: int
    started_at: float
    seconds: float
    ok: bool
    output: str
    attempt: int = 1
    waiting: bool = False
    next_at: float = 0.0
    of: Event | None = None
    id: int = field(default=0, compare=False)
