"""Which plugin objects are in force: built, put together, started and swapped, with what is off and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from provd.plugin.assembly import Assembly, assemble
from provd.plugin.building import Builder
from provd.plugin.errors import PluginError
from provd.plugin.faults import PluginFault
from provd.plugin.guard import Guard
from provd.plugin.instance import Instance
from provd.plugin.loading import Found
from provd.plugin.runtime import Runtime
from provd.plugin.stand_in import StandIn


class Composition:
    """All plugin objects of a host.

    Args:
        found: the enabled plugins by name, in configured order.
        settings: ``[plugins.NAME]`` tables by plugin name.
        builder: makes the objects.
        guard: isolates them.
        critical: plugins in whose place everything is refused where they are off.
        faults: what was found wrong before; None to raise the first fault instead of leaving out what is wrong.

    Attributes:
        now: the objects in force with their hooks and registries.

    Raises:
        PluginError: a plugin is wrong, and faults are not left out.
    """

    def __init__(
        self,
        found: Mapping[str, Found],
        settings: Mapping[str, Mapping[str, object]],
        *,
        builder: Builder,
        guard: Guard,
        critical: Collection[str],
        faults: Sequence[PluginFault] | None,
    ) -> None:
        self._found, self._builder, self._guard = found, builder, guard
        self._settings = dict(settings)
        self._order = {name: at for at, name in enumerate(found)}
        self._before, self._lenient = tuple(faults or ()), faults is not None
        self._faults: dict[str, tuple[PluginFault, ...]] = {}
        self._clashes: tuple[PluginFault, ...] = ()
        self._runtime: Runtime | None = None
        built = [one for name in found if (one := self._built(name)) is not None]
        for name in critical:
            if name not in found:
                why = "it is listed as critical, but it is not enabled"
                built += self._without(name, PluginFault(name, why))
        self.now = self._assembled(built)

    @property
    def faults(self) -> tuple[PluginFault, ...]:
        """Everything that is off, in configured order."""
        return (*self._before, *(one for faults in self._faults.values() for one in faults), *self._clashes)

    def is_on(self, name: str) -> bool:
        """Whether a plugin works, perhaps without some of its triggers."""
        return any(one.plugin == name and not isinstance(one.target, StandIn) for one in self.now.instances)

    def start(self, runtime: Runtime) -> None:
        """Hand the runtime to every object that asks for it.

        Raises:
            PluginError: one of them failed to start, and faults are not left out.
        """
        self._runtime = runtime
        kept: list[Instance] = []
        for instance in self.now.instances:
            try:
                _start(instance, runtime)
                kept.append(instance)
            except PluginError as error:
                kept += self._dropped(instance, error)
        if len(kept) != len(self.now.instances) or any(
            one is not two for one, two in zip(kept, self.now.instances, strict=False)
        ):
            self.now = self._assembled(kept)

    def swap(self, name: str, settings: Mapping[str, object], *, back: bool = False) -> None:
        """Put a new object of one plugin in the old one's place; see ``PluginHost.swap``.

        Raises:
            PluginError: something that works would be off; nothing is changed.
        """
        if name not in self._found:
            raise PluginError(name, "it is not enabled; the enabled list needs a restart")
        state = self._settings, self._faults, self._clashes, self.now
        self._settings, self._faults = {**self._settings, name: settings}, dict(self._faults)
        lenient = self._lenient and (back or not self.is_on(name))
        new = None
        try:
            new = self._built(name)
            others = [one for one in self.now.instances if one.plugin != name]
            self.now = self._assembled([*others, *([new] if new else [])], keep=not lenient)
            if not lenient:
                self._refuse_new(name, state[1], state[2])
            if new is not None and self._runtime is not None:
                _start(new, self._runtime)
        except PluginError as error:
            self._settings, self._faults, self._clashes, self.now = state
            if new is not None:
                new.close()
            if not lenient:
                raise
            self._settings = {**self._settings, name: settings}
            self._faults[name] = (self._builder.fault(self._found[name], settings, error),)
            return
        for old in state[3].instances:
            if old.plugin == name:
                old.retire()

    def close(self) -> None:
        """Close every plugin object, last enabled first."""
        for instance in reversed(self.now.instances):
            instance.close()

    def _refuse_new(
        self, name: str, before: Mapping[str, tuple[PluginFault, ...]], clashes: Sequence[PluginFault]
    ) -> None:
        """Only a fault that was there already may be there afterwards."""
        now = [(one, before.get(name, ())) for one in self._faults.get(name, ())]
        now += [(one, tuple(clashes)) for one in self._clashes]
        new = [one.rule for one, known in now if not any(one.same(other) for other in known)]
        if new:
            raise PluginError(name, "; ".join(new))

    def _built(self, name: str) -> Instance | None:
        """The object of a plugin, or what stands in for it; what is wrong is kept.

        Raises:
            PluginError: it is wrong, and faults are not left out.
        """
        self._faults.pop(name, None)
        instance, faults = self._builder.build(self._found[name], self._settings.get(name, {}))
        if faults and not self._lenient:
            raise PluginError(name, "; ".join(fault.rule for fault in faults))
        if instance is None:
            return next(iter(self._without(name, *faults)), None)
        if faults:
            self._faults[name] = faults
        return instance

    def _without(self, name: str, *faults: PluginFault) -> list[Instance]:
        """Nothing, or what stands in for a guard that is off.

        Raises:
            PluginError: faults are not left out.
        """
        if not self._lenient:
            raise PluginError(name, "; ".join(fault.rule for fault in faults))
        found = self._found.get(name)
        guards = self._builder.guards(name, found)
        self._faults[name] = tuple(PluginFault(name, one.rule, one.items, one.kind, guards=guards) for one in faults)
        instead = self._builder.stand_in(name, found, "; ".join(one.rule for one in faults))
        return [instead] if instead is not None else []

    def _dropped(self, instance: Instance, error: PluginError) -> list[Instance]:
        """What comes in the place of an object that turned out not to work."""
        name = instance.plugin
        if not self._lenient or name not in self._found:
            raise error
        instance.close()
        return self._without(name, self._builder.fault(self._found[name], self._settings.get(name, {}), error))

    def _assembled(self, instances: Sequence[Instance], *, keep: bool = False) -> Assembly:
        """The objects put together in configured order.

        Args:
            instances: the objects.
            keep: an object that cannot be put in is an error and not left out.

        Raises:
            PluginError: a registration is wrong, and faults are not left out.
        """
        current = sorted(instances, key=lambda one: self._order.get(one.plugin, -1))
        while True:
            clashes: list[PluginFault] = []
            try:
                made = assemble(tuple(current), self._guard, clashes.append if self._lenient else None)
            except PluginError as error:
                at = next((at for at, one in enumerate(current) if one.plugin == error.plugin), None)
                if at is None or keep:
                    raise
                current[at : at + 1] = self._dropped(current[at], error)
                continue
            self._clashes = tuple(map(self._placed, clashes))
            return made

    def _placed(self, fault: PluginFault) -> PluginFault:
        """The fault with the place of the setting, where that is known."""
        if fault.plugin not in self._found or fault.kind != "trigger":
            return fault
        place = self._builder.place(self._found[fault.plugin], self._settings.get(fault.plugin, {}), fault.items[0])
        return PluginFault(fault.plugin, f"{place}{fault.rule}", fault.items, fault.kind, whole=False)


def _start(instance: Instance, runtime: Runtime) -> None:
    try:
        instance.start(runtime)
    except Exception as error:
        raise PluginError(instance.plugin, f"it cannot start: {type(error).__name__}: {error}") from error
