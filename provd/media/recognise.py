"""Compares a medium with signatures, and explains those that came near."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from provd.media.medium import Medium, MediumError
from provd.media.processor import kernel_arch
from provd.plugin.signatures import Signature, SignatureRule

_MOST_NEAR = 5
_ARCHS = {"amd64": "x86_64", "arm64": "aarch64", "i686": "i386"}
Text = Callable[[str], "str | None"]


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a medium is.

    Attributes:
        signature: that fits.
        arch: provd's name of its CPU.
        version: as the medium writes it, else the signature's.
    """

    signature: Signature
    arch: str
    version: str


@dataclass(frozen=True, slots=True)
class Missed:
    """A rule that a medium breaks: what it asks for and what is there."""

    rule: SignatureRule
    saw: str


@dataclass(frozen=True, slots=True)
class Near:
    """A signature that does not fit, with how many of its rules do."""

    signature: Signature
    kept: int
    missed: Sequence[Missed]


def recognise(medium: Medium, signatures: Iterable[Signature]) -> Recognised | list[Near]:
    """The signature that fits, the one with most rules where several do; else the nearest ones, explained.

    A signature of which no rule is kept is not near.

    Raises:
        MediumError: several fit equally well: there is more than one distribution on it.
    """
    texts: dict[str, str | None] = {}

    def text(path: str) -> str | None:
        if path not in texts:
            raw = medium.read(path)
            texts[path] = None if raw is None else raw.decode("utf-8", "replace")
        return texts[path]

    fitting: list[Signature] = []
    near: list[Near] = []
    for signature in signatures:
        missed = [found for rule in signature.rules if (found := _missed(rule, text, medium)) is not None]
        if not missed:
            fitting.append(signature)
        else:
            near.append(Near(signature, len(signature.rules) - len(missed), missed))
    if not fitting:
        touched = [one for one in near if one.kept]
        return sorted(touched, key=lambda one: (len(one.missed), -one.kept, one.signature.name))[:_MOST_NEAR]
    best = _best(fitting, medium.where)
    arch = _captured(best.arch, text) or _kernel_arch(best, medium) or "x86_64"
    return Recognised(best, _ARCHS.get(arch, arch), _captured(best.full_version, text) or best.version)


def _best(fitting: list[Signature], where: str) -> Signature:
    most = max(len(one.rules) for one in fitting)
    best = [one for one in fitting if len(one.rules) == most]
    if len(best) > 1:
        names = " and ".join(sorted(one.name for one in best))
        raise MediumError(f"{where} is {names} at once: import each from a directory of its own")
    return best[0]


def _kernel_arch(signature: Signature, medium: Medium) -> str:
    return "" if ":" in signature.kernel else kernel_arch(medium.read(signature.kernel) or b"")


def _missed(rule: SignatureRule, text: Text, medium: Medium) -> Missed | None:
    if not rule.match:
        return None if medium.has(rule.file) else Missed(rule, "there is no such file")
    found = text(rule.file)
    if found is None:
        return Missed(rule, "there is no such file")
    if re.search(rule.match, found, re.MULTILINE):
        return None
    shown = [line for line in found.splitlines() if rule.shows and line.startswith(rule.shows)]
    return Missed(rule, f"it says {_beginning(', '.join(shown) or found)}")


def _captured(rule: SignatureRule | None, text: Text) -> str:
    if rule is None:
        return ""
    found = text(rule.file)
    match = re.search(rule.match, found, re.MULTILINE) if found else None
    return match[1] if match else ""


def _beginning(text: str) -> str:
    shown = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return repr(shown[:100] + ("..." if len(shown) > 100 else ""))
