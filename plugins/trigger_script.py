"""Runs a program when something happens.

    [[plugins.trigger_script.scripts]]
    name = "inventory"
    on = ["install.finished", "install.failed"]
    argv = ["/usr/local/bin/after-install", "--", "{system}"]
    timeout_s = 60

There is no shell. The program starts without any capability, gets the event as JSON on standard input, and
``PROVD_EVENT``, ``PROVD_SYSTEM``, ``PROVD_MAC``, ``PROVD_SESSION`` and ``PROVD_AT`` in an otherwise empty environment.
``{system}``, ``{mac}``, ``{session}`` and ``{event}`` may stand as whole arguments after ``--``, so that no value can
be taken for an option. Exit status 0 is success; after ``timeout_s`` its whole process group is killed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import msgspec

from provd.plugin.api import Event, KeepsRuntime, Plugin, Settings, Trigger, hookimpl, scrub, scrub_value

_PLACES = ("{system}", "{mac}", "{session}", "{event}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MOST_OUTPUT = 4096
_LONGEST_VALUE = 1024


class Script(Settings, frozen=True):
    """One program.

    Attributes:
        name: of the trigger.
        on: event kinds, ``*`` as in file names.
        argv: absolute path of the program and its arguments.
        timeout_s: seconds until it is killed.
    """

    name: str
    on: tuple[str, ...]
    argv: tuple[str, ...]
    timeout_s: float = 60.0

    def __post_init__(self) -> None:
        if not self.argv or not Path(self.argv[0]).is_absolute():
            raise ValueError(f"argv of {self.name!r} must begin with an absolute path")
        safe = self.argv.index("--") if "--" in self.argv else len(self.argv)
        if any(place in word for word in self.argv[:safe] for place in _PLACES):
            raise ValueError(f"argv of {self.name!r}: placeholders may only stand after '--'")
        if any(place in word and word != place for word in self.argv for place in _PLACES):
            raise ValueError(f"argv of {self.name!r}: a placeholder must be a whole argument")
        if self.timeout_s <= 0:
            raise ValueError(f"timeout_s of {self.name!r} must be above 0")

    def doubts(self) -> Iterable[str]:
        """Why the program could not be started now."""
        program = Path(self.argv[0])
        if not program.is_file():
            yield f"argv: there is no program {program}"
        elif not os.access(program, os.X_OK):
            yield f"argv: {program} may not be executed; use chmod +x"


class SettingsOfTriggerScript(Settings, frozen=True):
    """``scripts``: what is run."""

    scripts: tuple[Script, ...] = ()


class TriggerScript(KeepsRuntime):
    """Runs programs through the runtime."""

    def __init__(self, settings: SettingsOfTriggerScript) -> None:
        self._scripts = settings.scripts

    @hookimpl
    def provd_triggers(self) -> Iterable[Trigger]:
        for one in self._scripts:
            yield Trigger(one.name, one.on, one.timeout_s + 5, partial(self.run, one), doubts=one.doubts)

    async def run(self, script: Script, event: Event) -> str:
        """Run it; returns the beginning of its output."""
        values = dict(zip(_PLACES, (event.system, event.mac, event.session, event.kind), strict=True))
        argv = [safe_text(values[word]) if word in values else word for word in script.argv]
        result = await self.runtime.run_process(
            argv, stdin=as_json(event), timeout_s=script.timeout_s, env=environment(event)
        )
        output = scrub((result.stdout + result.stderr).decode("utf-8", "replace"))[:_MOST_OUTPUT]
        if result.status != 0:
            raise RuntimeError(f"{script.argv[0]} ended with status {result.status}: {output.strip()[-500:]}")
        return output


def safe_text(value: str) -> str:
    """One line without control characters; what a machine called itself may be anything."""
    return _CONTROL.sub(" ", value)[:_LONGEST_VALUE]


def environment(event: Event) -> dict[str, str]:
    """The variables a program gets."""
    values = {"EVENT": event.kind, "SYSTEM": event.system, "MAC": event.mac, "SESSION": event.session}
    return {**{f"PROVD_{key}": safe_text(value) for key, value in values.items()}, "PROVD_AT": f"{event.at:.3f}"}


def as_json(event: Event) -> bytes:
    """The event as JSON on one line; secrets are never in an event, and are scrubbed all the same."""
    return msgspec.json.encode(scrub_value(msgspec.to_builtins(event)))


PLUGIN = Plugin(name="trigger_script", settings=SettingsOfTriggerScript, build=TriggerScript, triggers="scripts")
