"""QEMU's control channel: power, and events such as reset and shutdown. Source: QEMU's qmp-spec."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import Any, TypeAlias

from provd.lab.errors import LabError

Json: TypeAlias = dict[str, Any]
_ANSWER_S = 30.0


class Qmp:
    """One control connection, read in the background.

    Args:
        name: of the machine, for error sentences.
        channel: connected socket; closed by `close`.
    """

    def __init__(self, name: str, channel: socket.socket) -> None:
        self.name = name
        self._channel = channel
        self._answers: list[Json] = []
        self._events: list[Json] = []
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, name=f"qmp {name}", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        # A half line or a reset connection means that QEMU ended.
        with contextlib.suppress(OSError, ValueError), self._channel.makefile("rb") as lines:
            for line in lines:
                message: Json = json.loads(line)
                with self._changed:
                    (self._events if "event" in message else self._answers).append(message)
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def greet(self) -> None:
        """Read the greeting and leave negotiation mode; must come first."""
        self._next_answer()
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: object) -> Any:
        """Run a command; its return value.

        Raises:
            LabError: QEMU refused it, ended, or did not answer.
        """
        message: Json = {"execute": command}
        if arguments:
            message["arguments"] = arguments
        self._channel.sendall(json.dumps(message).encode() + b"\n")
        answer = self._next_answer()
        if "error" in answer:
            msg = f"{self.name}: QEMU refused {command}: {answer['error'].get('desc', '')}"
            raise LabError(msg)
        return answer.get("return")

    def _next_answer(self) -> Json:
        with self._changed:
            if not self._changed.wait_for(lambda: self._answers or self._ended, _ANSWER_S) or not self._answers:
                msg = f"{self.name}: no answer on QEMU's control channel"
                raise LabError(msg)
            return self._answers.pop(0)

    def count(self, event: str) -> int:
        """How often an event came, for example ``RESET`` or ``SHUTDOWN``."""
        with self._changed:
            return sum(1 for message in self._events if message["event"] == event)

    def wait_event(self, event: str, timeout_s: float, *, count: int = 1) -> None:
        """Wait until an event came ``count`` times since the start.

        Raises:
            LabError: QEMU ended or the time is over.
        """
        until = time.monotonic() + timeout_s
        with self._changed:
            while sum(1 for message in self._events if message["event"] == event) < count:
                left = until - time.monotonic()
                if self._ended or left <= 0:
                    why = "QEMU ended" if self._ended else f"{timeout_s:.0f} s are over"
                    msg = f"{self.name}: {why} without event {event} number {count}"
                    raise LabError(msg)
                self._changed.wait(left)

    def close(self) -> None:
        """Stop reading."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._channel.close()
