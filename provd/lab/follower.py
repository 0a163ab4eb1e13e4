"""Follows one machine through a story: ticks its steps off by the service's events and the machine's resets."""

from __future__ import annotations

import time

from provd.lab.demo_screen import Screen
from provd.lab.errors import LabError
from provd.lab.machine import Machine
from provd.lab.service import RunningService
from provd.lab.story import Step, Story

_POLL_S = 0.3
_LEAST_FETCHED = 256 * 1024
"""Octets on the machine's wire that are a file on its way, and no questions for an address."""


class Follower:
    """One run, once network, service and machine are there.

    Args:
        screen: where it is told.
        service: the running service.
        machine: the machine that is installed.
        story: what has to happen.
        system: the machine's name there.
    """

    def __init__(self, screen: Screen, service: RunningService, machine: Machine, story: Story, system: str) -> None:
        self._screen = screen
        self._service = service
        self._machine = machine
        self._system = system
        self._seen: dict[str, int] = {}
        self._resets = 0
        self._moved_at = time.monotonic()
        self._on_the_wire = 0
        self.story = story

    def follow(self) -> None:
        """Watch until the last step is done.

        Raises:
            LabError: a step did not come in time, or something ended the story.
        """
        self._tell(self.story.tick("power", f"{self._machine.spec.firmware}, {self._machine.spec.mac}"))
        while (step := self.story.next_step()) is not None:
            self._events()
            self._console()
            self.look(step)
            self._progress(step)
            self._fetching(step)
            if not self._machine.running():
                msg = f"the machine ended: {(self._machine.directory / 'qemu.log').read_text().strip()}"
                raise LabError(msg)
            if time.monotonic() - self._moved_at > step.limit_s:
                msg = f"nothing happened for {step.limit_s:.0f} s"
                raise LabError(msg)
            time.sleep(_POLL_S)

    def look(self, step: Step) -> None:
        """What a run looks at besides, at each round."""

    def _events(self) -> None:
        for number, boot in enumerate(self._service.boots(self._system)):
            session = str(boot["session"])
            for row in self._service.events(self._system, session, self._seen.get(session, 0)):
                self._seen[session] = int(row["id"])
                before = self.story.percent
                self._tell(self.story.event(row, number))
                if self.story.percent != before:
                    self._moved_at = time.monotonic()

    def _console(self) -> None:
        resets = self._machine.qmp.count("RESET")
        if "finished" not in self.story.done:
            self._resets = resets
        elif resets > self._resets:
            self._tell(self.story.tick("reset"))

    def _fetching(self, step: Step) -> None:
        """A file that is on its way is told by no event before it has arrived."""
        packets = self._machine.directory / "network.pcap"
        octets = packets.stat().st_size if packets.exists() else 0
        if octets - self._on_the_wire >= _LEAST_FETCHED:
            self._on_the_wire = octets
            if step.fetches:
                self._moved_at = time.monotonic()

    def _progress(self, step: Step) -> None:
        done = len(self.story.done) / len(self.story.steps)
        if step.key == "finished":
            self._screen.progress(self.story.doing or "installing", self.story.percent / 100)
        else:
            self._screen.progress(f"waiting for: {step.title}", done)

    def _tell(self, ticked: list[tuple[Step, str]]) -> None:
        for step, seen in ticked:
            self._screen.step(step.title, seen)
            self._moved_at = time.monotonic()
