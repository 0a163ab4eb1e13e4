"""What is wrong with systems, kept up to date change by change: asking costs what is wrong, not what there is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from provd.config.decode import near_miss
from provd.config.errors import Problem
from provd.config.systems import address_faults, clashes, own_faults
from provd.model.subnet import Subnet
from provd.model.system import System
from provd.service.systems import Systems

AT_ONCE: Final = 50
"""Systems that are checked without a pause: 0.2 ms, or 7 where each has answers of its own."""

PAUSE_S: Final = 0.02


class SystemProblems:
    """Checks systems again when they, or what they are checked against, change.

    Args:
        systems: the systems; tells of each change.
        subnets: the configured subnets.
        profiles: names of the profiles that can be installed.
        later: calls a function after some seconds.
        named: what is wrong with what a system names of plugins.
    """

    def __init__(
        self,
        systems: Systems,
        subnets: Callable[[], Sequence[Subnet]],
        profiles: Callable[[], Collection[str]],
        later: Callable[[float, Callable[[], None]], object],
        named: Callable[[System], Iterable[str]] = lambda _system: (),
    ) -> None:
        self._named = named
        self._systems, self._subnets, self._profiles, self._later = systems, subnets, profiles, later
        self._waiting: dict[str, None] = {}
        self._wrong: dict[str, tuple[str, ...]] = {}
        self._clashing: dict[str, None] = {}
        self._scheduled = False
        systems.touched = self._touched

    def _touched(self, name: str | None) -> None:
        """One system changed, or, for None, everything may have."""
        if name is None:
            self._waiting = dict.fromkeys(self._systems.index.names())
            self._wrong, self._clashing = {}, {}
        else:
            # Whatever it clashed with may be right now.
            self._waiting |= {name: None, **self._clashing}
        if self._waiting and not self._scheduled:
            self._scheduled = True
            self._later(PAUSE_S, self._go_on)

    def _go_on(self) -> None:
        self._scheduled = False
        self._check(AT_ONCE)
        if self._waiting:
            self._scheduled = True
            self._later(PAUSE_S, self._go_on)

    def _check(self, most: int) -> None:
        for name in list(islice(self._waiting, most)):
            del self._waiting[name]
            self._wrong.pop(name, None)
            self._clashing.pop(name, None)
            system = self._systems.get(name)
            if system is None:
                continue
            clashing = tuple(self._clashes(system))
            faults = (*own_faults(system), *address_faults(system, self._subnets()), *self._named(system), *clashing)
            if faults:
                self._wrong[name] = faults
            if clashing:
                self._clashing[name] = None

    def _clashes(self, system: System) -> Iterator[str]:
        """Each clash is told once, by the later of two names."""
        for other in self._systems.index.rivals(system):
            if other is not system and other.name < system.name:
                yield from clashes(system, other)

    def told(self) -> list[str]:
        """One sentence for everything that is wrong, and one for what is not checked yet."""
        self._check(AT_ONCE)
        found = [
            str(Problem(self._file(name), "", f"system {name}: {rule}", subject=f"system {name}"))
            for name in sorted(self._wrong)
            for rule in self._wrong[name]
        ]
        found += self._profile_faults()
        if self._waiting:
            found.append(f"{len(self._waiting)} systems are not checked yet; ask again")
        return found

    def _file(self, name: str) -> str:
        system = self._systems.get(name)
        return system.file if system is not None else ""

    def _profile_faults(self) -> Iterator[str]:
        known = self._profiles()
        for profile in sorted(self._systems.index.profiles()):
            if not profile or profile in known:
                continue
            near = near_miss(profile, list(known))
            for name in sorted(self._systems.index.users(profile)):
                rule = f"system {name}: no profile that can be installed has the name {profile!r}{near}"
                yield str(Problem(self._file(name), "", rule, subject=f"system {name}"))
