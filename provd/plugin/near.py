"""The end of a sentence about a name that nobody knows."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches


def did_you_mean(word: str, known: Collection[str], otherwise: str = "") -> str:
    """``; did you mean x?`` with the nearest of the known names, or ``otherwise`` where none is near."""
    near = get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else otherwise
