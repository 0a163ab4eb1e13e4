"""Answers of a profile that its installer does not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from provd.model.profile import Profile
from provd.plugin.contract_install import Installer


def is_external(installer: Installer, profile: Profile) -> bool:
    """Whether an answer file from elsewhere stands in place of provd's; not every family takes one."""
    return "external" in installer.defaults and bool(profile.answers.get("external"))


def unread_answers(profile: Profile, installer: Installer, others: Mapping[str, Installer]) -> Iterator[str]:
    """Sentences about names that are nearly an answer's, and about answers that only other families have a place for.

    Names that nobody knows may be for templates of the site.

    Args:
        profile: with what a system says itself.
        installer: the one that answers for it.
        others: every installer, by name.
    """
    for name, value in profile.answers.items():
        if name in installer.defaults:
            continue
        near = get_close_matches(name, installer.defaults, n=1, cutoff=0.8)
        readers = sorted(one.name for one in others.values() if name in one.defaults)
        if near and not readers:
            rule = f"the installer {installer.name} reads no answer of this name; did you mean {near[0]!r}?"
            yield f"answers.{name}: {rule}"
        elif readers and value and not profile.templates:
            rule = f"the installer {installer.name} has no place for it; others have: {', '.join(readers)}"
            yield f"answers.{name}: {rule}"
