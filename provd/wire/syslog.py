"""Log lines as they travel: RFC 5424, RFC 3164, and what real senders make of them; frames of RFC 6587 over TCP."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

FRAME_MAX: Final = 8192
"""Octets of one message that are kept (RFC 5424 section 6.1 wants 2048); what is longer is cut."""

_COUNTED_MAX: Final = 1 << 20
_NOTICE: Final = 5
_PRI: Final = re.compile(rb"<(\d{1,3})>")
_COUNT: Final = re.compile(rb"([1-9]\d{0,7}) (?=<)")
_COUNT_BEGINS: Final = re.compile(rb"[1-9]\d{0,7}(?: )?")
_NEW: Final = re.compile(r"1 \S{1,64} \S{1,255} (\S{1,48}) \S{1,128} \S{1,32} ")
_ELEMENT: Final = re.compile(r'\[[^\s"\]=]{1,32}(?: [^\s"\]=]{1,32}="(?:[^"\\]|\\.)*")*\]')
_TIME: Final = r"(?:[A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d(?: \d{4})?|\d{4}-\d\d-\d\dT[\d:.,+Z-]{8,32})"
_OLD: Final = re.compile(
    rf"(?:{_TIME} (?:(?P<host>[\w.:-]{{0,254}}[\w.-]) )?)?(?P<tag>[^\s:\[\]]{{1,48}})(?:\[[^\]\s]{{0,128}}\])?: ?",
    re.ASCII,
)
_STAMP: Final = re.compile(rf"{_TIME} ", re.ASCII)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One message.

    Attributes:
        severity: 0 (emergency) to 7 (debug); 5 (notice) where none is told (RFC 3164 section 4.3.3).
        program: who said it, empty where nobody is named.
        text: what was said; it may have control characters.
    """

    severity: int
    program: str
    text: str


def parse(data: bytes) -> LogLine:
    """What a message says; a message that fits no rule is all text, as relays treat it (RFC 3164 section 4.3.3)."""
    severity = _NOTICE
    priority = _PRI.match(data)
    if priority is not None and int(priority[1]) <= 191:
        severity, data = int(priority[1]) & 7, data[priority.end() :]
    text = data[:FRAME_MAX].decode("utf-8", "replace").rstrip("\r\n\0")
    new = _NEW.match(text)
    if new is not None:
        return LogLine(severity, "" if new[1] == "-" else new[1], _message(text[new.end() :]))
    old = _OLD.match(text)
    if old is not None:
        return LogLine(severity, old["tag"], text[old.end() :])
    stamp = _STAMP.match(text)
    return LogLine(severity, "", text[stamp.end() :] if stamp else text)


def _message(rest: str) -> str:
    """What follows the structured data (RFC 5424 section 6.3): ``-`` or elements in brackets."""
    at = 0
    if rest.startswith("-"):
        at = 1
    else:
        while (element := _ELEMENT.match(rest, at)) is not None:
            at = element.end()
    return rest[at:].removeprefix(" ").removeprefix("\ufeff")


class FrameError(Exception):
    """A stream that cannot be cut into messages any more; the sentence says why."""


class Frames:
    """Cuts a TCP stream into messages: counted octets or lines (RFC 6587 section 3.4), told apart at each message.

    At most :data:`FRAME_MAX` octets and one segment are kept; the rest of a longer message is passed over.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._skip = 0
        self._skip_line = False

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole now.

        Raises:
            FrameError: a counted message of more than a megabyte.
        """
        self._buffer += data
        found: list[bytes] = []
        while self._buffer and self._next(found):
            pass
        return [one for one in found if one.strip(b"\r\n\0 ")]

    def rest(self) -> bytes:
        """What came after the last whole message, once the sender has closed."""
        rest, self._buffer = self._buffer, b""
        return b"" if self._skip or self._skip_line else rest.strip(b"\r\n\0 ")

    def _next(self, found: list[bytes]) -> bool:
        """Take one message or what is to be passed over; False where more must come first."""
        if self._skip:
            gone = min(self._skip, len(self._buffer))
            self._buffer, self._skip = self._buffer[gone:], self._skip - gone
            return True
        counted = None if self._skip_line else _COUNT.match(self._buffer)
        if counted is not None:
            return self._counted(int(counted[1]), counted.end(), found)
        begun = _COUNT_BEGINS.match(self._buffer)
        if not self._skip_line and begun is not None and begun.end() == len(self._buffer):
            return False
        return self._line(found)

    def _counted(self, length: int, start: int, found: list[bytes]) -> bool:
        if length > _COUNTED_MAX:
            raise FrameError(f"a message of {length} octets is announced, at most {_COUNTED_MAX} are taken (RFC 6587)")
        kept = min(length, FRAME_MAX)
        if len(self._buffer) < start + kept:
            return False
        found.append(self._buffer[start : start + kept])
        self._buffer, self._skip = self._buffer[start + kept :], length - kept
        return True

    def _line(self, found: list[bytes]) -> bool:
        end = min((at for mark in (b"\n", b"\0") if (at := self._buffer.find(mark)) >= 0), default=-1)
        if end < 0:
            if self._skip_line:
                self._buffer = b""
            elif len(self._buffer) > FRAME_MAX:
                found.append(self._buffer[:FRAME_MAX])
                self._buffer, self._skip_line = b"", True
            return False
        if not self._skip_line:
            found.append(self._buffer[: min(end, FRAME_MAX)])
        self._buffer, self._skip_line = self._buffer[end + 1 :], False
        return True
