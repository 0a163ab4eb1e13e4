"""Signatures of install media: how a family's media are told from each other, as data in TOML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from provd.plugin.errors import PluginError

VERSION: Final = "%VERSION%"
"""In a rule or path it stands for the version; in a pattern its dots mean dots."""
EXTRA: Final = "%EXTRA%"
"""Likewise for a word that goes with the version, as a code name."""


@dataclass(frozen=True, slots=True)
class SignatureRule:
    """One thing that a medium must have.

    Attributes:
        file: path in the medium.
        match: pattern that is searched in its text, line by line; empty: the file is there.
        why: what it is good for, in words for whoever reads why a medium was not recognised.
        shows: lines that begin with this word are shown then; empty: the beginning of the file.
    """

    file: str
    match: str = ""
    why: str = ""
    shows: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """How one version of one distribution is recognised, and what a distro of it says.

    Attributes:
        name: unique; the name of the distro where no other is chosen.
        family: installer family.
        version: as the vendor writes it.
        installer: name of the installer.
        rules: all of them must be kept.
        kernel: path of the installer's kernel in the medium; ``payload:NAME/FILE`` where the medium's own boots from no
            network.
        initrd: paths of its initial RAM disks, likewise.
        tree: directory of the medium that is the install tree; empty for the medium itself; ``.iso`` where the
            installer wants the image as a file; ``mirror:NAME`` or a URL where the medium has no whole tree.
        arch: whose first group is the CPU; None for x86-64 alone.
        full_version: whose first group is the whole version.
        efi_loaders: of the installed system on x86-64, in the order they are tried; those of arm64 follow from them.
        arguments: kernel arguments of the distro (``kernel_args`` in TOML).
        note: what whoever imports the medium must know, in a sentence or two.
        vars: free values of the distro.
        source: where the layout is known from.
    """

    name: str
    family: str
    version: str
    installer: str
    rules: tuple[SignatureRule, ...]
    kernel: str
    initrd: tuple[str, ...] = ()
    tree: str = ""
    arch: SignatureRule | None = None
    full_version: SignatureRule | None = None
    efi_loaders: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    note: str = ""
    vars: Mapping[str, object] = field(default_factory=dict)
    source: str = ""


class _Rule(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    file: str
    match: str = ""
    why: str = ""
    shows: str = ""


class _Entry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    name: str
    family: str
    installer: str
    kernel: str
    rules: list[_Rule]
    source: str
    versions: list[str] | dict[str, str]
    initrd: list[str] = []
    tree: str = ""
    arch: _Rule | None = None
    full_version: _Rule | None = None
    efi_loaders: list[str] = []
    kernel_args: list[str] = []
    note: str = ""
    vars: dict[str, str] = {}


class _File(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    signature: list[_Entry]


def read_signatures(path: Path, plugin: str) -> tuple[Signature, ...]:
    """Signatures of a TOML file, one for each version that an entry names.

    Args:
        path: the file.
        plugin: whose it is, for the error sentence.

    Raises:
        PluginError: it cannot be read, or a key, type or pattern is wrong.
    """
    try:
        entries = msgspec.toml.decode(path.read_bytes(), type=_File).signature
        return tuple(one for entry in entries for one in _each(entry))
    except (OSError, ValueError, re.error) as error:
        raise PluginError(plugin, f"{path}: {error}") from error


def _each(entry: _Entry) -> Iterator[Signature]:
    versions = entry.versions if isinstance(entry.versions, dict) else dict.fromkeys(entry.versions, "")
    for version, extra in versions.items():
        yield Signature(
            name=_filled(entry.name, version, extra),
            family=entry.family,
            version=version,
            installer=entry.installer,
            rules=tuple(_rule(rule, version, extra) for rule in entry.rules),
            kernel=_filled(entry.kernel, version, extra),
            initrd=tuple(_filled(one, version, extra) for one in entry.initrd),
            tree=_filled(entry.tree, version, extra),
            arch=_rule(entry.arch, version, extra) if entry.arch else None,
            full_version=_rule(entry.full_version, version, extra) if entry.full_version else None,
            efi_loaders=tuple(entry.efi_loaders),
            arguments=tuple(entry.kernel_args),
            note=_filled(entry.note, version, extra),
            vars={key: _filled(value, version, extra) for key, value in entry.vars.items()},
            source=entry.source,
        )


def _rule(rule: _Rule, version: str, extra: str) -> SignatureRule:
    pattern = rule.match.replace(VERSION, re.escape(version)).replace(EXTRA, re.escape(extra))
    re.compile(pattern)
    return SignatureRule(_filled(rule.file, version, extra), pattern, _filled(rule.why, version, extra), rule.shows)


def _filled(text: str, version: str, extra: str) -> str:
    return text.replace(VERSION, version).replace(EXTRA, extra)
