"""What a system names and nobody has: ``check`` tells it. Looked at again at each change of it and at each reload."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

from provd.config.decode import near_miss
from provd.model.system import System
from provd.plugin.contract_install import Installer

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):")


def source_doubts(system: System, schemes: Collection[str]) -> Iterator[str]:
    """An install source of its own that no enabled plugin resolves.

    Args:
        system: the system.
        schemes: URL schemes that enabled plugins resolve.
    """
    if not system.source:
        return
    match = _SCHEME.match(system.source)
    if match is None:
        yield f"source: {system.source!r} has no scheme; known: {', '.join(sorted(schemes)) or 'none'}"
    elif match.group(1) not in schemes:
        near = near_miss(match.group(1), sorted(schemes))
        yield f"source: no enabled plugin resolves {system.source!r}{near}"


def template_doubts(system: System, installer: Installer, has: Callable[[str], bool]) -> Iterator[str]:
    """Templates for documents that its installer does not make, and templates that are not there.

    Args:
        system: the system.
        installer: the one that its profile and itself choose.
        has: whether a template of this name is in the site's or the installer's folder.
    """
    for document, template in system.templates.items():
        if document.startswith("!"):
            continue
        if document not in installer.documents:
            near = near_miss(document, sorted(installer.documents))
            yield f"templates.{document}: installer {installer.name} makes no document of this name{near}"
        elif not has(template):
            yield f"templates.{document}: there is no template {template!r} for installer {installer.name}"
