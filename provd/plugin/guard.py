"""One guarded call of one plugin: isolated, timed, counted, and skipped while its breaker is open."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Enum
from inspect import iscoroutine

from twisted.logger import Logger

from provd.plugin.breaker import Breaker, Limits
from provd.plugin.call_words import describe, text_of, trace_of, whose
from provd.plugin.processor_wait import FRESH_S, ProcessorWait
from provd.plugin.scrub import scrub

_LAST_BUCKET = 31
_REMEMBERED = 4096
"""Bad calls that are kept for the timelines of the machines they met."""


class Missing(Enum):
    """Why a guarded call has no value."""

    FAILED = "failed"
    SKIPPED = "skipped"


class WrongValueError(Exception):
    """A plugin returned something its hook does not allow; the text says what was expected."""


@dataclass(slots=True)
class Row:
    """Counters of one plugin and hook.

    Attributes:
        plugin: plugin name.
        hook: hook name, or ``REGISTRY.callable`` for a registered value's callable.
        calls: calls made.
        failures: calls that raised or returned a wrong value.
        slow: calls over the slow limit, without what they waited for a processor.
        skipped: calls not made because the breaker was open.
        total_s: seconds spent in all calls.
        max_s: seconds of the longest call.
        last_error: sentence of the newest failure, scrubbed.
        breaker: ``closed``, ``open`` or ``trial`` when the row was read.
        bad_at: when it last failed or was slow, by the host's clock.
    """

    plugin: str
    hook: str
    calls: int = 0
    failures: int = 0
    slow: int = 0
    skipped: int = 0
    total_s: float = 0.0
    max_s: float = 0.0
    last_error: str = ""
    breaker: str = "closed"
    bad_at: float = float("-inf")
    _buckets: list[int] = field(default_factory=lambda: [0] * (_LAST_BUCKET + 1), repr=False)

    @property
    def p99_s(self) -> float:
        """Seconds that 99 of 100 calls stayed below, rounded up to a power of two microseconds."""
        seen = 0
        for exponent, count in enumerate(self._buckets):
            seen += count
            if count and seen >= self.calls * 0.99:
                return float(2**exponent) / 1e6
        return 0.0

    def took(self, seconds: float) -> None:
        """Count one call of this length."""
        self.calls += 1
        self.total_s += seconds
        if seconds > self.max_s:  # noqa: PLR1730  max() costs a call for every packet
            self.max_s = seconds
        bucket = int(seconds * 1e6).bit_length()
        self._buckets[bucket if bucket < _LAST_BUCKET else _LAST_BUCKET] += 1  # noqa: FURB136  as above


@dataclass(frozen=True, slots=True)
class BadCall:
    """What one plugin did last to one machine: it was slow, failed, or rested.

    Attributes:
        at: when, by the host's clock.
        told: plugin, hook and what happened, scrubbed.
        missing: it gave no value.
    """

    at: float
    told: str
    missing: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One callable of one plugin.

    Attributes:
        function: what is called.
        check: gets what it returned and the arguments; returns the normalised value or raises :class:`WrongValueError`.
        row: where its calls are counted.
    """

    function: Callable[..., object]
    check: Callable[[object, tuple[object, ...]], object]
    row: Row


