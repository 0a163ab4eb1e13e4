"""What stops a start: every wrong plugin has its sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import Any

import msgspec
import pluggy
import pytest

from provd.model.dhcp import Allow, DhcpRequest, GateVerdict
from provd.plugin.api import (
    Authenticator,
    BootLoader,
    Callback,
    Daemon,
    Document,
    Event,
    Installer,
    InstallSource,
    Inventory,
    NotFound,
    Operation,
    Plugin,
    PowerDriver,
    Settings,
    Trigger,
    hookimpl,
)
from provd.plugin.errors import PluginError
from provd.plugin.verify import fits
from provd.testing.runtime import FakeRuntime
from tests.fakes.plugin_world import MadePlugin, NoSettings, host_of, made

_raw = pluggy.HookimplMarker("provd")


def plugin_with(name: str, method: Any, *, mark: Any = hookimpl) -> Callable[[], object]:
    """A factory of objects with one method; a copy, because marking writes on the function."""
    copied = FunctionType(method.__code__, method.__globals__, method.__name__, method.__defaults__, method.__closure__)
    copied.__annotations__ = method.__annotations__
    return type("Made", (), {name: mark(copied) if mark else copied})


async def _async_gate(self: Any, request: DhcpRequest) -> None: ...


async def _async_labels(self: Any, request: DhcpRequest) -> AsyncIterator[str]:
    yield "x"


def _star(self: Any, *args: Any) -> None: ...


def _default(self: Any, request: Any = None) -> None: ...


def _misspelt_argument(self: Any, reqest: Any) -> None: ...


def _one(self: Any, request: Any) -> None: ...


def _wrong_argument_type(self: Any, request: Event) -> GateVerdict | None: ...


def _wrong_return_type(self: Any, request: DhcpRequest) -> bool:
    return True


def _unreadable(self: Any, request: Unknown) -> None: ...  # type: ignore[name-defined] # noqa: F821


def _wrapper(self: Any, request: Any) -> Any:
    yield


GATE = "provd_dhcp_gate"
REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "misspelt hook": (
        plugin_with("provd_dhcp_gat", _one),
        "plugin bad: there is no hook provd_dhcp_gat; did you mean provd_dhcp_gate?",
    ),
    "hook of another name": (
        plugin_with("frobnicate", _one),
        "plugin bad: there is no hook frobnicate; the hooks are provd",
    ),
    "forgotten decorator": (plugin_with(GATE, _one, mark=None), f"plugin bad: {GATE} has no @hookimpl"),
    "coroutine function": (plugin_with(GATE, _async_gate), f"plugin bad: {GATE} is a coroutine function"),
    "async generator": (plugin_with("provd_dhcp_labels", _async_labels), "provd_dhcp_labels is a coroutine function"),
    "wrapper": (plugin_with(GATE, _wrapper, mark=_raw(wrapper=True)), f"plugin bad: {GATE} uses wrapper"),
    "old wrapper": (plugin_with(GATE, _wrapper, mark=_raw(hookwrapper=True)), f"{GATE} uses hookwrapper"),
    "tryfirst": (plugin_with(GATE, _one, mark=_raw(tryfirst=True)), f"{GATE} uses tryfirst; the configured order"),
    "trylast": (plugin_with(GATE, _one, mark=_raw(trylast=True)), f"{GATE} uses trylast"),
    "optional hook": (plugin_with(GATE, _one, mark=_raw(optionalhook=True)), f"{GATE} uses optionalhook"),
    "star arguments": (plugin_with(GATE, _star), f"{GATE}: argument args must be a plain one"),
    "default": (plugin_with(GATE, _default), f"{GATE}: argument request must be a plain one without a default"),
    "misspelt argument": (
        plugin_with(GATE, _misspelt_argument),
        f"plugin bad: {GATE} has no argument reqest; did you mean request? (its arguments: request)",
    ),
    "argument annotation": (
        plugin_with(GATE, _wrong_argument_type),
        f"plugin bad: {GATE}: argument request is annotated Event, it is DhcpRequest",
    ),
    "return annotation": (
        plugin_with(GATE, _wrong_return_type),
        f"plugin bad: {GATE} is annotated to return bool, expected",
    ),
    "unreadable annotation": (plugin_with(GATE, _unreadable), "its annotations cannot be read: name 'Unknown' is not"),
    "no hook at all": (object, "plugin bad: what its build returns implements no hook"),
    "build fails": (lambda: 1 / 0, "plugin bad: it cannot be built: ZeroDivisionError"),
    "property fails": (type("Bad", (), {"x": property(lambda self: 1 / 0)}), "reading its attribute x failed"),
    "registration fails": (
        plugin_with("provd_triggers", lambda self: 1 / 0),
        "plugin bad: provd_triggers: ZeroDivisionError",
    ),
    "registration of no list": (plugin_with("provd_triggers", lambda self: None), "it returned NoneType, expected an"),
    "registration of text": (plugin_with("provd_triggers", lambda self: "x"), "it returned str, expected an iterable"),
    "registration of another type": (
        plugin_with("provd_triggers", lambda self: [Event("x", 0.0)]),
        "plugin bad: provd_triggers: it returned a Event, expected Trigger",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_plugin_stops_the_start_with_a_sentence(case: str) -> None:
    build, sentence = REFUSED[case]
    with pytest.raises(PluginError) as caught:
        host_of(("bad", build))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_annotations_may_be_narrower_or_missing() -> None:
    def narrow(self: Any, request: object) -> Allow:
        return Allow()

    assert host_of(("narrow", plugin_with(GATE, narrow))).names == ("narrow",)
    assert host_of(("missing", plugin_with(GATE, lambda self, request: None))).names == ("missing",)


@pytest.mark.parametrize(
    ("narrow", "wide", "answer"),
    [
        (list[str], Iterable[str], True),
        (tuple[str, ...], Iterable[str], True),
        (tuple[str, str], Iterable[str] | None, True),
        (list[int], Iterable[str], False),
        (dict[str, int], Iterable[str], False),
        (str, Iterable[str], False),
        (None, int, False),
        (int | None, int | None, True),
        (int | str | None, int | None, False),
        (bool, int, True),
        (Any, int, True),
        (int, object, True),
    ],
)
def test_which_annotation_fits(narrow: object, wide: object, answer: bool) -> None:
    assert fits(narrow, wide) is answer


async def _load() -> Any: ...


class Arguments(msgspec.Struct):
    pass


TRIGGER = Trigger("t", ("x",), 1.0, lambda _event: _load())
LOADER = BootLoader("l", lambda _c, _p: None, dict, lambda _path: False, lambda _r, _p: NotFound("x"), lambda _plan: "")
SOURCE = InstallSource("s", ("http",), lambda _url, _plan: None)
INSTALLER = Installer("i", (), {"a.cfg": Document(lambda _answer: "")}, lambda _plan: ())
CALLBACK = Callback("c", 10, lambda _call: None)  # type: ignore[arg-type,return-value]
INVENTORY = Inventory("v", 60.0, _load)
AUTHENTICATOR = Authenticator("w", lambda _user, _password: _load())
POWER = PowerDriver("power", NoSettings, lambda _call: _load())
OPERATION = Operation("a.b", "Do.", "read", Arguments, lambda _arguments: None, "provd a b")
DAEMON = Daemon("w", "Serve.", ("/usr/bin/true",))
VALUES: list[tuple[str, Any, str]] = [
    ("provd_boot_loaders", replace(LOADER, name="a/b"), "its name must be"),
    ("provd_boot_loaders", replace(LOADER, select=None), "select cannot be called"),  # type: ignore[arg-type]
    ("provd_install_sources", replace(SOURCE, schemes="http"), "schemes is not a tuple"),  # type: ignore[arg-type]
    ("provd_install_sources", replace(SOURCE, schemes=()), "schemes is not a tuple of texts, or is empty"),
    ("provd_installers", replace(INSTALLER, documents={"../x": Document(str)}), "'../x' is not a plain file name"),
    ("provd_installers", replace(INSTALLER, templates=Path("/no/such")), "templates: /no/such is not a directory"),
    ("provd_triggers", replace(TRIGGER, on=()), "on names no kind of event"),
    ("provd_triggers", replace(TRIGGER, timeout_s=0), "timeout_s must be above 0"),
    ("provd_callbacks", replace(CALLBACK, max_bytes=0), "max_bytes must be above 0"),
    ("provd_inventories", replace(INVENTORY, refresh_s=0), "refresh_s must be above 0"),
    ("provd_authenticators", replace(AUTHENTICATOR, check=None), "check cannot be called"),  # type: ignore[arg-type]
    ("provd_daemons", replace(DAEMON, argv=("ganesha",)), "argv is not a tuple of texts that begins with an absolute"),
    ("provd_daemons", replace(DAEMON, configuration={"a/b": ""}), "configuration: 'a/b' is not a plain file name"),
    ("provd_daemons", replace(DAEMON, folders=("x",)), "folders: 'x' is not an absolute path"),
    ("provd_power_drivers", replace(POWER, settings=dict), "settings is not a msgspec.Struct type"),
    ("provd_power_drivers", replace(POWER, actions=("explode",)), "actions is not a tuple of some of status, on, off"),
    ("provd_power_drivers", replace(POWER, actions=()), "actions is not a tuple of some of status, on, off"),
    ("provd_power_drivers", replace(POWER, fault=None), "fault cannot be called"),  # type: ignore[arg-type]
    ("provd_install_sources", replace(SOURCE, probe=None), "probe cannot be called"),  # type: ignore[arg-type]
    ("provd_operations", replace(OPERATION, name="ab"), "its name must be"),
    ("provd_operations", replace(OPERATION, permission="root"), "permission is not read, operate or admin"),
    ("provd_operations", replace(OPERATION, arguments=dict), "arguments is not a msgspec.Struct type"),
    ("provd_operations", replace(OPERATION, example=""), "summary and example must not be empty"),
]


@pytest.mark.parametrize(("hook", "value", "sentence"), VALUES)
def test_a_wrong_registered_value_stops_the_start(hook: str, value: Any, sentence: str) -> None:
    with pytest.raises(PluginError) as caught:
        host_of(("bad", plugin_with(hook, lambda self: [value])))
    assert str(caught.value).startswith(f"plugin bad: {hook}: {type(value).__name__} {value.name!r}: ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("hook", "value"),
    [
        ("provd_boot_loaders", LOADER),
        ("provd_install_sources", SOURCE),
        ("provd_installers", INSTALLER),
        ("provd_triggers", TRIGGER),
        ("provd_callbacks", CALLBACK),
        ("provd_inventories", INVENTORY),
        ("provd_authenticators", AUTHENTICATOR),
        ("provd_daemons", DAEMON),
        ("provd_power_drivers", POWER),
        ("provd_operations", OPERATION),
    ],
)
def test_one_name_registered_twice_names_both_plugins(hook: str, value: Any) -> None:
    build = plugin_with(hook, lambda self: [value])
    assert host_of(("first", build)).names == ("first",)
    with pytest.raises(PluginError) as caught:
        host_of(("first", build), ("second", build))
    assert str(caught.value) == (f"plugin second: {hook}: the name {value.name} is already registered by plugin first")


def test_critical_plugin_must_be_enabled() -> None:
    with pytest.raises(PluginError, match="plugin gone: it is listed as critical, but it is not enabled"):
        host_of(critical=["gone"])


class Typed(Settings, frozen=True):
    port: int = 1
    names: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"prot": 1}, "plugin typed: plugins.typed: unknown key prot; did you mean port?"),
        ({"zzz": 1}, "plugin typed: plugins.typed: unknown key zzz; known are port, names"),
        ({"port": "x"}, "plugin typed: plugins.typed.port: Expected `int`, got `str`"),
        ({"names": ["a", 1]}, "plugin typed: plugins.typed.names[1]: Expected `str`, got `int`"),
    ],
)
def test_settings_errors_name_key_path_and_rule(table: dict[str, object], sentence: str) -> None:
    plugin = made("typed", lambda _settings: plugin_with(GATE, _one)(), Typed)
    with pytest.raises(PluginError) as caught:
        host_of(plugin, settings={"typed": table})
    assert str(caught.value) == sentence


def test_start_that_fails_names_the_plugin() -> None:
    class Fails:
        def start(self, runtime: object) -> None:
            raise OSError("no runtime for me")

        @hookimpl
        def provd_event(self, event: Event) -> None: ...

    host = host_of(("fails", Fails))
    with pytest.raises(PluginError, match="plugin fails: it cannot start: OSError: no runtime for me"):
        host.start(FakeRuntime())


def test_start_is_no_coroutine() -> None:
    class Waits:
        async def start(self, runtime: object) -> None: ...

        @hookimpl
        def provd_event(self, event: Event) -> None: ...

    host = host_of(("waits", Waits))
    with pytest.raises(PluginError, match="plugin waits: it cannot start: TypeError: start is a coroutine function"):
        host.start(FakeRuntime())


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "there is no PLUGIN = Plugin"),
        (Plugin("other", NoSettings, lambda _s: None), "PLUGIN.name is 'other'; a plugin is called like its file"),
        (Plugin("p", NoSettings, lambda _s: None, api=2), "written for plugin API 2, this provd supports 1 to 1"),
        (Plugin("p", NoSettings, lambda _s: None, api=0), "written for plugin API 0, this provd supports 1 to 1"),
        (Plugin("p", dict, lambda _s: None), "PLUGIN.settings is not a msgspec.Struct type"),
        (Plugin("p", Arguments, lambda _s: None), "PLUGIN.settings must be declared with forbid_unknown_fields"),
        (Plugin("p", NoSettings, None), "PLUGIN.build cannot be called"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_plugin_value_is_refused(value: Any, sentence: str) -> None:
    class FoundWrong(MadePlugin):
        def _import(self) -> object:
            return value

    with pytest.raises(PluginError, match=sentence.replace(".", r"\.")):
        host_of(FoundWrong(Plugin("p", NoSettings, lambda _s: None)))
