"""Answers of a wrong form in the files of a site, as ``provd check`` tells them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from provd.config.errors import Problem
from provd.plugin.contract_install import Installer
from provd.service.answers import shape_fault
from provd.service.load import Loaded


def wrong_answers(loaded: Loaded, installers: Mapping[str, Installer], profiles: Iterable[str]) -> Iterator[Problem]:
    """The first of each profile, and of each declared system what its profile does not say already.

    Args:
        loaded: the configuration.
        installers: by name.
        profiles: names of the profiles that are looked at.
    """
    catalogue = loaded.catalogue
    for name in profiles:
        profile = catalogue.profiles[name]
        installer = installers.get(profile.installer or profile.distro.installer)
        if installer is not None and (fault := shape_fault(installer, profile)):
            yield Problem(catalogue.files[f"profile {name}"], "", f"profile {name}: {fault}")
    for name, system in sorted(catalogue.systems.items()):
        inherited = catalogue.profiles.get(system.profile)
        if inherited is None or not (system.answers or system.links):
            continue
        profile = catalogue.resolve(system)
        installer = installers.get(profile.installer or profile.distro.installer)
        fault = shape_fault(installer, profile, system) if installer is not None else ""
        if installer is not None and fault and fault != shape_fault(installer, inherited):
            yield Problem(system.file, "", f"system {name}: {fault}")
