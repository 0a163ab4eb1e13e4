"""Gathers what the rules of a diagnosis need to know beside the boot itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from provd.core.diagnosis import diagnose
from provd.core.diagnosis_facts import Facts, Finding
from provd.model.arch import ARCHS
from provd.model.event import Event
from provd.model.profile import Profile
from provd.model.session import BootSession
from provd.plugin.guard import Row

_EARLIER = 10
"""Boots of the same machine that are looked at."""


class Diagnoser:
    """Why a boot does not go on.

    Args:
        earlier: boots of a hardware address, the newest first, this one among them.
        profile: by name.
        loaders: names of all boot loaders, in their order.
        rows: counters of the plugins.
        monotonic: the clock of those counters.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        earlier: Callable[[str, int], Sequence[BootSession]],
        profile: Callable[[str], Profile | None],
        loaders: Callable[[], Sequence[str]],
        rows: Callable[[], Sequence[Row]],
        monotonic: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._earlier, self._profile, self._loaders = earlier, profile, loaders
        self._rows, self._monotonic, self._wall = rows, monotonic, wall

    def findings(self, session: BootSession, events: Sequence[Event]) -> list[Finding]:
        """Everything that explains it, the most telling first."""
        profile = self._profile(session.profile) if session.profile else None
        others = (one for one in self._earlier(session.mac, _EARLIER) if one.started_at < session.started_at)
        facts = Facts(
            silent_s=self._wall() - session.last_at,
            cpu=_cpu(events),
            distro=(profile.distro.name, profile.distro.arch) if profile else ("", ""),
            loaders=(profile.boot_loaders if profile and profile.boot_loaders else tuple(self._loaders())),
            resting=tuple(self._resting(session)),
            earlier=tuple(others),
        )
        return diagnose(session, events, facts)

    def _resting(self, session: BootSession) -> list[str]:
        """Plugins that were slow or failed while this boot ran."""
        began = self._monotonic() - max(0.0, self._wall() - session.started_at)
        told = []
        for row in self._rows():
            if row.bad_at >= began:
                what = f"took {row.max_s * 1000:.0f} ms" if row.slow else f"failed ({row.last_error})"
                told.append(f"{row.plugin}: {row.hook} {what}")
        return told


def _cpu(events: Sequence[Event]) -> str:
    """CPU of the firmware, from the architecture that its DISCOVER named."""
    names = {arch.name: arch.cpu for arch in ARCHS.values()}
    found = (str(event.fields.get("arch", "")) for event in events if event.kind in {"dhcp.discover", "boot.none"})
    return next((names[name] for name in found if name in names), "")
