"""The catalogue: every distro, profile and declared system, built whole from all layers and never changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from provd.config.errors import ConfigError, Problem
from provd.config.kinds import KINDS
from provd.config.layers import Layer
from provd.config.menus import menu_problems, menus_of
from provd.config.profiles import BrokenProfileError, Level, Resolver, for_system, to_distro
from provd.config.sources import Sources, changed_names
from provd.config.systems import own_faults, profile_faults, to_system, without_clashing
from provd.model.distro import Distro
from provd.model.menu import Menu
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
        sources: the files it was built from.
        settings: what every profile inherits, from ``[defaults]`` of ``provd.toml``.
        menus: those at the top, by name.
    """

    distros: Mapping[str, Distro]
    profiles: Mapping[str, Profile]
    systems: Mapping[str, System]
    problems: tuple[Problem, ...]
    generation: str
    files: Mapping[str, str]
    sources: Sources = field(repr=False, compare=False)
    settings: Level | None = field(repr=False, compare=False)
    menus: Mapping[str, Menu] = field(repr=False, compare=False)
    _left_out: Mapping[str, Problem] = field(repr=False, compare=False)
    _system_problems: tuple[Problem, ...] = field(repr=False, compare=False)

    @classmethod
    def load(cls, layers: Sequence[Layer], before: Catalogue | None = None, settings: Level | None = None) -> Catalogue:
        """Read all layers; a broken file is reported in ``problems`` and left out with what depends on it.

        Args:
            layers: the lowest first; the last is the site's, the only one with ``systems/``.
            before: a catalogue of these layers; only what was written to since is read and resolved anew.
            settings: what every profile inherits.
        """
        return cls.of(Sources.load(layers, before.sources if before is not None else None), before, settings)

    @classmethod
    def of(cls, sources: Sources, before: Catalogue | None = None, settings: Level | None = None) -> Catalogue:
        """The catalogue of these files.

        Args:
            sources: the files.
            before: a catalogue of the same layers; what no changed file concerns is taken from it.
            settings: what every profile inherits.
        """
        if before is not None and _said(before.settings) != _said(settings):
            # Every profile may be another one now.
            before = None
        distros = _distros(sources, before)
        profiles, left_out = _profiles(sources, before, settings)
        if before is not None and _same_systems(sources, before, profiles):
            systems, system_problems = before.systems, before._system_problems  # noqa: SLF001  another of this class
        else:
            systems, system_problems = _systems(sources, profiles)
        return cls(
            distros=MappingProxyType(distros),
            profiles=MappingProxyType(profiles),
            systems=systems,
            problems=(
                *sources.problems(),
                *menu_problems(sources, profiles),
                *(left_out[name] for name in sorted(left_out)),
                *system_problems,
            ),
            generation=f"{sources.fingerprint:032x}"[:16],
            files=_Files(sources),
            sources=sources,
            settings=settings,
            menus=MappingProxyType(menus_of(sources, profiles)),
            _left_out=left_out,
            _system_problems=system_problems,
        )

    def revised(self, changes: Mapping[tuple[str, str], bytes | None]) -> Catalogue:
        """The catalogue as it is once these files of the site are written; nothing is written.

        Args:
            changes: kind (``distros``, ...) and name to the new octets, None for a file that is removed.
        """
        return Catalogue.of(self.sources.revised(changes), self, self.settings)

    def revision(self, kind: str, name: str) -> str:
        """Hash of the file of an object; empty where there is none or it is broken."""
        entry = self.sources.top(KINDS[kind].folder, name)
        return entry.read.revision if entry is not None and entry.read is not None else ""

    def owners(self, kind: str, name: str) -> tuple[str, ...]:
        """Who may change an object besides administrators; of a profile, also those that it inherits."""
        profile = self.profiles.get(name) if kind == "profile" else None
        entry = self.sources.top(KINDS[kind].folder, name)
        if profile is not None or entry is None or entry.read is None:
            return profile.owners if profile is not None else ()
        owners: tuple[str, ...] = entry.read.value.owners
        return owners

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


