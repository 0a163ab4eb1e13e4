"""Linux capabilities of this process (capabilities(7)), by the two system calls that the standard library lacks."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

CAP_SETPCAP = 8
CAP_NET_BIND_SERVICE = 10
CAP_NET_RAW = 13

_PR_CAPBSET_DROP = 24
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def _call(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def held() -> frozenset[int]:
    """Capabilities this process may use (its permitted set)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            mask = int(line.split()[1], 16)
            return frozenset(bit for bit in range(64) if mask >> bit & 1)
    return frozenset()


def keep_over_setuid() -> None:
    """Keep permitted capabilities when the user changes from root (prctl PR_SET_KEEPCAPS)."""
    _call(_libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl PR_SET_KEEPCAPS")


def empty_bounding_set() -> None:
    """Nothing that this process starts can gain a capability, not even as root; needs CAP_SETPCAP, else it is left."""
    if CAP_SETPCAP not in held():
        return
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        _call(_libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0), f"prctl PR_CAPBSET_DROP {capability}")


def keep_only(wanted: frozenset[int]) -> frozenset[int]:
    """Reduce this process to ``wanted`` (as far as it has them); none of them is inherited by a child.

    Returns:
        what it has now.
    """
    kept = wanted & held()
    low = sum(1 << bit for bit in kept if bit < 32)
    header = _Header(_VERSION_3, 0)
    data = (_Data * 2)(_Data(low, low, 0), _Data(0, 0, 0))
    _call(_libc.capset(ctypes.byref(header), ctypes.byref(data)), "capset")
    _call(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "prctl PR_CAP_AMBIENT")
    return kept
