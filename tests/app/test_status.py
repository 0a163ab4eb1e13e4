"""Facts of a running service."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from provd.app.operations import status_of
from provd.testing.world import World


def test_a_clock_that_is_set_changes_no_uptime(tmp_path: Path) -> None:
    """A machine without a battery starts in 1970 and is set by its time service."""
    world = World(tmp_path, enabled=("pxelinux",))
    nobody = SimpleNamespace(bound=(), connections=0, port=0, fault="", transfers=0, counts={})
    listeners = SimpleNamespace(dhcp=nobody, pxe=nobody, http=nobody, syslog=nobody, tftp=nobody)
    server: Any = SimpleNamespace(
        services=world.services, listeners=listeners, rogue=SimpleNamespace(as_dict=dict), json=None
    )
    told = status_of(server, world.clock.seconds())
    before = world.services.wall()
    world.clock.advance(90.0)
    world.services.wall = lambda: before + 1e9
    assert told()["uptime_s"] == 90.0