class _Files(Mapping[str, str]):
    """Paths by ``distro NAME``, ``profile NAME`` and ``system NAME``, looked up in the sources."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def __getitem__(self, key: str) -> str:
        kind, _, name = key.partition(" ")
        entry = self._sources.top(f"{kind}s", name) if f"{kind}s" in self._sources.entries else None
        if entry is None or entry.read is None:
            raise KeyError(key)
        return entry.path

    def __iter__(self) -> Iterator[str]:
        for kind in self._sources.entries:
            yield from (f"{kind.removesuffix('s')} {name}" for name in self._sources.good(kind))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _distros(sources: Sources, before: Catalogue | None) -> dict[str, Distro]:
    if before is None:
        return {name: to_distro(read) for name, read in sources.good("distros").items()}
    distros = dict(before.distros)
    for name in changed_names(before.sources, sources, "distros"):
        entry = sources.top("distros", name)
        distros.pop(name, None)
        if entry is not None and entry.read is not None:
            distros[name] = to_distro(entry.read)
    return distros


def _said(settings: Level | None) -> object:
    return None if settings is None else settings.table


def _profiles(
    sources: Sources, before: Catalogue | None, settings: Level | None
) -> tuple[dict[str, Profile], dict[str, Problem]]:
    """Resolved profiles, and why others are left out; what no change concerns is kept."""
    resolver = Resolver(
        sources.good("profiles"),
        sources.good("distros"),
        sources.broken("profiles"),
        sources.broken("distros"),
        sources.good("repos"),
        sources.good("menus").keys(),
        settings,
    )
    profiles: dict[str, Profile] = {}
    left_out: dict[str, Problem] = {}
    names: Collection[str] = resolver.read
    if before is not None:
        profiles = dict(before.profiles)
        names = _concerned(sources, before)
        for name in names:
            profiles.pop(name, None)
        names = [name for name in names if name in resolver.read]
    for name in sorted(names):
        try:
            profile = resolver.resolve(name)
        except BrokenProfileError as error:
            left_out[name] = Problem(resolver.read[name].file, error.key, str(error), subject=f"profile {name}")
            continue
        if profile is not None:
            profiles[name] = profile
    return profiles, left_out


def _concerned(sources: Sources, before: Catalogue) -> set[str]:
    """Profiles to resolve anew: changed ones, their descendants, and all that could not be installed."""
    profiles = set(changed_names(before.sources, sources, "profiles"))
    distros = set(changed_names(before.sources, sources, "distros"))
    repos, menus = (set(changed_names(before.sources, sources, kind)) for kind in ("repos", "menus"))
    below = {
        name
        for name, profile in before.profiles.items()
        if profile.distro.name in distros
        or not profiles.isdisjoint(profile.parents)
        or profile.menu in menus
        or any(repo.name in repos for repo in profile.repos)
    }
    # Those that were left out, or name no distro: what they lack may be there now.
    waiting = sources.entries["profiles"].keys() - before.profiles.keys()
    return profiles | below | waiting


def _same_systems(sources: Sources, before: Catalogue, profiles: Mapping[str, Profile]) -> bool:
    """Nothing changed that declared systems or their faults depend on."""
    return not changed_names(before.sources, sources, "systems") and profiles.keys() == before.profiles.keys()


def _systems(sources: Sources, profiles: Mapping[str, Profile]) -> tuple[Mapping[str, System], tuple[Problem, ...]]:
    """Declared systems that are right by themselves and clash with no other, and what is wrong with the rest."""
    problems: list[Problem] = []
    good: list[System] = []
    for name, one in sorted(sources.good("systems").items()):
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
            good.append(system)
    kept, clashing = without_clashing(good)
    return MappingProxyType({system.name: system for system in kept}), (*problems, *clashing)
