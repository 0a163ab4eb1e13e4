"""Log lines that installers send by syslog, tied to the boot of the machine that sent them.

Who writes an address into a datagram need not have it. A line therefore changes nothing: it is text in a timeline, of a
machine that installs at that moment, so many a second and so many a boot; only a line by TCP counts as a sign of life.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from twisted.internet.interfaces import IReactorTime

from provd.model.scrub import scrub_line
from provd.model.session import step_reached
from provd.service.sessions import REPORTING, Boot
from provd.wire.syslog import parse

EVENT: Final = "install.syslog"
"""Kind of the events that carry lines."""

GATHER_S: Final = 1.0
"""Lines of so many seconds are one event."""
GATHER_LINES: Final = 100
"""An event has no more lines."""
_BOOTS: Final = 4096
_SEVERITIES: Final = ("emergency", "alert", "critical", "error", "warning")


@dataclass(frozen=True, slots=True)
class LogLimits:
    """How much is taken.

    Attributes:
        per_second: lines of one machine; ten times as many at once.
        per_boot: lines of one boot.
        line: characters of one line.
    """

    per_second: int = 200
    per_boot: int = 5000
    line: int = 500


class Note(Protocol):
    """Publishes an event of a boot."""

    def __call__(self, boot: Boot, kind: str, fields: Mapping[str, object], *, witnessed: bool) -> None:
        """``witnessed``: it is a sign of life."""
        ...


@dataclass(slots=True)
class _Account:
    """What one boot has sent."""

    boot: Boot
    credit: float
    at: float
    kept: int = 0
    lines: list[str] = field(default_factory=list)
    left_out: int = 0
    witnessed: bool = False


class InstallerLogs:
    """Takes messages of the syslog listeners."""

    def __init__(
        self,
        *,
        boot_of: Callable[[str], Boot | None],
        note: Note,
        clock: IReactorTime,
        limits: Callable[[], LogLimits],
    ) -> None:
        """Take collaborators.

        Args:
            boot_of: the newest boot of the machine at an address (dotted quad).
            note: publishes an event of a boot.
            clock: monotonic time and timers.
            limits: as they are configured now.
        """
        self._boot_of, self._note, self._clock, self._limits = boot_of, note, clock, limits
        self._accounts: dict[str, _Account] = {}
        self._due: set[str] = set()
        self._timer = False
        self.counts = {"received": 0, "kept": 0, "unknown": 0, "limited": 0}

    def expects(self, peer: str) -> bool:
        """Whether lines of this address (dotted quad) belong to anybody."""
        return self._installing(peer) is not None

    def received(self, peer: str, data: bytes, *, stream: bool) -> None:
        """One message.

        Args:
            peer: address it came from (dotted quad).
            data: the message.
            stream: it came by TCP, so the address is the sender's.
        """
        self.counts["received"] += 1
        boot = self._installing(peer)
        if boot is None:
            self.counts["unknown"] += 1
            return
        limits, account = self._limits(), self._account(boot)
        account.witnessed |= stream
        self._schedule(boot)
        if account.kept >= limits.per_boot or not self._credit(account, limits):
            self.counts["limited"] += 1
            account.left_out += 1
            return
        for line in _lines(data, limits.line):
            account.lines.append(line)
            account.kept += 1
            self.counts["kept"] += 1
        if len(account.lines) >= GATHER_LINES:
            self._tell(boot.session.id)

    def flush(self) -> None:
        """Tell what was gathered."""
        self._timer = False
        for session in tuple(self._due):
            self._tell(session)
        self._due.clear()

    def _installing(self, peer: str) -> Boot | None:
        """The boot of an installer that runs, or has just ended and says why."""
        boot = self._boot_of(peer)
        if boot is None or boot.session.action != "install" or not step_reached(boot.session, "kernel"):
            return None
        return boot if boot.session.outcome == "running" or boot.session.outcome in REPORTING else None

    def _account(self, boot: Boot) -> _Account:
        account = self._accounts.get(boot.session.id)
        if account is None:
            if len(self._accounts) >= _BOOTS:
                oldest = next(iter(self._accounts))
                self._tell(oldest)
                del self._accounts[oldest]
            burst = 10.0 * self._limits().per_second
            account = self._accounts[boot.session.id] = _Account(boot, burst, self._clock.seconds())
        account.boot = boot
        return account

    def _credit(self, account: _Account, limits: LogLimits) -> bool:
        now, most = self._clock.seconds(), 10.0 * limits.per_second
        account.credit = min(most, account.credit + (now - account.at) * limits.per_second)
        account.at = now
        if account.credit < 1.0:
            return False
        account.credit -= 1.0
        return True

    def _schedule(self, boot: Boot) -> None:
        self._due.add(boot.session.id)
        if not self._timer:
            self._timer = True
            self._clock.callLater(GATHER_S, self.flush)

    def _tell(self, session: str) -> None:
        account = self._accounts.get(session)
        if account is None or not (account.lines or account.left_out):
            return
        fields: dict[str, object] = {"lines": account.lines, "left_out": account.left_out}
        self._note(account.boot, EVENT, fields, witnessed=account.witnessed)
        account.lines, account.left_out, account.witnessed = [], 0, False


def _lines(data: bytes, most: int) -> list[str]:
    """A message as lines to show: no secret, no control character."""
    said = parse(data)
    grave = f"{_SEVERITIES[said.severity]}: " if said.severity < len(_SEVERITIES) else ""
    who = f"{said.program}: " if said.program else ""
    told = []
    for text in said.text.splitlines()[:GATHER_LINES]:
        line = "".join(one if one.isprintable() else " " for one in scrub_line(f"{who}{grave}{text}")).rstrip()
        if text.strip():
            told.append(line[:most])
    return told
