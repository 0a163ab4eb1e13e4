"""What a profile and its distro name and nobody brings: installers, boot files, sources, loaders, templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from provd.config.decode import decode, near_miss
from provd.config.errors import ConfigError
from provd.config.payloads import PAYLOAD
from provd.config.site_templates import FOLDER
from provd.model.content import Content, NotFound
from provd.model.distro import Distro
from provd.model.profile import Profile
from provd.plugin.contract import InstallSource
from provd.plugin.contract_install import Installer
from provd.plugin.host import PluginHost
from provd.plugin.templates import COMMON_FOLDER
from provd.service.unread_answers import unread_answers

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):")


def profile_remarks(profile: Profile, host: PluginHost, site: Path) -> Iterator[str]:
    """Sentences about one profile: what a boot or an answer file would be refused for.

    Args:
        profile: it.
        host: the enabled plugins.
        site: the site's directory, which has its templates.
    """
    distro = profile.distro
    name = profile.installer or distro.installer
    installer = host.installers.get(name)
    if not name:
        yield f"distro {distro.name} names no installer; there are {', '.join(sorted(host.installers))}"
    elif installer is None:
        yield f"no enabled plugin brings its installer {name!r}{near_miss(name, list(host.installers))}"
    else:
        yield from _of_installer(profile, installer, site)
        yield from unread_answers(profile, installer, host.installers)
    yield from _boot_files(distro, host.install_sources)
    yield from _source(profile, host.install_sources)
    for loader in profile.boot_loaders:
        if loader not in host.boot_loaders:
            yield f"boot_loaders: no enabled plugin brings {loader!r}{near_miss(loader, list(host.boot_loaders))}"
    for loader, table in profile.loader.items():
        if loader not in host.boot_loaders:
            yield f"loader.{loader}: no enabled plugin brings this loader{near_miss(loader, list(host.boot_loaders))}"
        elif (kind := host.boot_loaders[loader].settings) is not None:
            try:
                decode(table, kind, "", f"loader.{loader}")
            except ConfigError as error:
                yield str(error)


def _of_installer(profile: Profile, installer: Installer, site: Path) -> Iterator[str]:
    family = profile.distro.family
    if installer.families and family not in installer.families:
        near = near_miss(family, list(installer.families))
        yield f"installer {installer.name} does not install the family {family!r} of distro {profile.distro.name}{near}"
    if missing := installer.ready(profile):
        yield missing
    for document, template in sorted(profile.templates.items()):
        if document not in installer.documents:
            near = near_miss(document, list(installer.documents))
            yield f"templates: installer {installer.name} has no document {document!r}{near}"
        elif not any((folder / template).is_file() for folder in _folders(installer, site)):
            yield f"templates: {document} is to be made of {template}, which is not in {site / FOLDER}"


def _folders(installer: Installer, site: Path) -> list[Path]:
    own = [installer.templates] if installer.templates else []
    return [site / FOLDER / installer.name, site / FOLDER, *own, COMMON_FOLDER]


def _boot_files(distro: Distro, sources: Mapping[str, InstallSource]) -> Iterator[str]:
    """Files that a plugin should give, as from an image; those of the disk are looked for elsewhere."""
    files = [distro.kernel, *distro.initrd, *(file for one in distro.programs for file in (one.file, *one.initrd))]
    for reference in files:
        match = _SCHEME.match(reference)
        if match is None or reference.startswith(PAYLOAD):
            continue
        giver = _giver(match[1], sources)
        if giver is None:
            rule = "a file of this disk is payload:NAME/FILE"
            yield f"distro {distro.name}: no enabled plugin gives {reference!r}; {rule}"
        elif isinstance(found := giver(reference), NotFound):
            yield f"distro {distro.name}: {reference}: {found.reason}"


def _giver(scheme: str, sources: Mapping[str, InstallSource]) -> Callable[[str], Content | NotFound] | None:
    return next((one.file for one in sources.values() if scheme in one.schemes and one.file is not None), None)


def _source(profile: Profile, sources: Mapping[str, InstallSource]) -> Iterator[str]:
    url = profile.source or profile.distro.tree
    match = _SCHEME.match(url)
    known: Collection[str] = {scheme for one in sources.values() for scheme in one.schemes if scheme}
    if match is not None and match[1] not in known:
        yield f"no enabled plugin resolves its install source {url!r}{near_miss(match[1], list(known))}"
