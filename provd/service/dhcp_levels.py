"""Configured DHCP options of subnets, profiles and systems, encoded once per definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from provd.core.dhcp_options import Level, configured, merge, option_faults, subnet_level, wanted
from provd.model.client import ClientFacts
from provd.model.client_class import ClientClass
from provd.model.profile import Profile
from provd.model.subnet import Subnet
from provd.model.system import System
from provd.service.dhcp_counters import Throttle
from provd.wire import codes
from provd.wire.errors import WireError

_REMEMBERED: Final = 65536
_WANTED: Final = 4096


@dataclass(frozen=True, slots=True)
class _Remembered:
    source: object
    level: Level


class OptionLevels:
    """The levels below plugins, remembered as long as the object they come from is the same.

    A definition with a wrong option is reported and left out; its other options are still sent.

    Attributes:
        by_machine: a class looks at which machine it is.
    """

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle
        self._levels: dict[tuple[str, str, object], _Remembered] = {}
        self._global: Level | None = None
        self._classes: tuple[ClientClass, ...] = ()
        self.by_machine = False
        self._of_class: dict[str, Level] = {}
        self._wanted: dict[tuple[object, ...], tuple[list[Level], dict[int, bytes]]] = {}

    def configure(self, options: Mapping[str, object], classes: Sequence[ClientClass]) -> None:
        """Take the options of all clients and the client classes."""
        self.clear()
        self._global = self._checked(options, "global") if options else None
        self._classes = tuple(classes)
        self.by_machine = any(one.mac_prefix for one in self._classes)
        self._of_class = {one.name: self._checked(one.options, f"class {one.name}") for one in classes if one.options}

    def labels(self, client: ClientFacts) -> frozenset[str]:
        """Classes that the client is in by its own facts."""
        return frozenset(one.name for one in self._classes if one.fits(client))

    def lease_s(self, labels: frozenset[str]) -> int:
        """Lease time of the client's last class that has one, else 0."""
        found = self.lease_class(labels)
        return 0 if found is None else found.lease_s

    def lease_class(self, labels: frozenset[str]) -> ClientClass | None:
        """The client's last class that has a lease time."""
        if not labels:
            return None
        return next((one for one in reversed(self._classes) if one.lease_s and one.name in labels), None)

    def of(
        self,
        subnet: Subnet,
        server: int,
        profile: Profile | None,
        system: System | None,
        mac: bytes,
        labels: frozenset[str] = frozenset(),
    ) -> list[Level]:
        """Levels from general to particular.

        Args:
            subnet: the client's subnet.
            server: this server's address as the client reaches it.
            profile: profile of a known system.
            system: the known system.
            mac: hardware address of the interface that asks.
            labels: the client's classes.
        """
        levels = [self._get("subnet", subnet.name, server, subnet, lambda: self._subnet(subnet, server))]
        if self._global is not None:
            levels.insert(0, self._global)
        if labels:
            levels += [level for name, level in self._of_class.items() if name in labels]
        if profile is not None:
            levels.append(self._get("profile", profile.name, 0, profile.options, lambda: self._profile(profile)))
        if system is not None:
            levels.append(self._get("system", system.name, mac, system, lambda: self._system(system, mac)))
        return levels

    def wanted(self, levels: list[Level], requested: bytes) -> Mapping[int, bytes]:
        """What a client with this parameter request list gets from these levels alone; the same object every time."""
        key = (*(id(level) for level in levels), requested)
        found = self._wanted.get(key)
        if found is None:
            if len(self._wanted) >= _WANTED:
                self._wanted.clear()
            # The levels are kept beside the answer, so that their identities are not used again.
            found = self._wanted[key] = (levels, wanted(merge(levels), requested))
        return found[1]

    def clear(self) -> None:
        """Forget everything, after a reload."""
        self._levels.clear()
        self._wanted.clear()

    def _get(self, kind: str, name: str, detail: object, source: object, make: Callable[[], Level]) -> Level:
        key = (kind, name, detail)
        found = self._levels.get(key)
        if found is not None and found.source is source:
            return found.level
        if len(self._levels) >= _REMEMBERED:
            self._levels.clear()
        level = make()
        self._levels[key] = _Remembered(source, level)
        return level

    def _subnet(self, subnet: Subnet, server: int) -> Level:
        try:
            return self._above_global(subnet, subnet_level(subnet, server))
        except WireError as error:
            self._throttle.warn(f"options of subnet {subnet.name}", str(error))
        return self._above_global(subnet, subnet_level(replace(subnet, options=_sound(subnet.options)), server))

    def _above_global(self, subnet: Subnet, level: Level) -> Level:
        """Our own address as name server is a default: a global setting is stronger."""
        code = codes.DNS_SERVERS
        if self._global is None or code not in self._global.options or subnet.dns or code in level.force:
            return level
        return replace(level, options={key: value for key, value in level.options.items() if key != code})

    def _profile(self, profile: Profile) -> Level:
        return self._checked(profile.options, f"profile {profile.name}")

    def _system(self, system: System, mac: bytes) -> Level:
        origin = f"system {system.name}"
        card = next((card for card in system.interfaces if card.mac.octets == mac), None)
        host = (card.hostname if card else "") or system.host
        own = self._checked(system.options, origin)
        if not host or codes.HOST_NAME in own.removes:
            return own
        key = "hostname" if system.hostname or (card and card.hostname) else "name"
        options = {codes.HOST_NAME: host.encode(), **own.options}
        return replace(own, options=options, keys={codes.HOST_NAME: key, **own.keys})

    def _checked(self, options: Mapping[str, object], origin: str) -> Level:
        texts = {str(key): value for key, value in options.items()}
        try:
            return configured(texts, origin)
        except WireError as error:
            self._throttle.warn(f"options of {origin}", str(error))
        return configured(_sound(texts), origin)


def _sound(options: Mapping[str, object]) -> dict[str, object]:
    """Those options that can be sent as they are written."""
    wrong = {key for key, _ in option_faults(options)}
    return {key: value for key, value in options.items() if key not in wrong}
