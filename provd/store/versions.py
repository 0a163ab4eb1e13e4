"""Versions of systems: the hash of the content, and the rule that an edit names the one it was made from."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from provd.model.system import System
from provd.store.interface import StaleWriteError
from provd.store.kinds import SYSTEMS


def with_version(system: System) -> System:
    """The system with the version that its content has, whatever version it came with."""
    bare = replace(system, version="")
    return replace(bare, version=hashlib.sha256(SYSTEMS.encode(bare, 0)).hexdigest()[:16])


def check_version(name: str, stored: System | None, expected: str) -> None:
    """Whether an edit was made from what is stored.

    Raises:
        StaleWriteError: it was not.
    """
    if stored is None and expected:
        raise StaleWriteError(f"system {name} was removed meanwhile")
    if stored is not None and not expected:
        raise StaleWriteError(f"system {name} exists already")
    if stored is not None and stored.version != expected:
        raise StaleWriteError(f"system {name} was changed meanwhile (revision {stored.version}, not {expected})")
