"""What this machine lacks for a service of this configuration: its user, its directory, its interfaces."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path

from provd.config.schema import ServerConfig


def machine_remarks(config: ServerConfig) -> Iterator[str]:
    """Sentences; a configuration may be checked on another machine than the one it is for."""
    if config.user and not _exists(config.user):
        yield f"user {config.user!r} does not exist on this machine; provd run refuses to start as root without it"
    place = Path(config.data_dir)
    nearest = next(one for one in (place, *place.absolute().parents) if os.path.lexists(one))
    if not nearest.is_dir():
        yield f"data_dir {place} cannot be a directory here: {nearest} is none"
    there = sorted(name for _index, name in socket.if_nameindex())
    for one in config.interfaces:
        if one.name not in there:
            yield f"interface {one.name} is not on this machine; there are {', '.join(there)}"


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
