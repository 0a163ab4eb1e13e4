"""nimbus_bell: runs a program when an installation has finished, with the machine's name.

[plugins.nimbus_bell]
program = "/usr/local/bin/ring"
"""

from __future__ import annotations

from collections.abc import Iterable

from provd.plugin.api import Event, Plugin, Runtime, Settings, Trigger, hookimpl


class BellSettings(Settings, frozen=True):
    """Which program."""

    program: str


class Bell:
    """Registers the trigger."""

    def __init__(self, settings: BellSettings) -> None:
        self._program = settings.program
        self._runtime: Runtime | None = None

    def start(self, runtime: Runtime) -> None:
        """Called once."""
        self._runtime = runtime

    @hookimpl
    def provd_triggers(self) -> Iterable[Trigger]:
        return [Trigger("nimbus_bell", ("install.finished",), 20.0, self.ring)]

    async def ring(self, event: Event) -> str:
        """Ring."""
        if self._runtime is None:
            raise RuntimeError("not started")
        done = await self._runtime.run_process([self._program, event.system])
        if done.status:
            raise RuntimeError(f"{self._program} ended with {done.status}")
        return done.stdout.decode("utf-8", "replace")


PLUGIN = Plugin(name="nimbus_bell", settings=BellSettings, build=Bell)
