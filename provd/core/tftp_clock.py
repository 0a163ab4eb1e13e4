"""How long a sender waits for an acknowledgement (RFC 1123 section 4.2.3.2; the estimator of RFC 6298 section 2)."""

from __future__ import annotations

from provd.core.tftp_negotiation import TransferLimits


class RetransmissionTimer:
    """Adaptive wait with exponential back-off. Times are monotonic seconds given by the caller.

    Attributes:
        quickest: about the shortest round trip of late; no answer to what was just sent comes sooner. One quick answer
            says so, many slow ones unsay it: the mean would grow with a client that waits for its own timer.
    """

    __slots__ = ("_backoff", "_longest", "_round_trip", "_shortest", "_variation", "_wait", "quickest")

    def __init__(self, limits: TransferLimits, asked: int | None) -> None:
        """Start without knowledge of the round trip; ``asked`` is the client's timeout option in seconds."""
        self._shortest = limits.min_timeout
        self._longest = limits.max_timeout
        self._wait = limits.first_timeout if asked is None else min(float(asked), limits.max_timeout)
        self._backoff = 1.0
        self._variation = 0.0
        self._round_trip = self.quickest = 0.0

    @property
    def wait(self) -> float:
        """Seconds until the next retransmission."""
        return min(self._wait * self._backoff, self._longest)

    def measured(self, seconds: float) -> None:
        """An answer came to what was sent only once (Karn's rule is the caller's)."""
        seconds = max(seconds, 0.0)
        if self._round_trip == 0.0:
            self._round_trip, self._variation, self.quickest = seconds, seconds / 2, seconds
        else:
            self._variation += (abs(seconds - self._round_trip) - self._variation) / 4
            self._round_trip += (seconds - self._round_trip) / 8
            self.quickest = min(seconds, self.quickest + (self._round_trip - self.quickest) / 8)
        self._wait = max(self._shortest, self._round_trip + 4 * self._variation)
        self._backoff = 1.0

    def answered(self) -> None:
        """An answer came, to one of several transmissions."""
        self._backoff = 1.0

    def expired(self) -> None:
        """No answer came."""
        self._backoff *= 2.0
