"""Recordings: how long they are kept."""

from __future__ import annotations

from provd.service.recorder import KEPT_S, Recorder

MAC = bytes.fromhex("525400000001")


def test_a_recording_that_nobody_ends_is_forgotten_an_hour_after_its_time() -> None:
    now = [1000.0]
    recorder = Recorder(lambda _peer: None, (67, 4011, 69), lambda: now[0])
    short, long = recorder.begin([MAC], 60.0), recorder.begin([MAC], 600.0)
    now[0] += 60.0 + KEPT_S - 1
    recorder.tidy()
    assert recorder.get(short) is not None
    now[0] += 2.0
    recorder.tidy()
    assert recorder.get(short) is None
    assert recorder.get(long) is not None
    assert recorder.active
    now[0] += 600.0
    recorder.tidy()
    assert recorder.get(long) is None
    assert not recorder.active
