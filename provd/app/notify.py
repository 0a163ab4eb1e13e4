"""Readiness and watchdog for systemd (sd_notify(3)): datagrams to the socket that NOTIFY_SOCKET names."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

_WAIT_S: Final = 0.5


class Notifier:
    """Tells the service manager how provd is; does nothing where there is none."""

    def __init__(self, environment: Mapping[str, str], clock: IReactorTime) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._watchdog_us = int(environment.get("WATCHDOG_USEC", "0") or "0")
        self._clock = clock
        self._beat: LoopingCall | None = None

    def send(self, **states: str) -> None:
        """Send assignments such as ``READY="1"``."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        message = "\n".join(f"{name}={value}" for name, value in states.items())
        # A manager that is away or busy misses one message; the next heart-beat is sent all the same. One whose queue
        # is full reads nothing for hours: nobody may wait for it, and the few messages that count wait a moment.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.settimeout(0.0 if "WATCHDOG" in states else _WAIT_S)
            channel.sendto(message.encode(), address)

    def ready(self, status: str) -> None:
        """Every listener is bound; the watchdog's heart-beat begins, from the reactor, so that a hung one stops it."""
        self.send(READY="1", STATUS=status)
        if self._watchdog_us and self._beat is None:
            self._beat = LoopingCall(self.send, WATCHDOG="1")
            self._beat.clock = self._clock
            self._beat.start(self._watchdog_us / 2_000_000)

    def reloading(self) -> None:
        """A reload begins (RELOADING wants the monotonic time beside it)."""
        self.send(RELOADING="1", MONOTONIC_USEC=str(time.monotonic_ns() // 1000))

    def stopping(self) -> None:
        """The service winds down."""
        if self._beat is not None and self._beat.running:
            self._beat.stop()
        self.send(STOPPING="1")
