"""Ids of boots: unguessable, drawn from the kernel many at a time.

Each question to the kernel gives the interpreter to another thread, and in a storm of booting machines the one that
writes to the disk takes it: a boot that asked for its own six octets waited longer for them than for its plan.
"""

from __future__ import annotations

import os
from typing import Final

_LENGTH: Final = 12
"""Hexadecimal digits of an id: 48 bits."""
_DRAWN: Final = 256
"""Ids of one question to the kernel."""


class SessionIds:
    """Gives every id once."""

    def __init__(self) -> None:
        self._digits = ""

    def fresh(self) -> str:
        """An id that nobody had before."""
        if not self._digits:
            self._digits = os.urandom(_DRAWN * _LENGTH // 2).hex()
        found, self._digits = self._digits[:_LENGTH], self._digits[_LENGTH:]
        return found
