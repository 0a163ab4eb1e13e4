"""What has to happen between power on and a login over SSH: steps, ticked off by the service's events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from provd.lab.errors import LabError
from provd.service.inspect import size

#: One row of a boot's timeline, as `RunningService.events` returns it.
Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that must happen.

    Attributes:
        key: short name.
        title: for people.
        kind: event kind that shows it; empty for what is seen elsewhere (console, SSH).
        boot: number of the boot session in which it must be seen, from 0.
        limit_s: seconds it may take after the step before it; of a step with ``fetches`` since a file moved.
        accept: further condition on the event.
        fetches: a file is on its way until then, as slowly as a machine under emulation on a busy host takes it.
        also: another kind that shows it as well, empty for none.
    """

    key: str
    title: str
    kind: str = ""
    boot: int = 0
    limit_s: float = 60.0
    accept: Callable[[Row], bool] = lambda _row: True
    fetches: bool = False
    also: str = ""


def _is_loader(row: Row) -> bool:
    return str(row["fields"].get("role")) == "loader"


#: Steps of an image installation, in order.
INSTALLATION: tuple[Step, ...] = (
    Step("power", "power on, empty disk, network first"),
    Step("discover", "DISCOVER from the firmware", "dhcp.discover"),
    Step("offer", "OFFER", "dhcp.offer"),
    Step("ack", "ACK, the lease is durable", "dhcp.ack"),
    Step("loader", "boot loader fetched", "tftp.sent", limit_s=90, accept=_is_loader, fetches=True, also="http.sent"),
    Step("config", "boot configuration served", "config.served", limit_s=90),
    Step("kernel", "kernel fetched", "kernel.fetched", limit_s=90, fetches=True),
    Step("initrd", "initial RAM disk fetched", "initrd.fetched", limit_s=180, fetches=True),
    Step("dhcp2", "second DHCP, from the installer: same address", limit_s=180),
    Step("answer", "answer file served", "answer.served", limit_s=90),
    Step("started", "installation begins", "install.started", limit_s=90),
    Step("finished", "installation finished, reported by the machine", "install.finished", limit_s=600),
    Step("trigger", "trigger ran", "trigger.finished", limit_s=60),
    Step("reset", "reboot", limit_s=120),
    Step("discover2", "the firmware tries the network first again", "dhcp.discover", boot=1, limit_s=300),
    Step("local", "told to boot its own disk", "boot.local", boot=1, limit_s=120),
    Step("login", "login prompt of the installed system", limit_s=600),
    Step("ssh", "login over SSH with the key: host name, user, address", limit_s=120),
)

#: Event kinds that end the story at once.
_FATAL = frozenset({"install.failed", "boot.held", "answer.failed", "answer.refused", "trigger.failed", "boot.none"})


@dataclass(slots=True)
class Story:
    """What happened so far.

    Attributes:
        steps: all steps in order.
        done: step keys and what was seen.
        address: leased at the first ACK.
        percent: of the installation, and its text.
    """

    steps: Sequence[Step] = INSTALLATION
    done: dict[str, str] = field(default_factory=dict)
    address: str = ""
    percent: float = 0.0
    doing: str = ""

    def next_step(self) -> Step | None:
        """The first step that was not seen, None at the end."""
        return next((step for step in self.steps if step.key not in self.done), None)

    def tick(self, key: str, seen: str = "") -> list[tuple[Step, str]]:
        """Mark a step as seen; returns it, or nothing if it was seen before or is no step of this story."""
        step = next((step for step in self.steps if step.key == key), None)
        if step is None or key in self.done:
            return []
        self.done[key] = seen
        return [(step, seen)]

    def event(self, row: Row, boot: int) -> list[tuple[Step, str]]:
        """Take one event of boot session number ``boot``; returns the steps that it completes.

        Raises:
            LabError: the event means that the story cannot end well.
        """
        kind, fields = str(row["kind"]), row["fields"]
        if kind in _FATAL:
            raise LabError(str(row["text"]))
        if kind == "install.progress":
            self.percent = float(fields.get("percent", self.percent))
            self.doing = str(fields.get("text", self.doing))
        if kind == "dhcp.ack":
            return self._ack(str(fields.get("address", "")), boot)
        ticked = []
        for step in self.steps:
            seen = kind in {step.kind, step.also} and step.boot == boot and step.accept(row)
            if seen and step.key not in self.done:
                ticked += self.tick(step.key, _seen(row))
        return ticked

    def _ack(self, address: str, boot: int) -> list[tuple[Step, str]]:
        if not self.address:
            self.address = address
        elif address != self.address:
            msg = f"the machine was given {address} although it had {self.address}"
            raise LabError(msg)
        first = self.tick("ack", address) if boot == 0 else []
        # Kernel and initrd are there before the installer's own DHCP begins.
        if not first and boot == 0 and "initrd" in self.done:
            return self.tick("dhcp2", address)
        return first


def _seen(row: Row) -> str:
    """The details that matter to who watches; the whole line is in `provd trace`."""
    fields = row["fields"]
    words = [str(fields[name]) for name in ("address", "arch", "loader", "output") if fields.get(name)]
    words += [str(fields["path"]).rpartition("/")[2]] if fields.get("path") else []
    words += [size(fields["bytes"])] if isinstance(fields.get("bytes"), int) else []
    words += [f"{fields['seconds']:.1f} s"] if isinstance(fields.get("seconds"), float) else []
    words += [str(fields["document"])] if fields.get("document") else []
    return ", ".join(word.strip() for word in words)
