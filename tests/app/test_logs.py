"""Lines of the log: one for an event, whatever its text holds."""

from __future__ import annotations

import io

import pytest
from twisted.logger import LogEvent, LogLevel

from provd.app.logs import LineObserver


def written(text: str, *, journal: bool) -> bytes:
    """What an event leaves on a stream that takes UTF-8 only, as standard output of a service does."""
    raw = io.BytesIO()
    event: LogEvent = {
        "log_format": "{text}", "text": text, "log_level": LogLevel.info, "log_namespace": "provd.http", "log_time": 0.0
    }  # fmt: skip
    stream = io.TextIOWrapper(raw, encoding="utf-8")
    LineObserver(stream, as_json=False, journal=journal)(event)
    return raw.getvalue()


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r"])
def test_a_name_in_a_line_begins_no_other_line(separator: str) -> None:
    told = written(f"HTTP a{separator}<3>dhcp: forged", journal=True)
    assert len(told.decode().splitlines()) == 1


def test_a_line_has_its_day_and_zone_and_tells_a_terminal_nothing() -> None:
    assert written("HTTP \x1b[31mred", journal=False) == b"1970-01-01T00:00:00.000Z info  http: HTTP \\x1b[31mred\n"


@pytest.mark.parametrize("journal", [True, False])
def test_a_file_name_that_is_not_UTF8_loses_no_line(journal: bool) -> None:
    told = written("left out: caf\udce9.toml, \u00fc", journal=journal).decode()
    assert told.endswith("left out: caf\\udce9.toml, \u00fc\n")


def test_a_text_of_two_lines_has_two_with_their_level() -> None:
    assert written("one\ntwo", journal=True) == b"<6>http: one\n<6>two\n"
