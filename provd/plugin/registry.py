"""The registries: what plugins registered, checked once, by unique name, in configured order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar, cast

from provd.model.content import NotFound
from provd.plugin.contract import Authenticator, BootLoader, Daemon, InstallSource, Inventory, Operation, Trigger
from provd.plugin.contract_install import CALLBACK_FAILED, Callback, CallbackResult, Installer
from provd.plugin.errors import PluginError
from provd.plugin.faults import PluginFault, Tell, raise_fault
from provd.plugin.guard import Endpoint, Guard, Missing
from provd.plugin.instance import Instance
from provd.plugin.power import PowerDriver
from provd.plugin.registered import fault_of
from provd.plugin.signatures import Signature
from provd.plugin.validation import boot_file, callback_result, content, location, of_type, sentences

R = TypeVar(
    "R", BootLoader, InstallSource, Installer, Trigger, Callback, Inventory, Authenticator, Daemon, PowerDriver,
    Operation, Signature,
)  # fmt: skip
Check = Callable[[object, tuple[object, ...]], object]


@dataclass(frozen=True, slots=True)
class Registries:
    """Everything that was registered, by name in configured order.

    ``owners`` names the plugin of each value, by registration hook and name.
    """

    boot_loaders: Mapping[str, BootLoader]
    install_sources: Mapping[str, InstallSource]
    installers: Mapping[str, Installer]
    triggers: Mapping[str, Trigger]
    callbacks: Mapping[str, Callback]
    inventories: Mapping[str, Inventory]
    authenticators: Mapping[str, Authenticator]
    daemons: Mapping[str, Daemon]
    power_drivers: Mapping[str, PowerDriver]
    operations: Mapping[str, Operation]
    signatures: Mapping[str, Signature]
    owners: Mapping[tuple[str, str], str]


def collect(instances: Sequence[Instance], guard: Guard, tell: Tell | None = None) -> Registries:
    """Ask every plugin object once.

    Args:
        instances: the plugin objects.
        guard: isolates what they register.
        tell: hears of values that are wrong or have a name that is taken, which are left out; None to raise instead.

    Raises:
        PluginError: a registration hook raises or returns something else; with no ``tell`` also what that would hear.
    """
    owners: dict[tuple[str, str], str] = {}
    gather = partial(_gather, instances, guard, owners, tell or raise_fault)
    return Registries(
        boot_loaders=gather("provd_boot_loaders", BootLoader),
        install_sources=gather("provd_install_sources", InstallSource),
        installers=gather("provd_installers", Installer),
        triggers=gather("provd_triggers", Trigger),
        callbacks=gather("provd_callbacks", Callback),
        inventories=gather("provd_inventories", Inventory),
        authenticators=gather("provd_authenticators", Authenticator),
        daemons=gather("provd_daemons", Daemon),
        power_drivers=gather("provd_power_drivers", PowerDriver),
        operations=gather("provd_operations", Operation),
        signatures=gather("provd_signatures", Signature),
        owners=MappingProxyType(owners),
    )


def _gather(
    instances: Sequence[Instance],
    guard: Guard,
    owners: dict[tuple[str, str], str],
    tell: Tell,
    hook: str,
    kind: type[R],
) -> Mapping[str, R]:
    found: dict[str, R] = {}
    for instance in instances:
        if hook not in instance.hooks:
            continue
        for value in _ask(instance, hook, kind):
            rule = ""
            if wrong := fault_of(value):
                rule = f"{hook}: {kind.__name__} {value.name!r}: {wrong}"
            elif value.name in found:
                rule = f"{hook}: the name {value.name} is already registered by plugin {owners[hook, value.name]}"
            if rule:
                tell(PluginFault(instance.plugin, rule, (str(value.name),), kind=_words_of(kind), whole=False))
                continue
            owners[hook, value.name] = instance.plugin
            found[value.name] = cast("R", _guarded(value, instance, guard))
    return MappingProxyType(found)


def _ask(instance: Instance, hook: str, kind: type[R]) -> list[R]:
    def fail(rule: str) -> PluginError:
        return PluginError(instance.plugin, f"{hook}: {rule}")

    try:
        returned: object = getattr(instance.target, hook)()
        values = _listed(returned)
    except Exception as error:
        raise fail(f"{type(error).__name__}: {error}") from error
    if values is None:
        raise fail(f"it returned {type(returned).__name__}, expected an iterable of {kind.__name__}")
    checked: list[R] = []
    for value in values:
        if not isinstance(value, kind):
            raise fail(f"it returned a {type(value).__name__}, expected {kind.__name__}")
        checked.append(value)
    return checked


def _words_of(kind: type) -> str:
    """``boot loader`` for BootLoader."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__).lower()


def _listed(returned: object) -> list[object] | None:
    if isinstance(returned, str | bytes | Mapping) or not isinstance(returned, Iterable):
        return None
    return list(returned)


def _guarded(value: object, instance: Instance, guard: Guard) -> object:
    """The value with its callables isolated and timed like hooks; coroutines keep the plugin object open."""

    def safe(name: str, function: Callable[..., object], check: Check, instead: object) -> Callable[..., Any]:
        row = guard.row(instance.plugin, f"{type(value).__name__}.{name}")
        endpoint = Endpoint(function, check, row)

        def call(*args: object) -> object:
            result = guard.call(endpoint, args)
            return instead if isinstance(result, Missing) else result

        return call

    match value:
        case BootLoader():
            broken = NotFound(f"plugin {instance.plugin} failed to make the configuration", status=500)
            return replace(
                value,
                select=safe("select", value.select, boot_file, None),
                files=safe("files", value.files, of_type(Mapping, "a mapping of path to file"), {}),
                is_config=safe("is_config", value.is_config, of_type(bool, "True or False"), instead=False),
                config=safe("config", value.config, _configuration, broken),
                local_boot=safe("local_boot", value.local_boot, of_type(str, "text"), ""),
                lacks=safe("lacks", value.lacks, of_type(str, "a file name, or empty"), ""),
            )
        case InstallSource():
            return replace(
                value,
                resolve=safe("resolve", value.resolve, location, None),
                probe=safe("probe", value.probe, of_type(str, "text"), "the plugin failed; the log has the error"),
            )
        case Callback():
            failed = CallbackResult(CALLBACK_FAILED, {"name": value.name}, reply="error\n")
            return replace(value, run=safe("run", value.run, callback_result, failed))
        case Trigger():
            unknown = ("its doubts cannot be told: the plugin failed; the log has the error",)
            doubts = safe("doubts", value.doubts, sentences, unknown)
            return replace(value, run=instance.in_use(value.run), doubts=doubts)
        case Inventory():
            return replace(value, load=instance.in_use(value.load))
        case PowerDriver():
            fault = safe("fault", value.fault, of_type(str, "text"), "the plugin failed; the log has the error")
            return replace(value, run=instance.in_use(value.run), fault=fault)
        case Authenticator():
            return replace(value, check=instance.in_use(value.check))
        case Operation():
            return replace(value, run=instance.maybe_in_use(value.run))
    return value


def _configuration(value: object, args: tuple[object, ...]) -> object:
    if value is None:
        return NotFound("the boot loader has no such configuration")
    return content(value, args)
