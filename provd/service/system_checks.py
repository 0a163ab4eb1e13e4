"""What is wrong with a system beside the catalogue, the subnets and the enabled plugins of this moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from provd.config.merge import REMOVE
from provd.config.systems import check_system, plugin_faults
from provd.model.system import System
from provd.service.answer_templates import AnswerTemplates
from provd.service.answers import shape_fault
from provd.service.current import Current
from provd.service.ports import PluginNames
from provd.service.power_tables import power_faults, table_of
from provd.service.system_doubts import source_doubts, template_doubts
from provd.service.unread_answers import unread_answers


class SystemChecks:
    """Checks one system at a time.

    Args:
        current: catalogue and subnets.
        host: the plugin host.
        templates: the installers' templates.
    """

    def __init__(self, current: Current, host: PluginNames, templates: AnswerTemplates) -> None:
        self._current, self._host, self._templates = current, host, templates

    def faults(self, system: System, others: Iterable[System]) -> Sequence[str]:
        """Why a system cannot be kept as it is, one sentence each.

        Args:
            system: the system as it would be.
            others: systems that it could clash with.
        """
        current = self._current
        faults = check_system(system, tuple(others), current.catalogue.profiles, current.subnets)
        return (*faults, *self._plugin_faults(system))

    def _plugin_faults(self, system: System) -> Iterator[str]:
        yield from plugin_faults(system, self._host.installers, self._host.boot_loaders)
        yield from power_faults(system.power, self._host.power_drivers)

    def doubts(self, system: System) -> Iterator[str]:
        """What a system names of plugins that is not there, or that they cannot use, one sentence each."""
        yield from self._plugin_faults(system)
        if self._host.power_drivers and not system.power:
            # What Cobbler's clients say of power is theirs to say; it is used where somebody here does.
            yield from power_faults(table_of(system), self._host.power_drivers)
        schemes = {one for source in self._host.install_sources.values() for one in source.schemes}
        yield from source_doubts(system, schemes)
        yield from self._installer_doubts(system)

    def _installer_doubts(self, system: System) -> Iterator[str]:
        says = system.templates or system.answers or system.links
        profile = self._current.catalogue.profile_for(system) if says else None
        installer = self._host.installers.get(profile.installer or profile.distro.installer) if profile else None
        if profile is None or installer is None:
            return
        templates = self._templates.of(installer.name, installer.templates)
        yield from template_doubts(system, installer, lambda name: templates.source(name) is not None)
        own = {name: value for name, value in system.answers.items() if not name.startswith(REMOVE)}
        yield from unread_answers(replace(profile, answers=own), installer, self._host.installers)
        fault, inherited = shape_fault(installer, profile, system), self._current.catalogue.profiles[system.profile]
        if fault and fault != shape_fault(installer, inherited):
            yield fault
