"""Profiles: inheritance of any depth, with the origin of every value."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from provd.config.decode import near_miss
from provd.config.further_objects import RepoFile
from provd.config.merge import Argument, append_arguments, overlay
from provd.config.objects import BootTable, DistroFile, ProfileFile
from provd.config.options import overlay_options
from provd.config.reader import Read
from provd.model.distro import Distro
from provd.model.origin import Origin
from provd.model.profile import BootPolicy, Profile
from provd.model.repo import Repo
from provd.model.system import System

DEFAULT: Final = Origin("default")

REMOVABLE: Final = {
    "x86_64": "BOOTX64",
    "i386": "BOOTIA32",
    "aarch64": "BOOTAA64",
    "arm": "BOOTARM",
    "riscv64": "BOOTRISCV64",
}
"""File names of the removable media path by CPU (UEFI 2.x section 3.5.1.1)."""

_TABLES: Final = ("loader", "answers", "vars", "templates")
_SINGLE: Final = ("installer", "source", "boot_loaders", "repos", "menu", "owners")
_NOT_VALUES: Final = frozenset({"vars", "kernel_args", "comment", "tags", "groups"})
"""Keys of a distro that have origins of their own, or say nothing to a machine."""

_POLICY: Final = tuple(field.name for field in msgspec.structs.fields(BootTable))


class BrokenProfileError(ValueError):
    """A profile cannot be resolved.

    Attributes:
        key: key that says why.
    """

    def __init__(self, key: str, rule: str) -> None:
        """Name the key and the rule."""
        super().__init__(rule)
        self.key = key


def to_distro(read: Read[DistroFile]) -> Distro:
    """The model's distro."""
    value = read.value
    loaders = value.efi_loaders
    return Distro(
        name=read.name,
        arch=value.arch,
        family=value.family,
        version=value.version,
        installer=value.installer,
        kernel=value.kernel,
        initrd=value.initrd,
        tree=value.tree,
        image=value.image,
        kernel_args=value.kernel_args,
        efi_loaders=(f"/EFI/BOOT/{REMOVABLE[value.arch]}.EFI",) if loaders is None else loaders,
        vars=value.vars,
        owners=value.owners,
    )


