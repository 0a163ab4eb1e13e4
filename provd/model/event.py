"""Events: everything provd saw or did, with stable names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Told = tuple[str, float, str, str, str, Mapping[str, object]]
"""An event before anybody asked for one: kind, at, session, system, mac, fields."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: stable dotted name, as in ``dhcp.offer``, ``tftp.sent``, ``http.sent``, ``config.served``,
            ``kernel.fetched``, ``initrd.fetched``, ``answer.served``, ``install.started``, ``install.progress``,
            ``install.log`` (posted), ``install.syslog`` (lines by syslog),
            ``install.finished``, ``install.failed``, ``install.firstboot``, ``trigger.finished``, ``trigger.failed``,
            ``boot.started``, ``boot.local``, ``boot.held``, ``timeline.full``, ``callback.failed``,
            ``dhcp.elsewhere`` (it takes another server's address), ``dhcp.rogue`` (another DHCP server was found),
            ``dhcp.pool-exhausted``,
            ``session.stalled`` (a boot stands still; with rule, step, cause),
            ``power.switched``, ``power.failed`` (with action, driver, by),
            ``dhcp.expired`` (a lease ended by its time), ``system.changed``.
        at: seconds since the epoch.
        session: id of the boot session, or empty.
        system: system name, or empty.
        mac: hardware address as text, or empty.
        fields: details by name; never a secret, never a token.
        id: number given by the store, 0 before.
    """

    kind: str
    at: float
    session: str = ""
    system: str = ""
    mac: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    id: int = 0

    def numbered(self, number: int) -> Event:
        """The event with the number that the store gave it (``dataclasses.replace`` takes three times as long)."""
        return Event(self.kind, self.at, self.session, self.system, self.mac, self.fields, number)
