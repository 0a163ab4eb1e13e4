"""A timer that an epoll can wait for (timerfd_create(2)).

A wait with a time limit sets a timer of the kernel and takes it away again, which on a virtual machine costs a third of
what it costs to send a block. One that is set once a turn lets every wait within the turn be without a limit.
"""

from __future__ import annotations

import ctypes
import os
import time
from typing import Final

_FLAGS: Final = os.O_NONBLOCK | os.O_CLOEXEC
"""TFD_NONBLOCK and TFD_CLOEXEC are defined as these."""


class _Specification(ctypes.Structure):
    """``struct itimerspec``: interval and first expiry, each in seconds and nanoseconds."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("first_s", ctypes.c_long),
        ("first_ns", ctypes.c_long),
    )


class TurnTimer:
    """Becomes readable once, some time after :meth:`start`.

    Args:
        seconds: less than one.

    Attributes:
        descriptor: to wait for, edge-triggered, since nobody reads it.
    """

    def __init__(self, seconds: float) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._set = libc.timerfd_settime
        self._specification = ctypes.byref(_Specification(0, 0, 0, int(seconds * 1e9)))
        self.descriptor: int = libc.timerfd_create(time.CLOCK_MONOTONIC, _FLAGS)
        if self.descriptor < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))

    def start(self) -> None:
        """Begin to count, anew where it counts already."""
        self._set(self.descriptor, 0, self._specification, None)

    def close(self) -> None:
        """Free it."""
        os.close(self.descriptor)
