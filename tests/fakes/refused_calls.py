"""A kernel that refuses system calls: what a program sees on a failing disk, without one (seccomp, no rights needed)."""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Final

_NUMBERS: Final = {
    "x86_64": {
        "seccomp": 317,
        "pwrite64": 18,
        "pwritev2": 328,
        "fsync": 74,
        "fdatasync": 75,
        "rename": 82,
        "renameat": 264,
        "renameat2": 316,
    },
    "aarch64": {
        "seccomp": 277,
        "pwrite64": 68,
        "pwritev2": 287,
        "fsync": 82,
        "fdatasync": 83,
        "renameat": 38,
        "renameat2": 276,
    },
}
_LOAD_NUMBER, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NO_NEW_PRIVS, _SET_FILTER, _ALL_THREADS = 38, 1, 1


class _Step(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.POINTER(_Step)))


def refuse(*names: str) -> None:
    """From now on these calls fail with EIO in every thread of this process, until it ends.

    Args:
        names: ``pwrite64``, ``pwritev2``, ``fsync``, ``fdatasync``, ``rename``, ``renameat``, ``renameat2``; one that this CPU has not
            is left out.

    Raises:
        OSError: the kernel takes no filter.
    """
    numbers = _NUMBERS[os.uname().machine]
    refused = [numbers[name] for name in names if name in numbers]
    steps = [(_LOAD_NUMBER, 0, 0, 0)]
    steps += [(_IF_EQUAL, len(refused) - position, 0, number) for position, number in enumerate(refused)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | errno.EIO)]
    program = _Program(len(steps), (_Step * len(steps))(*(_Step(*step) for step in steps)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(
        numbers["seccomp"], _SET_FILTER, _ALL_THREADS, ctypes.byref(program)
    ):
        raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls")
