"""What a plan needs beside its decision: kernel, initial RAM disks, install source, command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from twisted.logger import Logger

from provd.core.boot_policy import other_processor
from provd.core.programs import program_for
from provd.model.boot import Action, BootPlan, Location, Payload
from provd.model.distro import Distro
from provd.model.scrub import scrub_urls
from provd.plugin.contract_install import Installer
from provd.service.answers import shortcoming
from provd.service.boot_files import BootFiles, PayloadMissingError
from provd.service.plugin_calls import asked
from provd.service.ports import BootHost


class PlanContents:
    """Asks installers and install sources; a plan that cannot work becomes a held one that says why.

    Args:
        host: the plugin host.
        files: the files of boots.
        log_port: where installers send their logs, 0 for nowhere.
    """

    def __init__(self, host: BootHost, files: BootFiles, log_port: Callable[[], int] = lambda: 0) -> None:
        self._host, self._files, self._log_port = host, files, log_port
        self._logger = Logger(namespace="provd.boot")

    def with_payload(self, plan: BootPlan) -> BootPlan:
        """Kernel, initrds and source of an installing plan; one that cannot work becomes a held one that says why."""
        plan = replace(plan, log_port=self._log_port())
        assert plan.profile is not None  # noqa: S101  an INSTALL decision has one
        distro = plan.profile.distro
        # Programs are for firmware of their own each, and the machine's own disk is for any.
        named = plan.action is Action.INSTALL or bool(distro.kernel)
        if named and not distro.programs and (unfit := other_processor(plan.client.arch, distro)):
            return unready(plan, unfit)
        name = plan.profile.installer or distro.installer
        installer = self._host.installers.get(name)
        if installer is None:
            return unready(plan, f"no enabled plugin brings the installer {name!r} of profile {plan.profile.name}")
        if installer.families and distro.family not in installer.families:
            return unready(plan, f"installer {name} does not install the family {distro.family!r} of {distro.name}")
        missing = asked(f"ready of installer {name}", partial(shortcoming, installer, system=plan.system), plan.profile)
        if missing is None or missing:
            return unready(plan, missing or f"installer {name} failed; the log has the error")
        try:
            payload = self._payload(installer, plan) or self._of_distro(plan, distro)
            if payload is None:
                return replace(plan, action=Action.LOCAL, reason=f"distro {distro.name} is the machine's own disk")
            kernel, initrd = self._files.publish(distro.name, Payload(payload.kernel, payload.initrd))
        except PayloadMissingError as error:
            return unready(plan, str(error))
        location, source = self.location(plan), plan.profile.source or distro.tree
        if location is not None and (refusal := asked(f"refuses of {name}", installer.refuses, location)):
            return unready(plan, f"profile {plan.profile.name} and its source {source!r}: {refusal}")
        if source and location is None:
            reason = f"no enabled plugin resolves the install source {source!r} of profile {plan.profile.name}"
            return unready(plan, f"{reason}; is its mirror configured?" if source.startswith("mirror:") else reason)
        return replace(plan, kernel=kernel, initrd=initrd, kind=payload.kind, location=location)

    def _payload(self, installer: Installer, plan: BootPlan) -> Payload | None:
        """The installer's own kernel, or None; one that fails must not become the distro's instead.

        Raises:
            PayloadMissingError: the plugin failed, or gave something else.
        """
        try:
            own: object = installer.payload(plan)
        except Exception as error:  # one plugin must not cost a machine its reply
            self._logger.failure("payload of installer {name} raised", name=installer.name)
            raise PayloadMissingError(f"installer {installer.name} failed; the log has the error") from error
        if own is None or isinstance(own, Payload):
            return own
        raise PayloadMissingError(f"installer {installer.name} gave a {type(own).__name__} as its payload")

    def _of_distro(self, plan: BootPlan, distro: Distro) -> Payload | None:
        """What the distro itself names; None where it installs nothing and names nothing: the machine's own disk.

        Raises:
            PayloadMissingError: nothing of it is for this machine.
        """
        if distro.programs:
            program = program_for(distro, plan.client.arch)
            if isinstance(program, str):
                raise PayloadMissingError(program)
            return self._files.of_program(program)
        if plan.action is Action.START and not distro.kernel:
            return None
        return self._files.of_distro(distro)

    def location(self, plan: BootPlan) -> Location | None:
        """Where the installer finds packages: the profile's source or the distro's tree, by the URL's scheme."""
        if plan.profile is None:
            return None
        url = plan.profile.source or plan.profile.distro.tree
        match = re.match(r"([a-z][a-z0-9+.-]*):", url)
        scheme = match.group(1) if match else ""
        for source in self._host.install_sources.values():
            if url and scheme in source.schemes:
                place = asked(f"resolve of install source {source.name}", source.resolve, url, plan)
                if place is not None:
                    return place
        return None

    def with_arguments(self, plan: BootPlan) -> BootPlan:
        """The plan with its whole command line: distro, profile, system, then the installer, then plugins in order."""
        if plan.profile is None or plan.action not in {Action.INSTALL, Action.START}:
            return plan
        name = plan.profile.installer or plan.profile.distro.installer
        installer = self._host.installers.get(name)
        own = asked(f"kernel_args of installer {name}", installer.kernel_args, plan) if installer else None
        if not isinstance(own, tuple | list) or not all(isinstance(word, str) for word in own):
            # Without them the installer would ask somebody in front of the machine, or worse.
            return unready(plan, f"installer {name} gave no usable kernel arguments; the log has the error")
        args = [*plan.profile.kernel_args, *own]
        if plan.kind == "linux":  # plugins speak to Linux
            for _plugin, more in self._host.kernel_args(plan):
                args.extend(more)
        return replace(plan, kernel_args=tuple(args))


def unready(plan: BootPlan, reason: str) -> BootPlan:
    """The plan of a machine that is held, and why."""
    # The reason stands on the machine's screen and in lists; a source may hold a password.
    return replace(plan, action=Action.HOLD, reason=scrub_urls(reason), kernel="", initrd=())
