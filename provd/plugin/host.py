"""The typed facade: the only place that calls hooks.

pluggy finds and checks the implementations; this adds the configured order, isolation, timing, breakers, the fold of
replies and the registries. One host belongs to one reactor thread.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import cast

from provd.model.boot import BootPlan
from provd.model.client import ClientFacts
from provd.model.content import Content, FileRequest, NotFound
from provd.model.dhcp import Allow, DhcpRequest, GateVerdict, Ignore, OptionSet, Reply
from provd.model.event import Event
from provd.model.lease import Lease
from provd.model.profile import Profile
from provd.model.subnet import Subnet
from provd.model.system import System
from provd.plugin.breaker import Limits
from provd.plugin.building import Builder
from provd.plugin.composition import Composition
from provd.plugin.contract import (
    Adoption,
    Authenticator,
    BootLoader,
    Change,
    Daemon,
    InstallSource,
    Inventory,
    Operation,
    Trigger,
    Veto,
)
from provd.plugin.contract_install import Callback, Installer
from provd.plugin.errors import PluginError
from provd.plugin.faults import PluginFault
from provd.plugin.guard import BadCall, Guard, Missing, Row
from provd.plugin.loading import Found
from provd.plugin.power import PowerDriver
from provd.plugin.runtime import Runtime
from provd.plugin.signatures import Signature

_ALLOW = Allow()


class VariableClashError(PluginError):
    """Two plugins give the same variable to an answer file."""


class PluginHost:
    """Every enabled plugin behind typed methods.

    Args:
        plugins: the enabled plugins in configured order.
        settings: ``[plugins.NAME]`` tables by plugin name.
        clock: monotonic seconds.
        data_dir: fills empty ``data_dir`` fields of settings.
        critical: plugins that fail closed: nobody is answered where their gate fails, their failing change hook vetoes.
        file: configuration file, for error sentences.
        limits: slow calls and breakers.
        faults: what was found wrong before. Given, even empty, whatever is wrong is left out and told in
            :attr:`faults`; without it the first fault raises.
        waited: seconds that the calling thread has waited for a processor so far (:mod:`provd.plugin.processor_wait`).

    Raises:
        PluginError: anything wrong with any plugin, where faults are not left out.
    """

    def __init__(
        self,
        plugins: Sequence[Found],
        settings: Mapping[str, Mapping[str, object]],
        *,
        clock: Callable[[], float],
        data_dir: Path | str = "",
        critical: Collection[str] = (),
        file: str = "",
        limits: Limits | None = None,
        faults: Sequence[PluginFault] | None = None,
        waited: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._found = {found.name: found for found in plugins}
        self._guard = Guard(clock, limits or Limits(), waited)
        self._critical = frozenset(critical)
        self._composition = Composition(
            self._found,
            settings,
            builder=Builder(str(data_dir), self._critical, file),
            guard=self._guard,
            critical=critical,
            faults=faults,
        )
        self._now = self._composition.now
        self._swaps = 0

    @property
    def boot_loaders(self) -> Mapping[str, BootLoader]:
        """Registered boot loaders by name, in configured order; read it anew after a reload, like the others."""
        return self._now.registries.boot_loaders

    @property
    def install_sources(self) -> Mapping[str, InstallSource]:
        """Registered install sources by name."""
        return self._now.registries.install_sources

    @property
    def installers(self) -> Mapping[str, Installer]:
        """Registered installers by name."""
        return self._now.registries.installers

    @property
    def triggers(self) -> Mapping[str, Trigger]:
        """Registered triggers by name."""
        return self._now.registries.triggers

    @property
    def callbacks(self) -> Mapping[str, Callback]:
        """Registered callbacks by name."""
        return self._now.registries.callbacks

    @property
    def inventories(self) -> Mapping[str, Inventory]:
        """Registered inventories by name."""
        return self._now.registries.inventories

    @property
    def authenticators(self) -> Mapping[str, Authenticator]:
        """Registered authenticators by name."""
        return self._now.registries.authenticators

    @property
    def daemons(self) -> Mapping[str, Daemon]:
        """Registered servers that run beside provd, by name."""
        return self._now.registries.daemons

    @property
    def power_drivers(self) -> Mapping[str, PowerDriver]:
        """Registered power drivers by name."""
        return self._now.registries.power_drivers

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """Registered signatures of install media by name."""
        return self._now.registries.signatures

    @property
    def operations(self) -> Mapping[str, Operation]:
        """Registered operations by name."""
        return self._now.registries.operations

    @property
    def names(self) -> tuple[str, ...]:
        """Enabled plugins in configured order, also those that are off."""
        return tuple(self._found)

    @property
    def faults(self) -> tuple[PluginFault, ...]:
        """What is off, and why."""
        return self._composition.faults

    @property
    def triggers_off(self) -> frozenset[str]:
        """Names of triggers that are configured, and off."""
        return frozenset(name for one in self.faults if one.kind == "trigger" for name in one.items)

    def is_on(self, name: str) -> bool:
        """Whether a plugin works, perhaps without some of its triggers."""
        return self._composition.is_on(name)

    def hooks_of(self, name: str) -> tuple[str, ...]:
        """Hooks that an enabled plugin implements; none where it is off."""
        hooks = (instance.hooks for instance in self._now.instances if instance.plugin == name)
        return next(hooks, ()) if self.is_on(name) else ()

    def seconds(self) -> float:
        """The clock by which calls are timed."""
        return self._guard.seconds()

    def brought_by(self, name: str) -> Mapping[str, tuple[str, ...]]:
        """Names of what an enabled plugin registered, by registration hook."""
        found: dict[str, tuple[str, ...]] = {}
        for (hook, value), owner in self._now.registries.owners.items():
            if owner == name:
                found[hook] = (*found.get(hook, ()), value)
        return found

    def hook_is_pure(self, hook: str) -> bool:
        """Whether every implementation of ``hook`` is a pure function of its arguments, so that answers may be kept."""
        return hook not in self._now.impure

    def hook_is_shared(self, hook: str) -> bool:
        """Whether no implementation of ``hook`` looks at which machine it is, so that one answer serves many."""
        return hook not in self._now.unshared

    def hook_concerns(self, hook: str, options: frozenset[int]) -> bool:
        """Whether an implementation of ``hook`` is to be asked about a message with these DHCP options."""
        return any(not only or not only.isdisjoint(options) for only in self._now.concerns[hook])

    @property
    def epoch(self) -> tuple[int, int]:
        """Changes when remembered answers are void (a plugin was swapped), and when an answer was missing."""
        return self._swaps, self._guard.missed

    def start(self, runtime: Runtime) -> None:
        """Hand the runtime to the plugin objects that have a ``start`` method, in configured order.

        Raises:
            PluginError: one of them failed to start, and faults are not left out.
        """
        self._composition.start(runtime)
        self._now = self._composition.now

    def gate(self, request: DhcpRequest) -> GateVerdict:
        """First verdict; ``Allow`` where nobody has an opinion. A failing critical plugin has nobody answered.

        In silence: a NAK would take the addresses of machines that run.
        """
        for instance, endpoint in self._now.hooks["provd_dhcp_gate"]:
            verdict = self._guard.call(endpoint, (request,))
            if verdict is None:
                continue
            if isinstance(verdict, Missing):
                if instance.plugin in self._critical:
                    return Ignore(f"the critical gate plugin {instance.plugin} {_why(verdict)}")
            else:
                return cast("GateVerdict", verdict)
        return _ALLOW

    def labels(self, request: DhcpRequest) -> frozenset[str]:
        """Client classes of all plugins together."""
        answers = self._all("provd_dhcp_labels", (request,))
        return frozenset().union(*[cast("frozenset[str]", labels) for _, labels in answers])

    def subnet(self, request: DhcpRequest, subnets: Sequence[Subnet]) -> Subnet | None:
        """First subnet, one of ``subnets``; None where the receiving interface decides."""
        return cast("Subnet | None", self._first("provd_dhcp_subnet", (request, subnets)))

    def options(
        self, request: DhcpRequest, lease: Lease | None, plan: BootPlan | None
    ) -> tuple[tuple[str, OptionSet], ...]:
        """Plugin name and options in configured order; the caller merges them, the earlier one wins."""
        if not self._now.hooks["provd_dhcp_options"]:
            return ()
        answers = self._all("provd_dhcp_options", (request, lease, plan))
        return tuple((name, cast("OptionSet", options)) for name, options in answers if options is not None)

    def reply(self, request: DhcpRequest, reply: Reply) -> Reply:
        """The reply after every plugin changed it; what a failing plugin would have changed stays as it was."""
        for _, endpoint in self._now.hooks["provd_dhcp_reply"]:
            changed = self._guard.call(endpoint, (request, reply))
            if isinstance(changed, Reply):
                reply = changed
        return reply

    def adopt(self, client: ClientFacts, subnet: Subnet) -> Adoption | None:
        """First wish; None where the machine stays unknown."""
        return cast("Adoption | None", self._first("provd_adopt", (client, subnet)))

    def boot_plan(self, system: System | None, profile: Profile | None, client: ClientFacts) -> BootPlan | None:
        """First plan; None where the core's policy decides."""
        return cast("BootPlan | None", self._first("provd_boot_plan", (system, profile, client)))

    def kernel_args(self, plan: BootPlan) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Plugin name and arguments to append, in configured order."""
        answers = self._all("provd_kernel_args", (plan,))
        return tuple((name, cast("tuple[str, ...]", words)) for name, words in answers if words)

    def file(self, request: FileRequest) -> Content | NotFound | None:
        """First answer; ``NotFound`` ends the search, None means that nobody claims the path.

        Where a plugin failed or rests, nobody knows: an installer that hears 404 would not ask again.
        """
        unknown = ""
        for instance, endpoint in self._now.hooks["provd_file"]:
            answer = self._guard.call(endpoint, (request,))
            if isinstance(answer, Missing):
                unknown = unknown or f"plugin {instance.plugin} {_why(answer)}"
            if isinstance(answer, NotFound):
                return answer
            if isinstance(answer, Content):
                return instance.held(answer)
        return NotFound(f"nobody serves {request.path}: {unknown}", status=503) if unknown else None

    def answer_vars(self, system: System, profile: Profile) -> Mapping[str, tuple[str, object]]:
        """Variable name to (plugin name, value).

        Raises:
            VariableClashError: two plugins give the same variable; names both.
        """
        found: dict[str, tuple[str, object]] = {}
        for name, variables in self._all("provd_answer_vars", (system, profile)):
            for key, value in cast("dict[str, object]", variables).items():
                if key in found:
                    raise VariableClashError(name, f"the answer variable {key} is also given by plugin {found[key][0]}")
                found[key] = (name, value)
        return found

    def change(self, change: Change) -> Veto | None:
        """First veto; a failing critical plugin vetoes."""
        for instance, endpoint in self._now.hooks["provd_change"]:
            answer = self._guard.call(endpoint, (change,))
            if isinstance(answer, Missing):
                if instance.plugin in self._critical:
                    return Veto(f"the critical plugin {instance.plugin} {_why(answer)}")
            elif answer is not None:
                return cast("Veto", answer)
        return None

    def hears_events(self) -> bool:
        """A plugin listens to events."""
        return bool(self._now.hooks["provd_event"])

    def event(self, event: Event) -> None:
        """Tell every plugin."""
        for _, endpoint in self._now.hooks["provd_event"]:
            self._guard.call(endpoint, (event,))

    def stats(self) -> list[Row]:
        """Counters per plugin and hook, in the order they were built."""
        return self._guard.rows()

    def bad_calls(self, names: Collection[str], since: float) -> list[BadCall]:
        """What plugins did to one machine: slow, failed and rested calls since then (see ``Guard.bad_calls``)."""
        return self._guard.bad_calls(names, since)

    def swap(self, name: str, settings: Mapping[str, object], *, back: bool = False) -> None:
        """Build a new object of one plugin and put it in the old one's place.

        The old one is closed when the last stream, trigger, load or operation that it began has ended. A plugin that
        was off may stay so, and a trigger that was off as well.

        Args:
            name: of the plugin.
            settings: ``[plugins.NAME]``.
            back: the settings were in force a moment ago; their faults are taken with them.

        Raises:
            PluginError: something that works would not work any more; the old object stays.
        """
        self._composition.swap(name, settings, back=back)
        self._now = self._composition.now
        self._swaps += 1
        self._guard.reset(name)

    def close(self) -> None:
        """Close every plugin object, last enabled first."""
        self._composition.close()

    def _first(self, hook: str, args: tuple[object, ...]) -> object:
        for _, endpoint in self._now.hooks[hook]:
            answer = self._guard.call(endpoint, args)
            if answer is not None and not isinstance(answer, Missing):
                return answer
        return None

    def _all(self, hook: str, args: tuple[object, ...]) -> list[tuple[str, object]]:
        found = []
        for instance, endpoint in self._now.hooks[hook]:
            answer = self._guard.call(endpoint, args)
            if not isinstance(answer, Missing):
                found.append((instance.plugin, answer))
        return found


def _why(missing: Missing) -> str:
    return "failed" if missing is Missing.FAILED else "keeps failing and rests for now"
