"""What a diagnosis looks at, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from provd.model.event import Event
from provd.model.session import BootSession, step_reached

SILENT_S: Final = 60.0
"""Seconds without anything from a machine after which its boot counts as standing still."""
INSTALLER_SILENT_S: Final = 600.0
"""The same for an installer that unpacks: it says nothing for minutes; and for a transfer that goes on."""
FIRMWARE_SILENT_S: Final = 15.0
"""The same for firmware that was sent an address: none waits longer before it asks for what comes next."""
REFUSED_SILENT_S: Final = 3.0
"""The same after a file that could not be served: a loader that looks for it elsewhere does so at once."""
_FIRMWARE: Final = frozenset({"discover", "offer", "ack"})
MISSES: Final = frozenset({"tftp.missed", "http.missed", "tftp.failed", "http.failed"})
"""Ends of a request that gave the machine nothing."""
FORWARD: Final = frozenset(
    {
        "dhcp.offer", "dhcp.ack", "tftp.sent", "http.sent", "config.served", "kernel.fetched", "initrd.fetched",
        "answer.served", "package.first", "install.started", "install.progress", "install.finished",
    }
)  # fmt: skip
"""What a machine got or did that brings its boot on: an obstacle before it was none."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A plugin that misbehaved while it was asked for this boot.

    Attributes:
        told: plugin, hook and what it did, as in ``drowsy: provd_kernel_args took 600 ms``.
        missing: it gave no value, because it failed or rests.
    """

    told: str
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside the boot itself.

    Attributes:
        silent_s: seconds since the newest event.
        kernels: CPUs whose kernels the firmware starts, its own first (``x86_64``), empty where it did not say.
        distro: name and CPU of the distro that the plan installs, empty where there is none.
        loaders: boot loaders that the plan may use.
        troubles: plugins that were slow, failed or rested when this boot needed them.
        earlier: boots of the same machine before this one, the newest first.
        held: why the plan holds the machine, empty where it does not or is not known any more.
        source: URL that the installer fetches packages from, where that is not provd; else empty.
        fetches: the installer fetches something from its source through provd at this moment.
    """

    silent_s: float = 0.0
    kernels: tuple[str, ...] = ()
    distro: tuple[str, str] = ("", "")
    loaders: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    earlier: Sequence[BootSession] = ()
    held: str = ""
    source: str = ""
    fetches: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        rule: stable name, as in ``missing-file``.
        step: step of the boot at which it shows, one of :data:`provd.model.session.STEPS`.
        cause: what was seen and what it means, in a sentence.
        advice: what to look at or to do.
    """

    rule: str
    step: str
    cause: str
    advice: str


@dataclass(frozen=True, slots=True)
class Boot:
    """What the rules look at."""

    session: BootSession
    events: Sequence[Event]
    facts: Facts
    kinds: frozenset[str] = field(default=frozenset())

    def of(self, *kinds: str) -> list[Event]:
        """Events of these kinds, in order."""
        return [event for event in self.events if event.kind in kinds] if not self.kinds.isdisjoint(kinds) else []

    def last(self, kind: str) -> Event | None:
        """The newest event of a kind."""
        found = self.of(kind)
        return found[-1] if found else None

    @property
    def stands(self) -> bool:
        """Nothing came for a while, or another boot began instead of going on."""
        return self.session.outcome == "superseded" or (
            self.session.outcome == "running" and self.facts.silent_s >= self._patience_s
        )

    @property
    def _patience_s(self) -> float:
        """Seconds of silence that are no wonder now."""
        unpacks = step_reached(self.session, "answers") and self.session.action == "install"
        if unpacks or self.transfers:
            return INSTALLER_SILENT_S
        return FIRMWARE_SILENT_S if self.session.step in _FIRMWARE else SILENT_S

    @property
    def transfers(self) -> bool:
        """A file is on its way to the machine: its end is an event, and a large one takes minutes."""
        if self.facts.fetches:
            return True
        for event in reversed(self.events):
            what = event.kind.partition(".")[2]
            if event.kind in {"tftp.request", "http.request"}:
                return word(event, "role") != "callback"
            if what in {"sent", "partial", "unchanged", "refused", "missed", "failed", "aborted", "fetched"}:
                return False
        return False

    def in_vain(self, event: Event) -> bool:
        """Nothing came after this event that brought the boot on."""
        return all(one.kind not in FORWARD for one in self.after(event))

    def after(self, event: Event) -> Sequence[Event]:
        """What came after this event."""
        place = next(at for at, one in enumerate(self.events) if one is event)
        return self.events[place + 1 :]

    @property
    def over(self) -> bool:
        """It ended as it should."""
        return self.session.outcome in {"finished", "local", "started", "menu"} and self.session.action != "hold"


def word(event: Event, name: str) -> str:
    """A detail of an event as text, empty where there is none."""
    return str(event.fields.get(name, "") or "")


def is_other_processor(boot: Boot) -> bool:
    """The machine was to start a kernel for a processor that it has not."""
    _, wanted = boot.facts.distro
    known = bool(boot.facts.kernels and wanted)
    return known and wanted not in boot.facts.kernels and boot.session.action in {"install", "hold"}
