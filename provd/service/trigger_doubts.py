"""What would keep a trigger from ever running, or from doing what it is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final

from provd.config.decode import near_miss
from provd.model.event_kinds import EVENT_KINDS
from provd.plugin.contract import Trigger

_RESULTS: Final = "trigger."


def doubts_of(trigger: Trigger) -> Iterator[str]:
    """Everything doubtful about one trigger, a sentence each."""
    for pattern in trigger.on:
        if pattern.startswith(_RESULTS):
            yield f"on: {pattern!r} starts nothing: results of triggers start no triggers"
        elif not any(fnmatchcase(kind, pattern) for kind in EVENT_KINDS):
            hint = near_miss(pattern, list(EVENT_KINDS), "; docs/triggers.md lists them")
            yield f"on: provd has no event of the kind {pattern!r}{hint}"
    yield from trigger.doubts()


def trigger_doubts(triggers: Mapping[str, Trigger]) -> Iterator[str]:
    """The same of all triggers, each sentence with the trigger's name."""
    for name, trigger in triggers.items():
        for doubt in doubts_of(trigger):
            yield f"trigger {name}: {doubt}"
