"""Log lines on standard output: text for people or JSON for machines, and never a token."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TextIO, cast

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
    globalLogBeginner,
)
from zope.interface import implementer

from provd.model.scrub import scrub_path

_LEVELS = {"debug": LogLevel.debug, "info": LogLevel.info, "warning": LogLevel.warn, "error": LogLevel.error}
_SYSLOG = {LogLevel.debug: 7, LogLevel.info: 6, LogLevel.warn: 4, LogLevel.error: 3, LogLevel.critical: 2}


@implementer(ILogObserver)
class LineObserver:
    """Writes one line for an event; a failure adds its traceback."""

    def __init__(self, stream: TextIO, *, as_json: bool, journal: bool) -> None:
        """Choose the form.

        Args:
            stream: where lines go.
            as_json: one JSON object for each event.
            journal: begin text lines with the level as sd-daemon(3) wants it, and leave the time to the journal.
        """
        self._stream = stream
        self._as_json = as_json
        self._journal = journal

    def __call__(self, event: LogEvent) -> None:
        """Write the event."""
        text = scrub_path(formatEvent(event) or "")
        failure = event.get("log_failure")
        trace = scrub_path(failure.getTraceback()) if failure is not None else ""
        line = self._json(event, text, trace) if self._as_json else self._text(event, text, trace)
        self._stream.write(line + "\n")
        self._stream.flush()

    def _json(self, event: LogEvent, text: str, trace: str) -> str:
        record = {
            "time": _when(event).isoformat(timespec="milliseconds"),
            "level": cast("LogLevel", event.get("log_level", LogLevel.info)).name,
            "part": event.get("log_namespace", ""),
            "text": text,
        }
        return json.dumps({**record, "traceback": trace} if trace else record)

    def _text(self, event: LogEvent, text: str, trace: str) -> str:
        level = event.get("log_level", LogLevel.info)
        part = str(event.get("log_namespace", "")).removeprefix("provd.")
        body = _plain(f"{part}: {text}" + (f"\n{trace.rstrip()}" if trace else ""))
        if self._journal:
            return "\n".join(f"<{_SYSLOG[level]}>{line}" for line in body.split("\n"))
        # The day and the zone stand there as well: nothing beside the file tells them.
        return f"{_when(event):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + f"Z {level.name:<5} {body}"


def _plain(text: str) -> str:
    """The text with what would end its line, steer a terminal or be no UTF-8 as escapes: it may hold others' names."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" else one.encode("unicode_escape").decode() for one in text)


def _when(event: LogEvent) -> datetime:
    return datetime.fromtimestamp(float(event["log_time"]), UTC)


def begin(stream: TextIO, level: str, form: str, *, journal: bool) -> None:
    """Send every log event of this process to ``stream``.

    Args:
        stream: standard output, in a service.
        level: ``debug``, ``info``, ``warning`` or ``error``.
        form: ``text`` or ``json``.
        journal: the stream is connected to the system journal.
    """
    lowest = LogLevelFilterPredicate(defaultLogLevel=_LEVELS[level])
    # Twisted tells of every port it opens and every factory it starts; that is a debugging matter.
    for noisy in ("twisted", "log_legacy", "-", "stdout", "stderr"):
        lowest.setLogLevelForNamespace(noisy, max(_LEVELS[level], LogLevel.warn))
    observer = LineObserver(stream, as_json=form == "json", journal=journal)
    globalLogBeginner.beginLoggingTo([FilteringLogObserver(observer, [lowest])], redirectStandardIO=False)
