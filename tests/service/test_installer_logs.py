"""Log lines of installers: whose they are, how many, and what is cut out of them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from twisted.internet.task import Clock

from provd.model.scrub import scrub_line
from provd.model.session import BootSession
from provd.service.installer_logs import GATHER_LINES, InstallerLogs, LogLimits
from provd.service.sessions import Boot

ADDRESS = "10.0.0.10"
LINE = b"<13>Nov 27 04:00:01 main-menu[212]: %s"


class Site:
    """One machine that installs, and what is told of it."""

    def __init__(self, limits: LogLimits | None = None, **session: object) -> None:
        facts: dict[str, object] = {"action": "install", "step": "answers", "address": ADDRESS, **session}
        self.boot = Boot(BootSession("s1", "52:54:00:00:00:01", "web1", **facts))  # type: ignore[arg-type]
        self.clock = Clock()
        self.told: list[tuple[str, Mapping[str, object], bool]] = []
        self.logs = InstallerLogs(
            boot_of={ADDRESS: self.boot}.get, note=self.note, clock=self.clock, limits=lambda: limits or LogLimits()
        )

    def note(self, boot: Boot, kind: str, fields: Mapping[str, object], *, witnessed: bool) -> None:
        assert boot is self.boot
        self.told.append((kind, fields, witnessed))

    def send(self, *texts: bytes, peer: str = ADDRESS, stream: bool = False) -> None:
        for text in texts:
            self.logs.received(peer, LINE % text, stream=stream)

    def lines(self) -> list[object]:
        return [line for _, fields, _ in self.told for line in fields["lines"]]  # type: ignore[attr-defined]


def test_lines_of_a_second_are_one_event_of_the_senders_boot() -> None:
    site = Site()
    site.send(b"one", b"two")
    assert site.told == []
    site.clock.advance(1.0)
    site.clock.advance(5.0)
    assert site.told == [("install.syslog", {"lines": ["main-menu: one", "main-menu: two"], "left_out": 0}, False)]


@pytest.mark.parametrize(
    ("session", "peer"),
    [
        ({}, "10.0.0.11"),  # nobody's address
        ({"action": "local"}, ADDRESS),
        ({"step": "config"}, ADDRESS),  # firmware and loaders do not log
        ({"outcome": "superseded"}, ADDRESS),
        ({"outcome": "local"}, ADDRESS),
    ],
)
def test_lines_of_who_does_not_install_are_counted_and_dropped(session: dict[str, object], peer: str) -> None:
    site = Site(**session)  # type: ignore[arg-type]
    site.send(b"one", peer=peer)
    site.clock.advance(1.0)
    assert site.told == []
    assert site.logs.counts == {"received": 1, "kept": 0, "unknown": 1, "limited": 0}
    assert not site.logs.expects(peer)


@pytest.mark.parametrize("outcome", ["running", "finished", "failed"])
def test_an_installer_that_ended_still_says_why(outcome: str) -> None:
    site = Site(outcome=outcome)
    assert site.logs.expects(ADDRESS)
    site.send(b"one")
    site.clock.advance(1.0)
    assert site.lines() == ["main-menu: one"]


def test_only_a_line_over_tcp_is_a_sign_of_life() -> None:
    """A datagram's address can be anybody's: it may not hide that a machine stands still."""
    site = Site()
    site.send(b"one")
    site.clock.advance(1.0)
    site.send(b"two", stream=True)
    site.clock.advance(1.0)
    assert [witnessed for _, _, witnessed in site.told] == [False, True]


def test_a_flood_is_cut_to_the_limit_and_says_how_much_is_missing() -> None:
    site = Site(LogLimits(per_second=10))
    site.send(*[b"%d" % number for number in range(1000)])
    site.clock.advance(1.0)
    assert len(site.lines()) == 100
    assert sum(int(str(fields["left_out"])) for _, fields, _ in site.told) == 900
    site.clock.advance(1.0)
    site.send(*[b"%d" % number for number in range(1000)])
    site.clock.advance(1.0)
    assert len(site.lines()) == 120  # two seconds later twenty more


def test_a_boot_has_so_many_lines() -> None:
    site = Site(LogLimits(per_boot=150))
    for _ in range(10):
        site.send(*[b"x"] * 100)
        site.clock.advance(10.0)
    assert len(site.lines()) == 150
    assert site.logs.counts["limited"] == 850
    assert max(len(fields["lines"]) for _, fields, _ in site.told) <= GATHER_LINES  # type: ignore[arg-type]


def test_lines_are_cut_and_have_no_control_characters() -> None:
    site = Site(LogLimits(line=80))
    site.send(b"\x1b[2J\x07title\nsecond\r\n\n" + b"x" * 500)
    site.clock.advance(1.0)
    first, second, third = site.lines()
    assert (first, second) == ("main-menu:  [2J title", "main-menu: second")
    assert len(str(third)) == 80


def test_grave_lines_say_so() -> None:
    site = Site()
    site.logs.received(ADDRESS, b"<11>Nov 27 04:00:01 partman: no disk", stream=False)
    site.clock.advance(1.0)
    assert site.lines() == ["partman: error: no disk"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET http://10.0.0.1/answer/abcDEF123/preseed.cfg", "GET http://10.0.0.1/answer/***/preseed.cfg"),
        ("d-i passwd/root-password password hunter2", "d-i passwd/root-password password ***"),
        ("rootpw --iscrypted $6$salt$abcdef", "rootpw --iscrypted ***"),
        ("user: $y$j9T$aaa$bbb end", "user: *** end"),
        ("--password=hunter2 --name=ada", "--password=*** --name=ada"),
        ('{"api_key": "abc def", "x": 1}', '{"api_key": ***, "x": 1}'),
        ("proxy http://ada:hunter2@10.0.0.9:3128/", "proxy http://ada:***@10.0.0.9:3128/"),
        ("Authorization: Bearer abcdefghijkl", "Authorization: *** ***"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----b3BlbnNza", "***"),
        ("Setting up passwd (1:4.13) ...", "Setting up passwd (1:4.13) ..."),
        ("token bucket filter", "token bucket filter"),
    ],
)
def test_secrets_are_cut_out_of_lines(text: str, shown: str) -> None:
    assert scrub_line(text) == shown
