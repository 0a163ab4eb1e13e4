"""The distro of an imported medium as TOML, and the draft of one for a medium that was not recognised."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap
from typing import Final

import tomlkit

from provd.config.layers import NAME
from provd.media.recognise import Near, Recognised

_COMMENT: Final = 110
_ARM: Final = {"x64.efi": "aa64.efi", "X64.EFI": "AA64.EFI"}
"""How makers name a loader for arm64 (UEFI 2.10, 3.5.1.1: the names of removable media)."""


def distro_text(found: Recognised, boot: Callable[[str], str], tree: str) -> str:
    """The distro of a recognised medium.

    Args:
        found: what the medium is.
        boot: how the distro names a boot file of the medium.
        tree: of the distro.
    """
    signature = found.signature
    document = tomlkit.document()
    document.add(tomlkit.comment(f"{signature.name} as it was imported (signature {signature.name})."))
    for line in wrap(signature.note, _COMMENT):
        document.add(tomlkit.comment(line))
    values: dict[str, object] = {
        "family": signature.family,
        "version": found.version,
        "arch": found.arch,
        "installer": signature.installer,
        "kernel": boot(signature.kernel),
        "initrd": [boot(path) for path in signature.initrd],
        "tree": tree,
        "kernel_args": list(signature.arguments),
        "efi_loaders": efi_loaders(found),
    }
    for key, value in values.items():
        if value and not (key == "arch" and value == "x86_64"):
            document.add(key, tomlkit.item(value))
    if signature.vars:
        document.add("vars", tomlkit.item(dict(signature.vars)))
    return tomlkit.dumps(document)


def efi_loaders(found: Recognised) -> list[str]:
    """Loaders of the installed system: those of arm64 are named after those of x86-64, of others nothing is known."""
    given = list(found.signature.efi_loaders)
    match found.arch:
        case "x86_64":
            return given
        case "aarch64":
            return [_arm(one) for one in given]
        case _:
            return []


def _arm(loader: str) -> str:
    for ending, arm in _ARM.items():
        if loader.endswith(ending):
            return loader.removesuffix(ending) + arm
    return loader


def draft(near: list[Near], name: str, kind: str) -> str:
    """A distro to complete for a medium that no signature fits: the nearest one's, with what is not known marked.

    Args:
        near: what came near, the nearest first.
        name: of the distro; one that could not be one is replaced.
        kind: of the medium, ``directory``, ``iso`` or ``url``.
    """
    nearest = near[0].signature if near else None
    place = name if NAME.fullmatch(name) else "NAME"

    def boot(path: str) -> str:
        if ":" in path or not nearest:
            return path
        return f"iso:{place}/{path}" if kind == "iso" else f"payload:{place}/{path.rpartition('/')[2]}"

    put = f"the image goes to iso/{place}.iso" if kind == "iso" else f"the files go to payload/{place}"
    initrd = [boot(one) for one in nearest.initrd] if nearest else ["COMPLETE"]
    lines = [
        f"# {place}: nothing recognised this medium. Complete what is marked, and save it as distros/{place}.toml.",
        f'family = "{nearest.family if nearest else "COMPLETE"}"        # COMPLETE: which installer family',
        'version = "COMPLETE"',
        f'installer = "{nearest.installer if nearest else "COMPLETE"}"',
        f'kernel = "{boot(nearest.kernel) if nearest else "COMPLETE"}"   # COMPLETE: {put} of the data directory',
        f"initrd = [{', '.join(f'{chr(34)}{one}{chr(34)}' for one in initrd)}]",
        'tree = "COMPLETE"',
    ]
    if nearest and nearest.vars:
        lines += ["", "[vars]   # COMPLETE: they are those of " + nearest.name]
        lines += [f'{key} = "{value}"' for key, value in nearest.vars.items()]
    return "\n".join(lines) + "\n"
