"""What the DHCP service counts, and log lines that a flood of packets cannot multiply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from twisted.logger import Logger


class DhcpCounters:
    """Packets by kind; the keys come from a fixed set of words, so memory does not grow with traffic.

    Attributes:
        received: by message type in lower case.
        sent: by message type in lower case.
        dropped: by reason.
        writes: lease commits asked for.
        retransmitted: answers repeated without a second write.
        trimmed: options left out because the client takes only a small reply.
        probes: addresses asked for before their first offer.
        conflicts: probes that somebody answered.
        errors: faults inside the service; each is a defect.
        store_fault: why the newest lease could not be stored, empty while the store works.
    """

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.writes = 0
        self.retransmitted = 0
        self.trimmed = 0
        self.probes = 0
        self.conflicts = 0
        self.errors = 0
        self.store_fault = ""

    def as_dict(self) -> dict[str, object]:
        """For the API and for metrics."""
        return {
            "received": dict(self.received),
            "sent": dict(self.sent),
            "dropped": dict(self.dropped),
            "writes": self.writes,
            "retransmitted": self.retransmitted,
            "trimmed": self.trimmed,
            "probes": self.probes,
            "conflicts": self.conflicts,
            "errors": self.errors,
        }


class Throttle:
    """Logs the first of many equal lines, then one per period with the number of those left out.

    Args:
        log: where lines go.
        monotonic: seconds.
        period_s: seconds between two lines of one key.
    """

    def __init__(self, log: Logger, monotonic: Callable[[], float], period_s: float = 60.0) -> None:
        self._log = log
        self._monotonic = monotonic
        self._period_s = period_s
        self._seen: dict[str, tuple[float, int]] = {}

    def warn(self, key: str, sentence: str) -> None:
        """Log ``sentence``, at most once per period for equal keys; keys come from a fixed set of words."""
        now = self._monotonic()
        last, left_out = self._seen.get(key, (-self._period_s, 0))
        if now - last < self._period_s:
            self._seen[key] = last, left_out + 1
            return
        self._seen[key] = now, 0
        more = f" ({left_out} more of these since the last line)" if left_out else ""
        self._log.warn("{sentence}{more}", sentence=sentence, more=more)
