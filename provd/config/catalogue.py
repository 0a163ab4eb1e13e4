"""The catalogue: every distro, profile and declared system, built whole from all layers and never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from provd.config.errors import ConfigError, Problem
from provd.config.layers import Layer
from provd.config.objects import DistroFile, ProfileFile, SystemFile
from provd.config.profiles import BrokenProfileError, Resolver, for_system, to_distro
from provd.config.reader import Read, Reader
from provd.config.systems import own_faults, profile_faults, to_system, without_clashing
from provd.model.distro import Distro
from provd.model.profile import Profile
from provd.model.system import System


class UnknownProfileError(LookupError):
    """A system's profile cannot be had; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What can be installed, and which machines are declared in files.

    Attributes:
        distros: by name.
        profiles: by name, inheritance resolved; those that can only be inherited are not among them.
        systems: those of ``systems/*.toml``, by name, origin ``file``.
        problems: what was left out and why, in the order of files.
        generation: hash of every octet that was read; equal catalogues have equal ones.
        files: path of the file of every object, by ``distro NAME``, ``profile NAME`` and ``system NAME``.
    """

    distros: Mapping[str, Distro]
    profiles: Mapping[str, Profile]
    systems: Mapping[str, System]
    problems: tuple[Problem, ...]
    generation: str
    files: Mapping[str, str]

    @classmethod
    def load(cls, layers: Sequence[Layer]) -> Catalogue:
        """Read all layers; a broken file is reported in ``problems`` and left out with what depends on it.

        Args:
            layers: the lowest first; the last is the site's, the only one with ``systems/``.
        """
        reader = Reader(layers)
        distros = reader.read("distros", DistroFile)
        profiles = reader.read("profiles", ProfileFile)
        resolver = Resolver(
            profiles, distros, frozenset(reader.broken["profiles"]), frozenset(reader.broken["distros"])
        )
        resolved = dict(_resolved(resolver, reader.problems))
        reader.layers = layers[-1:]
        read_systems = reader.read("systems", SystemFile)
        systems, clashing = without_clashing(_systems(read_systems, resolved, reader.problems))
        everything = (("distro", distros), ("profile", profiles), ("system", read_systems))
        return cls(
            distros=MappingProxyType({name: to_distro(read) for name, read in distros.items()}),
            profiles=MappingProxyType(resolved),
            systems=MappingProxyType({system.name: system for system in systems}),
            problems=(*reader.problems, *clashing),
            generation=reader.digest.hexdigest()[:16],
            files=MappingProxyType(
                {f"{kind} {name}": read.file for kind, objects in everything for name, read in objects.items()}
            ),
        )

    def resolve(self, system: System) -> Profile:
        """The system's profile with the system's overrides applied and origins kept.

        Raises:
            UnknownProfileError: it names no profile, or one that is not here.
        """
        if not system.profile:
            raise UnknownProfileError(f"system {system.name} has no profile")
        profile = self.profiles.get(system.profile)
        if profile is None:
            told = next((str(each) for each in self.problems if each.subject == f"profile {system.profile}"), "")
            raise UnknownProfileError(
                f"profile {system.profile!r} of system {system.name} cannot be installed"
                f"{f': {told}' if told else ': no such profile'}"
            )
        return for_system(profile, system)

    def profile_for(self, system: System) -> Profile | None:
        """The same as :meth:`resolve`, and None where there is none."""
        try:
            return self.resolve(system)
        except UnknownProfileError:
            return None


def _resolved(resolver: Resolver, problems: list[Problem]) -> Iterator[tuple[str, Profile]]:
    for name, read in sorted(resolver.read.items()):
        try:
            profile = resolver.resolve(name)
        except BrokenProfileError as error:
            problems.append(Problem(read.file, error.key, str(error), subject=f"profile {name}"))
            continue
        if profile is not None:
            yield name, profile


def _systems(
    read: Mapping[str, Read[SystemFile]], profiles: Mapping[str, Profile], problems: list[Problem]
) -> Iterator[System]:
    """Declared systems that are right by themselves."""
    for name, one in sorted(read.items()):
        subject = f"system {name}"
        try:
            system = to_system(one)
        except ConfigError as error:
            problems.append(Problem(error.file, error.key, error.rule, subject=subject))
            continue
        faults = tuple(own_faults(system))
        problems.extend(Problem(one.file, "", rule, subject=subject) for rule in faults)
        problems.extend(Problem(one.file, "profile", rule) for rule in profile_faults(system, profiles))
        if not faults:
            yield system
