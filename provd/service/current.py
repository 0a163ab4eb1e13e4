"""The configuration and the catalogue of this moment: what a reload replaces."""

from __future__ import annotations

from dataclasses import dataclass

from provd.config.catalogue import Catalogue
from provd.config.schema import ServerConfig
from provd.model.profile import Profile
from provd.model.subnet import Subnet
from provd.model.system import System


@dataclass(slots=True)
class Current:
    """What a reload replaces.

    Attributes:
        config: ``provd.toml``.
        catalogue: distros, profiles and declared systems.
        subnets: those of the configuration, with their defaults filled in.
        file: the configuration's path, for sentences about it.
    """

    config: ServerConfig
    catalogue: Catalogue
    subnets: tuple[Subnet, ...] = ()
    file: str = "provd.toml"

    def why_not_writable(self) -> str:
        """Why distros and profiles may not be changed through provd; empty where they may."""
        if self.config.api_writes:
            return ""
        return "distros and profiles are changed in their files only: api_writes = true in provd.toml allows it here"


class CurrentProfiles:
    """The catalogue of this moment, for a service that outlives it; a system is resolved once for each version."""

    def __init__(self, current: Current) -> None:
        self._current = current
        self._kept: dict[str, tuple[System, Catalogue, Profile | None]] = {}

    def profile_for(self, system: System) -> Profile | None:
        """The system's profile with its inheritance resolved."""
        catalogue = self._current.catalogue
        kept = self._kept.get(system.name)
        if kept is None or kept[0] is not system or kept[1] is not catalogue:
            kept = self._kept[system.name] = (system, catalogue, catalogue.profile_for(system))
        return kept[2]
