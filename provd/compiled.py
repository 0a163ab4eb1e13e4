"""The compiled form of the path that answers DHCP: made by ``make compiled``, used by ``provd run`` where it fits.

The modules are the same sources, compiled by mypyc. Nothing depends on them: without them, or once a source differs
from what was compiled, the sources run.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import sysconfig
from pathlib import Path
from typing import Final

MODULES: Final = (
    *(f"provd.core.dhcp_{name}" for name in ("states", "layout", "timers", "pool", "identity", "leases", "times")),
    *(f"provd.service.dhcp_{name}" for name in ("commit", "shortcut")),
    "provd.service.dhcp",
    "provd.net.dhcp",
    "provd.net.dhcp_socket",
    "provd.wire.ipv4_udp",
    *(f"provd.net.{name}" for name in ("datagram_batch", "rawsocket")),
)
"""What is compiled: measured. The store gained nothing by it, and structs lose ``frozen`` and ``gc`` (dhcp_binding)."""

SWITCH: Final = "PROVD_COMPILED"
"""Environment variable; 0 makes the service run from its sources."""

COMPLETE: Final = "complete"
"""Name of the file that a finished folder has."""

_PACKAGE: Final = Path(__file__).resolve().parent
_READ_FROM: Final = ("wire", "model", "core", "service", "net")
"""Packages whose constants and types the compiler wrote into its code."""


def folder() -> Path:
    """Where compiled modules of exactly these sources are, or would be: one folder for each state and interpreter."""
    digest = hashlib.sha256(" ".join((sysconfig.get_config_var("EXT_SUFFIX"), *MODULES)).encode())
    for package in _READ_FROM:
        for source in sorted((_PACKAGE / package).glob("*.py")):
            digest.update(f"{package}/{source.name}\0".encode())
            digest.update(hashlib.sha256(source.read_bytes()).digest())
    return _PACKAGE / "_compiled" / digest.hexdigest()[:24]


def use_compiled() -> bool:
    """Import the compiled modules in the place of their sources; False, with nothing changed, where that cannot be."""
    if os.environ.get(SWITCH) == "0" or not sys.modules.keys().isdisjoint(MODULES):
        return False
    found = folder()
    if not (found / COMPLETE).exists():
        return False
    packages = [importlib.import_module(name) for name in sorted({name.rpartition(".")[0] for name in MODULES})]
    sys.path.append(str(found))
    for package in packages:
        package.__path__.insert(0, str(found.joinpath(*package.__name__.split("."))))
    try:
        for name in MODULES:
            importlib.import_module(name)
    except Exception as error:  # noqa: BLE001  whatever the compiler made of them, the sources are there
        sys.path.remove(str(found))
        for package in packages:
            del package.__path__[0]
        for name in MODULES:
            sys.modules.pop(name, None)
        sys.stderr.write(f"provd: the compiled modules in {found} cannot be used ({error!r}); the sources run\n")
        return False
    return True


def is_compiled() -> bool:
    """Whether this process answers DHCP with compiled modules."""
    return all(not str(getattr(sys.modules.get(name), "__file__", ".py")).endswith(".py") for name in MODULES)