def to_repo(read: Read[RepoFile]) -> Repo:
    """The model's repo."""
    value = read.value
    return Repo(
        name=read.name,
        kind=value.kind,
        url=value.url,
        arch=value.arch,
        suites=value.suites,
        components=value.components,
        packages=value.packages,
        key=value.signing_key,
        enabled=value.enabled,
        priority=value.priority,
        vars=value.vars,
    )


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves profiles of one catalogue.

    Attributes:
        read: profile files by name.
        distros: distro files by name.
        broken_profiles: names whose file could not be used.
        broken_distros: names whose file could not be used.
        repos: repo files by name.
        menus: names of menus.
    """

    read: Mapping[str, Read[ProfileFile]]
    distros: Mapping[str, Read[DistroFile]]
    broken_profiles: frozenset[str] = frozenset()
    broken_distros: frozenset[str] = frozenset()
    repos: Mapping[str, Read[RepoFile]] = field(default_factory=dict)
    menus: Collection[str] = ()

    def chain(self, name: str) -> tuple[Read[ProfileFile], ...]:
        """The profile and its ancestors, nearest first.

        Raises:
            BrokenProfileError: an ancestor is unknown or broken, or the chain is a circle.
        """
        chain = [self.read[name]]
        while parent := chain[-1].value.parent:
            names = [link.name for link in chain]
            if parent in names:
                circle = " -> ".join([*names[names.index(parent) :], parent])
                raise BrokenProfileError("parent", f"profiles inherit in a circle: {circle}")
            if parent not in self.read:
                raise BrokenProfileError("parent", self._unknown_parent(chain, parent))
            chain.append(self.read[parent])
        return tuple(chain)

    def _unknown_parent(self, chain: Sequence[Read[ProfileFile]], parent: str) -> str:
        by = "" if len(chain) == 1 else f", named by its ancestor {chain[-1].name},"
        if parent in self.broken_profiles:
            return f"profile {parent!r}{by} has an error of its own"
        return f"no profile has the name {parent!r}{by.rstrip(',')}{near_miss(parent, list(self.read))}"

    def resolve(self, name: str) -> Profile | None:
        """The profile with everything it inherits; None for one that names no distro and can only be inherited.

        Raises:
            BrokenProfileError: the profile is left out, and why.
        """
        chain = self.chain(name)
        distro = self._distro(chain)
        if distro is None:
            return None
        profile = _build(chain, distro, self._repos(chain))
        if profile.menu and profile.menu not in self.menus:
            raise BrokenProfileError("menu", f"no menu has the name {profile.menu!r}")
        return profile

    def _repos(self, chain: Sequence[Read[ProfileFile]]) -> tuple[Repo, ...]:
        names = next((link.value.repos for link in chain if "repos" in link.table), ())
        unknown = next((name for name in names if name not in self.repos), "")
        if unknown:
            raise BrokenProfileError("repos", f"no repo has the name {unknown!r}{near_miss(unknown, list(self.repos))}")
        return tuple(to_repo(self.repos[name]) for name in names)

    def _distro(self, chain: Sequence[Read[ProfileFile]]) -> Read[DistroFile] | None:
        for link in chain:
            wanted = link.value.distro
            if wanted and wanted in self.distros:
                return self.distros[wanted]
            if wanted:
                by = "" if link is chain[0] else f" (named by its ancestor {link.name})"
                if wanted in self.broken_distros:
                    raise BrokenProfileError("distro", f"distro {wanted!r}{by} has an error of its own")
                rule = f"no distro has the name {wanted!r}{by}{near_miss(wanted, list(self.distros))}"
                raise BrokenProfileError("distro", rule)
        return None


def _build(chain: Sequence[Read[ProfileFile]], distro: Read[DistroFile], repos: tuple[Repo, ...]) -> Profile:
    """Lay every level on the one below, from the distro to the profile itself."""
    origins = _first_origins(distro)
    tables: dict[str, dict[str, Any]] = {name: {} for name in _TABLES}
    single: dict[str, Any] = {"installer": distro.value.installer, "source": "", "boot_loaders": (), "menu": ""}
    single["owners"] = distro.value.owners
    policy: dict[str, Any] = {}
    options: dict[str, Any] = {}
    arguments: tuple[Argument, ...] = ()

    def from_distro(key: str) -> Origin:
        return Origin("distro", distro.name, distro.file, key)

    tables["vars"] = overlay({}, distro.table.get("vars", {}), origins, from_distro, "vars")
    arguments = append_arguments(arguments, distro.value.kernel_args, from_distro)
    for link in reversed(chain):

        def place(key: str, link: Read[ProfileFile] = link) -> Origin:
            return Origin("profile", link.name, link.file, key)

        for name in _TABLES:
            tables[name] = overlay(tables[name], link.table.get(name, {}), origins, place, name)
        options = overlay_options(options, link.table.get("options", {}), origins, place)
        policy = overlay(policy, link.table.get("boot", {}), origins, place, "boot")
        arguments = append_arguments(arguments, link.value.kernel_args, place)
        for name in _SINGLE:
            if name in link.table:
                single[name], origins[name] = getattr(link.value, name), place(name)
        if link.value.distro:
            origins["distro"] = place("distro")
    origins.update({f"kernel_args[{index}]": origin for index, (_, origin) in enumerate(arguments)})
    bind = tables["answers"].pop("bind", BootPolicy().answers_bind)
    values: dict[str, Any] = {**single, **tables, "repos": repos}
    return Profile(
        name=chain[0].name,
        distro=to_distro(distro),
        parents=tuple(link.name for link in chain[1:]),
        kernel_args=tuple(argument for argument, _ in arguments),
        boot=BootPolicy(answers_bind=bind, **policy),
        options=options,
        origins=origins,
        **values,
    )


def _first_origins(distro: Read[DistroFile]) -> dict[str, Origin]:
    """Origins before any profile has spoken: the distro's file, or a default."""
    names = [field.name for field in msgspec.structs.fields(DistroFile) if field.name not in _NOT_VALUES]
    origins = {
        f"distro.{name}": Origin("distro", distro.name, distro.file, name) if name in distro.table else DEFAULT
        for name in names
    }
    origins["installer"] = origins["distro.installer"]
    origins["owners"] = origins["distro.owners"]
    origins.update(dict.fromkeys(("source", "boot_loaders", "answers.bind", "repos", "menu"), DEFAULT))
    origins.update({f"boot.{name}": DEFAULT for name in _POLICY})
    return origins


def for_system(profile: Profile, system: System) -> Profile:
    """The profile with a system's overrides on top; origins say which values they are.

    Options stay the profile's: DHCP has a level of its own for those of the system.
    """
    origins = dict(profile.origins)

    def place(key: str) -> Origin:
        return Origin("system", system.name, system.file, key)

    inherited = [(argument, origins.pop(f"kernel_args[{index}]")) for index, argument in enumerate(profile.kernel_args)]
    arguments = append_arguments(inherited, system.kernel_args, place)
    origins.update({f"kernel_args[{index}]": origin for index, (_, origin) in enumerate(arguments)})
    answers = overlay(profile.answers, system.answers, origins, place, "answers")
    bind = answers.pop("bind", profile.boot.answers_bind)
    return replace(
        profile,
        kernel_args=tuple(argument for argument, _ in arguments),
        answers=answers,
        vars=overlay(profile.vars, system.vars, origins, place, "vars"),
        boot=replace(profile.boot, answers_bind=bind),
        origins=origins,
    )
