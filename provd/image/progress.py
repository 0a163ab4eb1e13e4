"""How long work tells the person who waits that it goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

#: Called with what is being done (a short phrase) and the share of the whole that is done, 0.0 to 1.0, never falling.
Progress: TypeAlias = Callable[[str, float], None]


def silent(_text: str, _share: float) -> None:
    """Report to nobody."""


def part(progress: Progress, start: float, stop: float) -> Progress:
    """The same reporter for one part of the work: its 0.0 to 1.0 becomes ``start`` to ``stop`` of the whole."""

    def report(text: str, share: float) -> None:
        progress(text, start + (stop - start) * min(max(share, 0.0), 1.0))

    return report