class Guard:
    """Calls plugins; one per host, shared by hooks and registered callables.

    Attributes:
        missed: calls that gave no value, over all plugins; what was made meanwhile must not be remembered.

    Args:
        clock: monotonic seconds.
        limits: what counts as slow and when breakers open.
        waited: seconds that the calling thread has waited for a processor so far; no call is slow by those.
    """

    def __init__(self, clock: Callable[[], float], limits: Limits, waited: Callable[[], float] = lambda: 0.0) -> None:
        self._clock = clock
        self._wait = ProcessorWait(waited)
        self._limits = limits
        self._log = Logger(namespace="provd.plugin")
        self._rows: dict[tuple[str, str], Row] = {}
        self._breakers: dict[str, Breaker] = {}
        self._slow_s = limits.slow_s
        self._bad: dict[tuple[str, str, bool], BadCall] = {}
        self._why: dict[str, str] = {}
        self.missed = 0

    def seconds(self) -> float:
        """Its clock."""
        return self._clock()

    def row(self, plugin: str, hook: str) -> Row:
        """The counters of one plugin and hook; the same object for the whole life of the host."""
        if plugin not in self._breakers:
            self.reset(plugin)
        return self._rows.setdefault((plugin, hook), Row(plugin, hook))

    def reset(self, plugin: str) -> None:
        """A new object took the plugin's place: its breaker starts closed."""
        self._breakers[plugin] = Breaker(self._limits)

    def rows(self) -> list[Row]:
        """All counters in the order they were first used, with the breakers' states as of now."""
        now = self._clock()
        for row in self._rows.values():
            row.breaker = self._breakers[row.plugin].state(now)
        return list(self._rows.values())

    def call(self, endpoint: Endpoint, args: tuple[object, ...]) -> object:
        """Ask one plugin.

        Returns:
            What the plugin returned, checked and normalised by ``endpoint.check``, or a :class:`Missing`. Nothing is
            raised but ``KeyboardInterrupt``.
        """
        row = endpoint.row
        breaker = self._breakers[row.plugin]
        started = self._clock()
        if breaker.tripped_until is not None and not breaker.allows(started):
            row.skipped += 1
            self.missed += 1
            self._remember(
                row, f"was not called, it rests since {self._why.get(row.plugin, 'repeated failures')}", args, started
            )
            return Missing.SKIPPED
        if started - self._wait.marked_at > FRESH_S:
            self._wait.mark(started)
        try:
            value = endpoint.check(endpoint.function(*args), args)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  a plugin's sys.exit() must not stop the listeners either
            ended = self._clock()
            row.took(ended - started)
            self.missed += 1
            self._failed(row, breaker, args, error, ended)
            value = Missing.FAILED
        else:
            ended = self._clock()
            row.took(ended - started)
            if breaker.tripped_until is not None and self._own_s(ended - started) <= self._slow_s:
                breaker.succeeded()
        if ended - started > self._slow_s:
            self._long(row, breaker, args, ended - started, ended)
        return value

    def _own_s(self, seconds: float) -> float:
        """What a call that ended now took of its own: a call that is not slow anyway costs no look at the kernel."""
        return seconds if seconds <= self._slow_s else seconds - self._wait.since()

    def _long(self, row: Row, breaker: Breaker, args: tuple[object, ...], seconds: float, now: float) -> None:
        own = self._own_s(seconds)
        if own > self._slow_s:
            self._slow(row, breaker, args, own, now)
            return
        self._log.info(
            "plugin {plugin}: {hook} took {milliseconds:.0f} ms for {about}, {waited:.0f} of them without a processor: "
            "the host is busy, the plugin is not to blame",
            plugin=row.plugin,
            hook=row.hook,
            milliseconds=seconds * 1000,
            waited=(seconds - own) * 1000,
            about=describe(args),
        )

    def _failed(self, row: Row, breaker: Breaker, args: tuple[object, ...], error: BaseException, now: float) -> None:
        row.failures += 1
        row.bad_at = now
        wrong = isinstance(error, WrongValueError)
        row.last_error = scrub(str(error) if wrong else f"{type(error).__name__}: {text_of(error)}")
        self._remember(row, f"failed ({row.last_error})", args, now)
        self._why[row.plugin] = f"{row.hook} failed again and again ({row.last_error})"
        self._log.error(
            "plugin {plugin}: {hook} {verb} for {about}: {error}",
            plugin=row.plugin,
            hook=row.hook,
            verb="returned a wrong value" if wrong else "failed",
            about=describe(args),
            error=row.last_error,
            traceback="" if wrong else trace_of(error),
        )
        if breaker.failed(now):
            self._log.error(
                "plugin {plugin}: breaker opened after repeated failure; its request hooks rest for {seconds:g} s",
                plugin=row.plugin,
                seconds=self._limits.open_s,
            )

    def _slow(self, row: Row, breaker: Breaker, args: tuple[object, ...], seconds: float, now: float) -> None:
        row.slow += 1
        row.bad_at = now
        self._why[row.plugin] = f"{row.hook} took {seconds * 1000:.0f} ms"
        self._remember(row, f"took {seconds * 1000:.0f} ms", args, now, missing=False)
        breaker.slow(now)
        self._log.error(
            "plugin {plugin}: {hook} took {milliseconds:.0f} ms for {about}; breaker opened, its request hooks rest "
            "for {seconds:g} s",
            plugin=row.plugin,
            hook=row.hook,
            milliseconds=seconds * 1000,
            about=describe(args),
            seconds=self._limits.open_s,
        )

    def _remember(self, row: Row, what: str, args: tuple[object, ...], now: float, *, missing: bool = True) -> None:
        """Keep it for the machine that was asked about; the oldest leaves where there are many."""
        if name := whose(args):
            key = (row.plugin, name, missing)
            self._bad.pop(key, None)
            self._bad[key] = BadCall(now, f"{row.plugin}: {row.hook} {what}", missing)
            if len(self._bad) > _REMEMBERED:
                del self._bad[next(iter(self._bad))]

    def bad_calls(self, names: Collection[str], since: float) -> list[BadCall]:
        """What plugins did to a machine since then (by this clock).

        Args:
            names: its hardware address, its address and the id of its session.
            since: seconds.
        """
        return [bad for (_, name, _), bad in self._bad.items() if name in names and bad.at >= since]


def discard(value: object) -> None:
    """Close a coroutine that nobody will await, so that Python does not warn about it."""
    if iscoroutine(value):
        value.close()
