"""The serial console of a machine: what is matched, and what a missing line is reported as."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from provd.lab.console import Console
from provd.lab.errors import LabError


@pytest.fixture
def line() -> Iterator[tuple[Console, socket.socket]]:
    near, far = socket.socketpair()
    console = Console("m1", near)
    yield console, far
    far.close()
    console.close()


def test_a_pattern_is_found_across_writes(line: tuple[Console, socket.socket]) -> None:
    console, far = line
    far.sendall(b"first-machine lo")
    far.sendall(b"gin: ")
    assert console.wait_for(r"^(\S+) login:", 5)[1] == "first-machine"


def test_terminal_sequences_are_removed_even_when_they_arrive_in_pieces(line: tuple[Console, socket.socket]) -> None:
    console, far = line
    far.sendall(b"\x1b[2J\x1b[0")
    console_text_before = console.text()
    far.sendall(b"1;37mBoot\x1b[0m0001\r\nend\r\n")
    console.wait_for("^end$", 5)
    assert console_text_before == ""
    assert console.text() == "Boot0001\nend\n"


def test_each_wait_begins_after_the_match_before(line: tuple[Console, socket.socket]) -> None:
    console, far = line
    far.sendall(b"boot 1\nboot 2\n")
    assert [console.wait_for(r"boot (\d)\n", 5)[1] for _ in range(2)] == ["1", "2"]
    assert console.seen("boot 1")
    with pytest.raises(LabError):
        console.wait_for(r"boot (\d)\n", 0.05)


def test_a_missing_line_is_reported_with_the_last_lines(line: tuple[Console, socket.socket]) -> None:
    console, far = line
    far.sendall(b"one\ntwo\n")
    console.wait_for("two\n", 5)
    with pytest.raises(LabError) as caught:
        console.wait_for("three", 0.05)
    assert str(caught.value) == (
        "console of m1: 0 s are over and 'three' was not printed; last lines:\n  | one\n  | two"
    )


def test_a_machine_that_ends_is_told_at_once(line: tuple[Console, socket.socket]) -> None:
    console, far = line
    far.sendall(b"Kernel panic\n")
    far.close()
    with pytest.raises(LabError, match="the machine ended and 'login' was not printed"):
        console.wait_for("login", 600)


def test_typing_reaches_the_machine(line: tuple[Console, socket.socket]) -> None:
    console, far = line
    console.send("root\n")
    assert far.recv(16) == b"root\n"
