"""Profiles: inheritance of any depth, with the origin of every value."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from provd.config.decode import near_miss
from provd.config.further_objects import RepoFile
from provd.config.inherited import BootTable, Inherited
from provd.config.merge import Argument, Place, append_arguments, overlay
from provd.config.objects import DistroFile, ProfileFile
from provd.config.options import overlay_options
from provd.config.reader import Read
from provd.config.secrets import anchored
from provd.model.distro import Distro, Program
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
        programs=tuple(Program(one.firmware, one.kind, one.file, one.initrd, one.arch) for one in value.programs),
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
        settings: what every profile inherits.
    """

    read: Mapping[str, Read[ProfileFile]]
    distros: Mapping[str, Read[DistroFile]]
    broken_profiles: frozenset[str] = frozenset()
    broken_distros: frozenset[str] = frozenset()
    repos: Mapping[str, Read[RepoFile]] = field(default_factory=dict)
    menus: Collection[str] = ()
    settings: Level | None = None

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
        above = [one for one in (distro, self.settings) if one is not None]
        levels: tuple[Read[Any] | Level, ...] = (*chain, *above)
        repos = self._repos(levels)
        menu = next((level.value.menu for level in levels if "menu" in level.table), "")
        if menu and menu not in self.menus:
            raise BrokenProfileError("menu", f"no menu has the name {menu!r}")
        return None if distro is None else _build(chain, distro, repos, self.settings)

    def _repos(self, levels: Sequence[Read[Any] | Level]) -> dict[str, Repo]:
        """Those that the nearest level names."""
        named: Sequence[str] = next((level.value.repos for level in levels if "repos" in level.table), ())
        unknown = next((one for one in named if one not in self.repos), "")
        if unknown:
            raise BrokenProfileError("repos", f"no repo has the name {unknown!r}{near_miss(unknown, list(self.repos))}")
        return {one: to_repo(self.repos[one]) for one in named}

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


@dataclass(frozen=True, slots=True)
class Level:
    """One level of inheritance, the settings, a distro or a profile.

    Attributes:
        value: what it says, typed.
        table: the keys that it names.
        place: origin of a key path at this level.
    """

    value: Inherited
    table: Mapping[str, Any]
    place: Place


def settings_level(value: Inherited, file: str) -> Level:
    """``[defaults]`` of a configuration; a key with the value it has anyway is not named.

    Args:
        value: the table.
        file: path of ``provd.toml``, which secrets are relative to.
    """
    bare = type(value)()
    named = {key: getattr(value, key) for key in value.__struct_fields__ if getattr(value, key) != getattr(bare, key)}
    table: dict[str, Any] = msgspec.to_builtins(named)
    if "boot" in table:
        table["boot"] = {key: number for key, number in table["boot"].items() if number != getattr(bare.boot, key)}
    table = anchored(table, Path(file).absolute().parent)
    return Level(value, table, lambda key: Origin("settings", "defaults", file, f"defaults.{key}"))


def _level(read: Read[Any], kind: str) -> Level:
    return Level(read.value, read.table, lambda key: Origin(kind, read.name, read.file, key))


def _build(
    chain: Sequence[Read[ProfileFile]],
    distro: Read[DistroFile],
    repos: Mapping[str, Repo],
    settings: Level | None,
) -> Profile:
    """Lay every level on the one above it, from the settings to the profile itself."""
    origins = _first_origins(distro)
    tables: dict[str, dict[str, Any]] = {name: {} for name in _TABLES}
    single: dict[str, Any] = {
        "installer": "", "source": "", "boot_loaders": (), "menu": "", "repos": (), "owners": (),
    }  # fmt: skip
    policy: dict[str, Any] = {}
    options: dict[str, Any] = {}
    arguments: tuple[Argument, ...] = ()
    levels = [*([settings] if settings is not None else []), _level(distro, "distro")]
    for level in (*levels, *(_level(link, "profile") for link in reversed(chain))):
        for name in _TABLES:
            tables[name] = overlay(tables[name], level.table.get(name, {}), origins, level.place, name)
        options = overlay_options(options, level.table.get("options", {}), origins, level.place)
        policy = overlay(policy, level.table.get("boot", {}), origins, level.place, "boot")
        arguments = append_arguments(arguments, level.value.kernel_args, level.place)
        for name in _SINGLE:
            if name in level.table:
                single[name], origins[name] = getattr(level.value, name), level.place(name)
        if isinstance(level.value, ProfileFile) and level.value.distro:
            origins["distro"] = level.place("distro")
    origins.update({f"kernel_args[{index}]": origin for index, (_, origin) in enumerate(arguments)})
    bind = tables["answers"].pop("bind", BootPolicy().answers_bind)
    values: dict[str, Any] = {**single, **tables, "repos": tuple(repos[name] for name in single["repos"])}
    return Profile(
        name=chain[0].name,
        distro=to_distro(distro),
        parents=tuple(link.name for link in chain[1:]),
        kernel_args=tuple(argument for argument, _ in arguments),
        boot=BootPolicy(answers_bind=bind, **policy),
        options=options,
        comment=chain[0].value.comment,
        origins=origins,
        **values,
    )


def _first_origins(distro: Read[DistroFile]) -> dict[str, Origin]:
    """Origins before any profile has spoken: the distro's file, or a default."""
    names = (*DistroFile.__annotations__, "installer", "owners")
    origins = {
        f"distro.{name}": Origin("distro", distro.name, distro.file, name) if name in distro.table else DEFAULT
        for name in names
    }
    origins.update(dict.fromkeys((*_SINGLE, "answers.bind"), DEFAULT))
    origins["installer"], origins["owners"] = origins["distro.installer"], origins["distro.owners"]
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
    own = {name: value for name in ("installer", "source", "boot_loaders") if (value := getattr(system, name))}
    origins.update({name: place(name) for name in own})
    policy: dict[str, Any] = {name: value for name in ("policy", "max_attempts") if (value := getattr(system, name))}
    origins.update({f"boot.{name}": place(name) for name in policy})
    values: dict[str, Any] = {
        **own,
        "loader": overlay(profile.loader, system.loader, origins, place, "loader"),
        "templates": overlay(profile.templates, system.templates, origins, place, "templates"),
    }
    return replace(
        profile,
        **values,
        kernel_args=tuple(argument for argument, _ in arguments),
        answers=answers,
        vars=overlay(profile.vars, system.vars, origins, place, "vars"),
        boot=replace(profile.boot, answers_bind=bind, **policy),
        origins=origins,
    )
