"""Gathers what the rules of a diagnosis need to know beside the boot itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from provd.core.diagnosis import diagnose
from provd.core.diagnosis_facts import Facts, Finding, Trouble
from provd.model.arch import ARCHS
from provd.model.boot import Action, BootPlan
from provd.model.event import Event
from provd.model.profile import Profile
from provd.model.session import BootSession
from provd.plugin.guard import BadCall
from provd.plugin.scrub import scrub

_EARLIER = 10
"""Boots of the same machine that are looked at."""
_BEFORE_S = 1.0
"""A session begins after the plugins were asked about its first message."""
_AFTER_S = 1.0
"""What a plugin was slow or wrong at may be told after its last event."""


class Diagnoser:
    """Why a boot does not go on.

    Args:
        earlier: boots of a hardware address, the newest first, this one among them.
        profile: by name.
        loaders: names of all boot loaders, in their order.
        bad_calls: what plugins did to the machine of these names since a time, by their clock.
        monotonic: that clock.
        plan: the plan of a session, None where it is not known any more.
        fetches: whether the installer of a session fetches something through provd at this moment.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        earlier: Callable[[str, int], Sequence[BootSession]],
        profile: Callable[[str], Profile | None],
        loaders: Callable[[], Sequence[str]],
        bad_calls: Callable[[Collection[str], float], Sequence[BadCall]],
        monotonic: Callable[[], float],
        wall: Callable[[], float],
        plan: Callable[[str], BootPlan | None],
        fetches: Callable[[str], bool] = lambda _session: False,
    ) -> None:
        self._earlier, self._profile, self._loaders = earlier, profile, loaders
        self._bad_calls, self._monotonic, self._wall, self._plan = bad_calls, monotonic, wall, plan
        self._fetches = fetches

    def findings(self, session: BootSession, events: Sequence[Event]) -> list[Finding]:
        """Everything that explains it, the most telling first."""
        profile = self._profile(session.profile) if session.profile else None
        others = (one for one in self._earlier(session.mac, _EARLIER) if one.started_at < session.started_at)
        facts = Facts(
            silent_s=self._wall() - session.last_at,
            kernels=_kernels(events),
            distro=(profile.distro.name, profile.distro.arch) if profile else ("", ""),
            loaders=(profile.boot_loaders if profile and profile.boot_loaders else tuple(self._loaders())),
            troubles=tuple(self._troubles(session)),
            earlier=tuple(others),
            held=self._held(session),
            source=_far_source(profile),
            fetches=self._fetches(session.id),
        )
        return diagnose(session, events, facts)

    def _troubles(self, session: BootSession) -> Iterator[Trouble]:
        """Plugins that were slow, failed or rested when this boot needed them."""
        now, wall = self._monotonic(), self._wall()
        began = now - max(0.0, wall - session.started_at) - _BEFORE_S
        # Of a boot that is over the machine, and whoever has its address now, may have gone on since.
        ended = now if session.outcome == "running" else now - (wall - session.last_at) + _AFTER_S
        names = {session.mac, session.id, session.address} - {""}
        for bad in self._bad_calls(names, began):
            if bad.at <= ended:
                yield Trouble(bad.told, bad.missing)

    def _held(self, session: BootSession) -> str:
        plan = self._plan(session.id)
        return plan.reason if plan is not None and plan.action is Action.HOLD else ""


def _far_source(profile: Profile | None) -> str:
    """URL of packages that the installer fetches from elsewhere, without user and password; or empty."""
    source = (profile.source or profile.distro.tree) if profile is not None else ""
    return scrub(source) if source.startswith(("http://", "https://", "ftp://", "nfs:")) else ""


def _kernels(events: Sequence[Event]) -> tuple[str, ...]:
    """CPUs whose kernels the firmware starts, its own first, from the architecture that its DISCOVER named."""
    names = {arch.name: arch.kernels for arch in ARCHS.values()}
    found = (str(event.fields.get("arch", "")) for event in events if event.kind in {"dhcp.discover", "boot.none"})
    return next((names[name] for name in found if name in names), ())
