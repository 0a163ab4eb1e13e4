"""When a boot session begins and how far it has come."""

from __future__ import annotations

from dataclasses import replace

from provd.model.session import STEPS, BootSession, step_reached

SILENCE_S = 600.0
"""Seconds without any packet or request after which the next firmware DISCOVER begins a new session."""


def begins_new(
    current: BootSession | None, *, system: str, system_changed: bool, now: float, seen_at: float = 0.0
) -> bool:
    """Whether a firmware DISCOVER begins a new session instead of joining ``current``.

    Option 77 cannot tell the stages of a boot apart (some ROMs say iPXE in their first packet), so what was fetched
    decides: a machine whose kernel was fetched, or that was sent to its local disk, has left the firmware; a DISCOVER
    from firmware then is another boot. A machine that was unknown, or whose definition was edited, before a loader
    configuration was served gets a new plan, so that an operator who adds a machine need not power-cycle it.

    Args:
        current: newest session of that MAC, or None.
        system: name of the system the MAC belongs to now, or empty.
        system_changed: its definition, state or profile differs from what the session's plan was made of.
        now: seconds since the epoch.
        seen_at: its last sign of life, where that is later than ``current`` tells.
    """
    if current is None or current.outcome != "running" or step_reached(current, "kernel"):
        return True
    if now - max(current.last_at, seen_at) > SILENCE_S:
        return True
    undecided = not step_reached(current, "config")
    return undecided and (system != current.system or system_changed)


def advance(session: BootSession, step: str, now: float) -> BootSession:
    """The session after something happened; it never goes back a step."""
    further = STEPS.index(step) > STEPS.index(session.step)
    return session.seen(max(now, session.last_at), step if further else "")


def close(session: BootSession, outcome: str) -> BootSession:
    """The session with its final outcome; a finished install stays finished whatever comes later."""
    if session.outcome in {"finished", "failed"} and outcome == "superseded":
        return session
    return replace(session, outcome=outcome)
