"""The serial console of a machine: read in the background, waited on by pattern, typed into."""

from __future__ import annotations

import codecs
import contextlib
import re
import socket
import threading
import time

from provd.lab.errors import LabError

# CSI and two-character escape sequences of terminals (ECMA-48, sections 5.3 and 5.4).
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_]|[()][A-Za-z0-9])")
_LONGEST_ESCAPE = 16
_READ_SIZE = 65536


class Console:
    """The text a machine printed, without terminal control sequences.

    Args:
        name: of the machine, for error sentences.
        channel: connected socket to the serial line; closed by `close`.
    """

    def __init__(self, name: str, channel: socket.socket) -> None:
        self.name = name
        self._channel = channel
        self._text = ""
        self._pending = ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._mark = 0
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, name=f"console {name}", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                data = self._channel.recv(_READ_SIZE)
            except OSError:
                data = b""
            with self._changed:
                self._append(data)
                self._ended = not data
                self._changed.notify_all()
            if not data:
                return

    def text(self) -> str:
        """Everything printed so far."""
        with self._changed:
            return self._text

    def _append(self, data: bytes) -> None:
        # An escape sequence may arrive in two pieces: an unfinished one waits for more.
        self._pending += self._decode(data)
        escape = self._pending.rfind("\x1b")
        whole = len(self._pending)
        unfinished = escape >= 0 and _ESCAPES.match(self._pending, escape) is None
        if unfinished and data and whole - escape < _LONGEST_ESCAPE:
            whole = escape
        self._text += _ESCAPES.sub("", self._pending[:whole]).replace("\r", "")
        self._pending = self._pending[whole:]

    def wait_for(self, pattern: str, timeout_s: float) -> re.Match[str]:
        """Wait until the text after the last match has a match of a regular expression (multi-line mode).

        Raises:
            LabError: the machine ended, or the time is over; the sentence shows the last lines.
        """
        expression = re.compile(pattern, re.MULTILINE)
        until = time.monotonic() + timeout_s
        with self._changed:
            while True:
                match = expression.search(self._text, self._mark)
                if match is not None:
                    self._mark = match.end()
                    return match
                left = until - time.monotonic()
                if self._ended or left <= 0:
                    raise LabError(self._missing(pattern, timeout_s))
                self._changed.wait(left)

    def _missing(self, pattern: str, timeout_s: float) -> str:
        why = "the machine ended" if self._ended else f"{timeout_s:.0f} s are over"
        last = "\n".join(f"  | {line}" for line in (self._text + self._pending).splitlines()[-15:] if line.strip())
        return f"console of {self.name}: {why} and {pattern!r} was not printed; last lines:\n{last}"

    def seen(self, pattern: str) -> bool:
        """Whether the text has a match anywhere, however old."""
        return re.search(pattern, self.text(), re.MULTILINE) is not None

    def send(self, text: str) -> None:
        """Type."""
        self._channel.sendall(text.encode())

    def close(self) -> None:
        """Stop reading."""
        # A plain close would leave the reading thread in recv().
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._channel.close()
