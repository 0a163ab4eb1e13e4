"""Why a boot does not go on: rules over its session and events, the most telling first.

Each rule looks for what an operator would look for, and says which step died, why, and what to do. A boot that went
well has no finding: a rule never speaks of what a healthy boot does.
"""

from __future__ import annotations

from collections.abc import Sequence

from provd.core.diagnosis_facts import Boot, Facts, Finding
from provd.core.diagnosis_loops import disk_loops
from provd.core.diagnosis_rules import RULES
from provd.model.event import Event
from provd.model.session import WAITING, BootSession


def diagnose(session: BootSession, events: Sequence[Event], facts: Facts) -> list[Finding]:
    """Everything that explains why this boot does not go on, the most telling first; empty for a healthy one.

    Args:
        session: the boot.
        events: its events, in order.
        facts: what is known beside.
    """
    if session.slot == WAITING and session.outcome == "running":
        return [_waits(session, facts)]
    boot = Boot(session, events, facts, frozenset(event.kind for event in events))
    if boot.over:
        return list(disk_loops(boot))
    found: list[Finding] = []
    for rule in RULES:
        found += [one for one in rule(boot) if one not in found]
    return found


def _waits(session: BootSession, facts: Facts) -> Finding:
    minutes = (session.last_at + facts.silent_s - session.queued_at) / 60
    cause = f"it has waited {minutes:.0f} min for a place among the installations of subnet {session.subnet or '-'}"
    return Finding(
        "waiting", session.step, f"{cause} and source {session.source}", "provd queue list shows who runs and who waits"
    )
