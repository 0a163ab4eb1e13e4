"""Trigger runs: what was run on an event, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TriggerRun:
    """One run of one trigger.

    Attributes:
        trigger: its name.
        event: kind of the event that started it.
        event_id: number of that event.
        started_at: seconds since the epoch.
        seconds: how long it ran.
        ok: whether it ended without an exception in time.
        output: what it returned, or why it failed.
    """

    trigger: str
    event: str
    event_id: int
    started_at: float
    seconds: float
    ok: bool
    output: str
