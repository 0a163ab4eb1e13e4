"""Paths and texts without the secrets that may stand in them."""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(r"\b(answer|callback)/+[^/\s\"'?#]+", re.IGNORECASE)


def scrub_path(text: str) -> str:
    """The text with the token of every ``answer/TOKEN`` and ``callback/TOKEN`` cut out.

    Works on served paths, URLs and whole kernel command lines; everything that is logged or put into an event goes
    through it.
    """
    return _TOKEN.sub(r"\1/***", text)
