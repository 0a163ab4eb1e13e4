"""Puts plugin objects together: hook implementations in configured order and the registries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import pluggy

from provd.plugin import validation
from provd.plugin.errors import PluginError
from provd.plugin.faults import Tell
from provd.plugin.guard import Endpoint, Guard
from provd.plugin.instance import Instance
from provd.plugin.registry import Registries, collect
from provd.plugin.specs import PROJECT, SPECS
from provd.plugin.verify import specifications

_CHECKS: Mapping[str, Callable[[object, tuple[object, ...]], object]] = {
    "provd_dhcp_gate": validation.gate,
    "provd_dhcp_labels": validation.labels,
    "provd_dhcp_subnet": validation.subnet,
    "provd_dhcp_options": validation.options,
    "provd_dhcp_reply": validation.reply,
    "provd_adopt": validation.adoption,
    "provd_boot_plan": validation.boot_plan,
    "provd_kernel_args": validation.kernel_args,
    "provd_file": validation.content,
    "provd_answer_vars": validation.answer_vars,
    "provd_change": validation.change,
    "provd_event": validation.nothing,
}


@dataclass(frozen=True, slots=True)
class Assembly:
    """All plugin objects with their hooks and registries; swapped as a whole.

    Attributes:
        instances: in configured order.
        hooks: request hook to its implementations, in configured order; empty where nobody implements it.
        registries: what was registered.
        impure: hooks with an implementation marked ``per_packet``.
        unshared: hooks with an implementation that looks at which machine it is, or does not say that it does not.
        concerns: hook to the options that its implementations are asked about, one set each; empty for all messages.
    """

    instances: tuple[Instance, ...]
    hooks: Mapping[str, tuple[tuple[Instance, Endpoint], ...]]
    registries: Registries
    impure: frozenset[str]
    unshared: frozenset[str]
    concerns: Mapping[str, tuple[frozenset[int], ...]]


def assemble(instances: tuple[Instance, ...], guard: Guard, tell: Tell | None = None) -> Assembly:
    """Register the objects with pluggy and ask for their registrations.

    Args:
        instances: in configured order.
        guard: isolates them.
        tell: as of ``collect``.

    Raises:
        PluginError: pluggy refuses an implementation, or a registration is wrong.
    """
    by_target = {id(instance.target): instance for instance in instances}
    manager = _manager(instances)
    hooks: dict[str, tuple[tuple[Instance, Endpoint], ...]] = {}
    impure, unshared = set(), set()
    concerns: dict[str, tuple[frozenset[int], ...]] = {}
    for hook, check in _CHECKS.items():
        # pluggy calls last-registered first and lists in the order of registration
        implementations = [one for one in getattr(manager.hook, hook).get_hookimpls() if _offered(one)]
        hooks[hook] = tuple(
            (
                by_target[id(one.plugin)],
                Endpoint(_with_all(hook, one.function), check, guard.row(one.plugin_name, hook)),
            )
            for one in reversed(implementations)
        )
        if any(getattr(one.function, "provd_per_packet", False) for one in implementations):
            impure.add(hook)
        if not all(_is_shared(one) for one in implementations):
            unshared.add(hook)
        concerns[hook] = tuple(getattr(one.function, "provd_only_with", frozenset()) for one in implementations)
    return Assembly(instances, hooks, collect(instances, guard, tell), frozenset(impure), frozenset(unshared), concerns)


def _offered(implementation: Any) -> bool:
    attribute = getattr(implementation.function, "provd_when", "")
    return not attribute or bool(getattr(implementation.plugin, attribute))


def _is_shared(implementation: Any) -> bool:
    attribute = getattr(implementation.function, "provd_shared", "")
    if getattr(implementation.function, "provd_per_packet", False) or not attribute:
        return False
    return attribute == "always" or bool(getattr(implementation.plugin, attribute))


def _manager(instances: Sequence[Instance]) -> pluggy.PluginManager:
    """A pluggy manager whose call order is the order of ``instances``."""
    manager = pluggy.PluginManager(PROJECT)
    for spec in SPECS:
        manager.add_hookspecs(spec)
    for instance in reversed(instances):
        try:
            manager.register(instance.target, name=instance.plugin)
        except (ValueError, pluggy.PluginValidationError) as error:
            raise PluginError(instance.plugin, str(error).replace("\n", " ")) from error
    manager.check_pending()
    return manager


def _with_all(hook: str, function: Callable[..., object]) -> Callable[..., object]:
    """The implementation, taking every argument of the specification though it declares only some."""
    every = list(signature(specifications()[hook]).parameters)[1:]
    wanted = list(signature(function).parameters)
    if wanted == every:
        return function
    places = [every.index(name) for name in wanted]
    return lambda *args: function(*(args[place] for place in places))
