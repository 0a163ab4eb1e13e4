"""Run as a program: gives up every capability and becomes the command after ``--``.

Standard library only and never imported by provd: it is started by path with ``python -I -S``. Clearing the permitted
set and setting no_new_privs means that no later exec, not even of a set-user-id program by root, brings a capability
back (capabilities(7), prctl(2) PR_SET_NO_NEW_PRIVS).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
CAPABILITY_VERSION_3 = 0x20080522
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def drop_capabilities() -> None:
    """Empty the ambient, bounding, inheritable, permitted and effective sets, and set no_new_privs.

    Raises:
        OSError: the kernel refused to clear a set that an unprivileged process may clear.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))
    _must(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
    for number in range(last + 1):
        # needs CAP_SETPCAP, which provd usually has not; no_new_privs below makes it a second fence only
        libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
    header = _Header(CAPABILITY_VERSION_3, 0)
    _must(libc.capset(ctypes.byref(header), (_Data * 2)()))
    _must(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def _must(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def main(argv: list[str]) -> int:
    """Drop, become the leader of a new session, exec; returns an exit status only where that failed."""
    if len(argv) < 3 or argv[1] != "--":
        sys.stderr.write("usage: bare_exec.py -- PROGRAM [ARGUMENT...]\n")
        return EXIT_NOT_EXECUTABLE
    try:
        drop_capabilities()
        os.setsid()
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvp(argv[2], argv[2:])  # noqa: S606  an argument list, no shell
    except FileNotFoundError:
        sys.stderr.write(f"{argv[2]}: no such program\n")
        return EXIT_NOT_FOUND
    except OSError as error:
        sys.stderr.write(f"{argv[2]}: {error.strerror}\n")
        return EXIT_NOT_EXECUTABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv))
