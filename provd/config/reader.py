"""Reads the octets of one file into a typed object, with the rules that no type can state."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, Generic, TypeVar, cast

from provd.config import toml
from provd.config.decode import decode
from provd.config.errors import ConfigError
from provd.config.further_objects import MenuFile, RepoFile
from provd.config.inherited import Inherited
from provd.config.keys import Table, lease_fault
from provd.config.layers import NAME
from provd.config.merge import REMOVE, key_path
from provd.config.objects import DistroFile, SystemFile
from provd.config.options import faults
from provd.config.payloads import payload_fault
from provd.config.secrets import anchored, fault, is_reference, references
from provd.core.programs import program_fault

T = TypeVar("T", bound=Table)

BINDS: Final = ("lease", "subnet", "token-only")
"""Values of ``answers.bind``."""

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:")
_PLACE: Final = re.compile(r"(?:/|[A-Za-z][A-Za-z0-9+.-]*:)\S*")
"""An absolute path, a URL, or what Cobbler's users write for rsync (``HOST:/PATH``)."""


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """One file that was read.

    Attributes:
        name: object name, the file's stem.
        file: path of the file.
        table: what TOML gave, secret references anchored.
        value: the same, typed.
        revision: hash of the file's octets.
    """

    name: str
    file: str
    table: Mapping[str, Any]
    value: T
    revision: str


def read_object(path: Path, raw: bytes, type_: type[T]) -> Read[T]:
    """The object that a file's octets describe.

    Raises:
        ConfigError: not TOML, a wrong type, an unknown key, or a value or name that no object may have.
    """
    if not NAME.fullmatch(path.stem):
        rule = f"{path.stem!r} is not a name: letters, digits and . _ + - are expected, a letter or digit first"
        raise ConfigError(str(path), "", rule)
    table = cast("dict[str, Any]", anchored(toml.parse(raw, str(path)), path.absolute().parent))
    value = decode(table, type_, str(path))
    for key, rule in _faults(value):
        raise ConfigError(str(path), key, rule)
    return Read(path.stem, str(path), table, value, hashlib.sha256(raw).hexdigest()[:16])


def _faults(value: Table) -> Iterator[tuple[str, str]]:
    """Key path and rule of what no type can state."""
    if isinstance(value, DistroFile):
        yield from _distro_faults(value)
    if isinstance(value, RepoFile) and value.url and not _PLACE.fullmatch(value.url):
        yield "url", f"{value.url!r} is neither a URL nor an absolute path"
    if isinstance(value, MenuFile):
        yield from _menu_faults(value)
    if isinstance(value, Inherited | SystemFile):
        yield from inherited_faults(value)


def inherited_faults(value: Inherited | SystemFile) -> Iterator[tuple[str, str]]:
    """Key path and rule of what is wrong with keys that inherit, down to a system's own."""
    yield from template_faults(value.templates)
    yield from answer_faults(value.answers)
    yield from faults(value.options)
    yield from argument_faults(value.kernel_args)
    if isinstance(value, Inherited) and (rule := lease_fault(value.boot.lease_s)):
        yield "boot.lease_s", rule


def _distro_faults(distro: DistroFile) -> Iterator[tuple[str, str]]:
    if distro.kernel and (rule := payload_fault(distro.kernel)):
        yield "kernel", rule
    if distro.initrd and not distro.kernel:
        yield "initrd", "there is an initrd and no kernel"
    for index, initrd in enumerate(distro.initrd):
        if rule := payload_fault(initrd):
            yield f"initrd[{index}]", rule
    yield from _program_faults(distro)
    # A scheme without slashes is a plugin's own, as in mirror:debian. rocky-9/BaseOS is a local tree's.
    if distro.tree and not _SCHEME.match(distro.tree) and not _plain_path(distro.tree):
        yield "tree", f"{distro.tree!r} is neither a URL, an absolute path nor a path below tree/ of the data directory"
    for index, loader in enumerate(distro.efi_loaders or ()):
        if not loader.startswith("/") or not loader.isprintable():
            yield f"efi_loaders[{index}]", f"{loader!r} is not an absolute path on the EFI system partition"


def _program_faults(distro: DistroFile) -> Iterator[tuple[str, str]]:
    if distro.programs and distro.kernel:
        yield "program", "a distro has a kernel for all machines or programs by firmware, not both"
    for index, program in enumerate(distro.programs):
        if rule := program_fault(program.firmware, program.kind, program.initrd):
            yield f"program[{index}]", rule
        for key, reference in (("file", program.file), *(("initrd", one) for one in program.initrd)):
            if rule := payload_fault(reference):
                yield f"program[{index}].{key}", rule


def _menu_faults(menu: MenuFile) -> Iterator[tuple[str, str]]:
    """Passwords stand in no file of the catalogue, and titles are for screens."""
    passwords = {
        "password": menu.password,
        **{f"entry[{n}].password": one.password for n, one in enumerate(menu.entries)},
    }
    for key, reference in passwords.items():
        if reference is not None and (not is_reference(reference) or reference.get("once")):
            yield key, 'a reference to a secret is expected, as {file = "/etc/provd/secrets/menu"}'
        elif reference is not None and (rule := fault(reference)):
            yield key, rule
    titles = {"title": menu.title, **{f"entry[{n}].title": one.title for n, one in enumerate(menu.entries)}}
    for key, title in titles.items():
        if not title.isprintable():
            yield key, f"{title!r} holds a control character"
    names = [one.profile for one in menu.entries]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield f"entry[{number}].profile", f"{name!r} is an entry already"


def _plain_path(path: str) -> bool:
    """Absolute, or of names only."""
    parts = path.rstrip("/").split("/")
    return path.startswith("/") or not any(part in {"", ".", ".."} for part in parts)


def argument_faults(arguments: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Kernel arguments that would break the line or the configuration they are written into."""
    for index, argument in enumerate(arguments):
        if not argument or not argument.isprintable():
            yield f"kernel_args[{index}]", f"{argument!r} is empty or holds a control character"


def answer_faults(answers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Answers whose form is wrong: references to secrets, and ``bind``."""
    yield from secret_faults(answers, "answers")
    if "bind" in answers and answers["bind"] not in BINDS:
        yield "answers.bind", f"{answers['bind']!r} is not one of {', '.join(BINDS)}"


def secret_faults(table: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    """References to secrets whose form is wrong; ``name`` is the table's own."""
    for path, reference in references(table, name):
        if rule := fault(reference):
            yield path, rule


def template_faults(templates: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Templates outside of the site's folder."""
    for document, template in templates.items():
        path = PurePosixPath(template)
        if document.startswith(REMOVE):
            continue
        if not template or path.is_absolute() or ".." in path.parts:
            rule = f"{template!r} is not a path inside the site's template folder"
            yield key_path("templates", document), rule
