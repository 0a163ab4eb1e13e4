"""Explains what a machine would get, and which file, level or plugin every value came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Annotated, Literal, Protocol

from msgspec import Meta

from provd.config.secrets import is_reference
from provd.core.boot_policy import decide, effective_netboot
from provd.model.arch import ARCHS, BIOS, Arch, usual_arch
from provd.model.boot import Action, BootFile, BootPlan, Location
from provd.model.client import ClientFacts
from provd.model.mac import Mac
from provd.model.origin import Origin
from provd.model.profile import BootPolicy, Profile
from provd.model.subnet import PROXY, Subnet
from provd.model.system import InstallState, System
from provd.plugin.contract import Operation
from provd.plugin.scrub import scrub
from provd.service.answers import shortcoming
from provd.service.boot import installs
from provd.service.explain_options import Imagined
from provd.service.masking import masked
from provd.service.operations import Arguments, OperationError
from provd.service.ports import ExplainHost, ResolvedProfiles
from provd.service.system_lookup import NamedSystems, StatesView, find_system

_TOKEN = "TOKEN"  # noqa: S105 - stands where the token of a real boot will stand
_VENDOR = {"uefi": "PXEClient:Arch:00007:UNDI:003000", "bios": "PXEClient:Arch:00000:UNDI:002001"}


class OptionRows(Protocol):
    """Explains DHCP options."""

    def rows(self, imagined: Imagined) -> list[dict[str, object]]:
        """One row per option."""
        ...


ArchName = Literal[
    "bios", "ia32-uefi", "x64-uefi", "arm32-uefi", "arm64-uefi", "x64-uefi-http", "arm64-uefi-http", "riscv64-uefi"
]


class ExplainQuery(Arguments, frozen=True):
    """Which machine, and as which firmware."""

    system: str
    arch: Annotated[
        ArchName | None, Meta(description="Firmware that is imagined; none: `bios`, for arm64 distros `arm64-uefi`.")
    ] = None


class Explainer:
    """Makes the plan of an imagined boot; it changes nothing.

    Args:
        host: the plugin host.
        catalogue: the catalogue of this moment.
        systems: the systems service.
        states: install states.
        location: where a plan's installer finds packages.
        subnet_of: the subnet of a system, or None.
        server_of: provd's address as machines of a subnet reach it (dotted quad).
        http_port: port of the HTTP listener.
        options: explains the DHCP options of a boot.
        prepare: gives an installing plan its kernel and initial RAM disks, or makes it a held one that says what is
            missing.
    """

    def __init__(
        self,
        *,
        host: ExplainHost,
        catalogue: Callable[[], ResolvedProfiles],
        systems: NamedSystems,
        states: StatesView,
        location: Callable[[BootPlan], Location | None],
        subnet_of: Callable[[System], Subnet | None],
        server_of: Callable[[Subnet | None], str],
        http_port: int = 80,
        options: OptionRows,
        prepare: Callable[[BootPlan], BootPlan] = lambda plan: plan,
    ) -> None:
        self._host = host
        self._catalogue = catalogue
        self._systems = systems
        self._states = states
        self._location = location
        self._subnet_of = subnet_of
        self._server_of = server_of
        self._http_port = http_port
        self._options = options
        self._prepare = prepare

    def operations(self) -> tuple[Operation, ...]:
        """``explain``."""
        return (
            Operation(
                "explain",
                "Show what a machine would get at its next boot, every value with its origin.",
                "read",
                ExplainQuery,
                self.explain,
                "provd explain web1 --arch x64-uefi",
                result="Every value with its `origin`, and what is `missing`.",
            ),
        )

    def explain(self, arguments: ExplainQuery) -> object:
        """Everything about the next boot of one machine."""
        system = find_system(self._systems, arguments.system)
        try:
            profile: Profile | None = self._catalogue().resolve(system) if system.profile else None
        except LookupError as error:
            raise OperationError(str(error)) from error
        subnet = self._subnet_of(system)
        state = self._states.get(system.name)
        arch = _arch(arguments.arch, profile)
        plan, decided_by = self._plan(system, profile, state, arch, subnet)
        values: dict[str, object] = {
            "system": system.name,
            "origin": system.file or system.origin,
            "arch": arch.name,
            "action": plan.action.value,
            "reason": plan.reason,
            "decided_by": decided_by,
            "netboot": effective_netboot(system, state),
            "policy": self._policy(system, profile, "policy"),
            "max_attempts": self._policy(system, profile, "max_attempts"),
            "state": state.state,
            "missing": list(self._missing(plan)),
            "loader": self._loader(plan),
            "options": self._options_of(system, profile, plan, subnet),
        }
        if profile is None:
            return values
        return {
            **values,
            "profile": profile.name,
            "distro": {"value": profile.distro.name, "origin": _origin(profile, "distro")},
            "installer": {"value": _installer_name(profile), "origin": _origin(profile, "installer")},
            "source": self._source(plan, profile),
            "kernel_args": self._kernel_args(plan, profile),
            "answers": list(self._answers(profile)),
            "variables": list(self._variables(system, profile)),
        }

    def _plan(
        self, system: System, profile: Profile | None, state: InstallState, arch: Arch, subnet: Subnet | None
    ) -> tuple[BootPlan, str]:
        vendor = f"HTTPClient:Arch:{arch.code:05}:UNDI:003000" if arch.http else _VENDOR[arch.firmware]
        mac = system.interfaces[0].mac if system.interfaces else Mac(bytes(6))
        labels = frozenset({PROXY}) if subnet is not None and subnet.mode == PROXY else frozenset[str]()
        client = ClientFacts(mac=mac, uuid=system.uuid, arch=arch, vendor_class=vendor, labels=labels)
        theirs = self._host.boot_plan(system, profile, client)
        decision = decide(system, profile, state, installs=installs(self._host.installers, profile))
        plan = theirs or BootPlan(decision.action, decision.reason, client, system=system, profile=profile)
        plan = replace(plan, server=self._server_of(subnet), http_port=self._http_port, token=_TOKEN)
        if plan.action in {Action.INSTALL, Action.START}:
            plan = self._prepare(replace(plan, location=self._location(plan)))
        return plan, "plugin" if theirs else "policy of the system"

    def _policy(self, system: System, profile: Profile | None, key: str) -> object:
        """A value of the boot policy, with its origin."""
        own = getattr(system, key)
        if profile is None:
            origin = Origin("system", system.name, system.file, key) if own else Origin("default")
            return {"value": own or getattr(BootPolicy(), key), "origin": str(origin)}
        return {"value": own or getattr(profile.boot, key), "origin": _origin(profile, f"boot.{key}")}

    def _options_of(
        self, system: System, profile: Profile | None, plan: BootPlan, subnet: Subnet | None
    ) -> Sequence[Mapping[str, object]]:
        """One row per DHCP option; none where nobody knows the subnet."""
        if subnet is None:
            return ()
        name, boot = self._first_file(plan)
        server = int(IPv4Address(plan.server))
        rows = self._options.rows(Imagined(system, profile, subnet, server, replace(plan, loader=name), boot))
        return [{**row, "value": masked(row["value"], str(row["key"]))} for row in rows]

    def _first_file(self, plan: BootPlan) -> tuple[str, BootFile | None]:
        """Name of the loader that takes this client, and the file it begins with."""
        own = plan.profile or plan.system
        for name in (own.boot_loaders if own else ()) or tuple(self._host.boot_loaders):
            loader = self._host.boot_loaders.get(name)
            chosen = loader.select(plan.client, plan) if loader else None
            if chosen is not None:
                return name, chosen
        return "", None

    def _loader(self, plan: BootPlan) -> object:
        asked = plan.profile.boot_loaders if plan.profile else ()
        origin = _origin(plan.profile, "boot_loaders") if plan.profile and asked else "order of the enabled plugins"
        name, chosen = self._first_file(plan)
        if chosen is not None:
            return {"value": name, "file": chosen.path, "transport": chosen.transport, "origin": origin}
        return {"value": "", "file": "", "transport": "", "origin": "no enabled loader serves this firmware"}

    def _missing(self, plan: BootPlan) -> Iterable[str]:
        """Why an install cannot work, one sentence each; a machine is held for the first two."""
        profile = plan.profile
        if profile is None:
            return
        name = _installer_name(profile)
        installer = self._host.installers.get(name)
        if installer is None:
            yield f"no enabled plugin brings the installer {name!r}"
        elif why := shortcoming(installer, profile, plan.system):
            yield why
        asked = profile.source or profile.distro.tree
        if asked and plan.action is Action.INSTALL and plan.location is None:
            yield f"no enabled plugin makes a location of {asked!r}"

    def _source(self, plan: BootPlan, profile: Profile) -> object:
        key = "source" if profile.source else "distro.tree"
        asked = profile.source or profile.distro.tree
        url = plan.location.url if plan.location else ""
        return {"value": scrub(url), "asked": scrub(asked), "origin": _origin(profile, key)}

    def _kernel_args(self, plan: BootPlan, profile: Profile) -> list[dict[str, object]]:
        rows = [
            {"value": scrub(argument), "origin": _origin(profile, f"kernel_args[{index}]")}
            for index, argument in enumerate(profile.kernel_args)
        ]
        if plan.action not in {Action.INSTALL, Action.START}:
            return [dict(row) for row in rows]
        installer = self._host.installers.get(_installer_name(profile))
        own = installer.kernel_args(plan) if installer is not None else ()
        rows += [{"value": scrub(argument), "origin": f"installer {_installer_name(profile)}"} for argument in own]
        for plugin, more in self._host.kernel_args(plan) if plan.kind == "linux" else ():
            rows += [{"value": scrub(argument), "origin": f"plugin {plugin}"} for argument in more]
        return [dict(row) for row in rows]

    def _answers(self, profile: Profile) -> Iterable[dict[str, object]]:
        installer = self._host.installers.get(_installer_name(profile))
        defaults = dict(installer.defaults) if installer is not None else {}
        for name in sorted({*defaults, *profile.answers}):
            if name in profile.answers:
                yield from _leaves(f"answers.{name}", profile.answers[name], profile.origins)
            else:
                value = masked(defaults[name], name)
                yield {"key": f"answers.{name}", "value": value, "origin": f"installer {_installer_name(profile)}"}

    def _variables(self, system: System, profile: Profile) -> Iterable[dict[str, object]]:
        for name, value in sorted({**profile.distro.vars, **profile.vars}.items()):
            yield from _leaves(f"vars.{name}", value, profile.origins)
        for name, (plugin, value) in sorted(self._host.answer_vars(system, profile).items()):
            yield {"key": name, "value": masked(value, name), "origin": f"plugin {plugin}"}


def _leaves(key: str, value: object, origins: Mapping[str, Origin]) -> Iterable[dict[str, object]]:
    """One row per value that has an origin of its own."""
    below = [name for name in origins if name.startswith((f"{key}.", f"{key}["))]
    if isinstance(value, Mapping) and below and not is_reference(value):
        for name, child in sorted(value.items()):
            yield from _leaves(f"{key}.{name}", child, origins)
        return
    yield {"key": key, "value": masked(value, key.rpartition(".")[2]), "origin": str(_nearest(key, origins))}


def _nearest(key: str, origins: Mapping[str, Origin]) -> Origin:
    while key not in origins and "." in key:
        key = key.rpartition(".")[0]
    return origins.get(key, Origin("default"))


def _origin(profile: Profile, key: str) -> str:
    return str(profile.origins.get(key, Origin("default")))


def _installer_name(profile: Profile) -> str:
    return profile.installer or profile.distro.installer


def _arch(name: str | None, profile: Profile | None) -> Arch:
    if name is None:
        return usual_arch(profile.distro.arch) if profile else BIOS
    return next((arch for arch in ARCHS.values() if arch.name == name), BIOS)
