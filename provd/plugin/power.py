"""What switches machines on and off: drivers that plugins bring, one for each kind of board or outlet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from provd.model.system import System

POWER_ACTIONS = ("status", "on", "off", "shutdown", "cycle", "pxe")
"""``shutdown`` asks the system to end, ``off`` does not; ``cycle`` restarts a machine that is on and switches on one
that is not; ``pxe`` makes the next boot, and only that, one from the network."""


@dataclass(frozen=True, slots=True)
class PowerCall:
    """One action on one machine.

    Attributes:
        system: the machine.
        settings: its ``[power]`` table without ``driver``, as the driver's structure, secrets read.
        action: one of the driver's ``actions``.
    """

    system: System
    settings: Any
    action: str


def no_fault(_settings: Any) -> str:
    """The judge of a driver that takes every table of its structure."""
    return ""


@dataclass(frozen=True, slots=True)
class PowerDriver:
    """Switches the power of machines.

    Attributes:
        name: unique name, the ``driver`` of ``[power]`` tables.
        settings: a ``msgspec.Struct`` with ``forbid_unknown_fields``; the rest of a table is decoded into it.
        run: a coroutine; returns for ``status`` ``on``, ``off`` or ``unknown``, else a few words on what was done. An
            ``OSError`` says that the board could not be reached, a ``ValueError`` that it refused; neither text holds a
            secret. It must end by itself within a minute.
        fault: one sentence that says why a table cannot be used, or empty; checks ask it with ``***`` in the place of
            secrets, so it neither connects nor waits.
        actions: those of :data:`POWER_ACTIONS` that it knows.
    """

    name: str
    settings: type
    run: Callable[[PowerCall], Awaitable[str]]
    fault: Callable[[Any], str] = no_fault
    actions: tuple[str, ...] = POWER_ACTIONS
