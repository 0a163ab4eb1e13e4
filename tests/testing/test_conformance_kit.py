"""The kit: every shipped plugin keeps the rules, and a plugin that breaks one is told which and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provd.plugin.discovery import discover
from provd.shipped import shipped_dir
from provd.testing import examined
from provd.testing.conformance import found_at, rules

SHIPPED = [name for name, found in discover(shipped_dir("plugins"), []).items() if found.origin == "shipped"]

GOOD = '''"""A plugin that adds one kernel argument for every machine that is installed.

    [plugins.sample]
    argument = "quiet"
"""

from provd.plugin.api import (
    Action, BootFile, BootLoader, BootPlan, Callback, CallbackCall, CallbackResult, Content, DhcpRequest, Document,
    Event, FileRequest, Installer, InstallSource, Inventory, Location, NotFound, Operation, Plugin, Settings, Trigger,
    hookimpl,
)
from collections.abc import Iterable
import msgspec

SEEN = []


class Sample(Settings, frozen=True):
    argument: str = "quiet"


class Object:
    def __init__(self, settings: Sample) -> None:
        self.settings = settings

    @hookimpl
    def provd_kernel_args(self, plan: BootPlan) -> Iterable[str] | None:
        return [self.settings.argument]
#MORE


PLUGIN = Plugin(name="sample", settings=Sample, build=Object)
'''

#: What is replaced, by what, which rule tells, and a word of what it says.
BROKEN = {
    "no such name": ("import msgspec", "import nosuchlibrary", "loads", "nosuchlibrary"),
    "another name": ('name="sample"', 'name="other"', "loads", "other"),
    "no manual": ('"""A plugin that adds one kernel argument for every machine that is installed.', '"""Hm.', "has_a_manual", "docstring"),
    "no TOML": ("[plugins.sample]", "[plugins.else]", "has_a_manual", "[plugins.sample]"),
    "thawed": ("Sample(Settings, frozen=True)", "Sample(Settings, frozen=False)", "settings_fit", "frozen"),
    "manual lies": ('argument = "quiet"\n"""', 'argumant = "quiet"\n"""', "settings_fit", "argumant"),
    "misspelt": ("provd_kernel_args", "provd_kernel_arg", "hooks_fit", "provd_kernel_args"),
    "coroutine": ("def provd_kernel_args", "async def provd_kernel_args", "hooks_fit", "provd_kernel_args"),
    "inside of provd": ("import msgspec", "import msgspec\nfrom provd.store import memory", "imports_the_door_alone", "provd.store"),
    "sockets": ("import msgspec", "import msgspec\nimport socket", "imports_the_door_alone", "socket"),
    "module state": ("self.settings = settings", "self.settings = settings; self.seen = SEEN", "keeps_no_state_in_the_module", "seen"),
    "raises": ("return [self.settings.argument]", "return [plan.system.interfaces[3].name]", "survives_strange_requests", "provd_kernel_args"),
    "wrong value": ("return [self.settings.argument]", "return [3]", "survives_strange_requests", "provd_kernel_args"),
}  # fmt: skip

HOOKS = {
    "impure": ("answers_alike", "per_packet", """
    @hookimpl
    def provd_dhcp_labels(self, request: DhcpRequest) -> Iterable[str] | None:
        self.count = getattr(self, "count", 0) + 1
        return [f"label-{self.count}"]
"""),
    "leaves its directory": ("serves_no_secrets_to_strangers", "file_beneath", """
    @hookimpl
    def provd_file(self, request: FileRequest) -> Content | None:
        return Content.text("root:x:0:0") if request.path.endswith("etc/passwd") else None
"""),
    "loader without local boot": ("loaders_keep_their_contract", "local_boot is empty", """
    @hookimpl
    def provd_boot_loaders(self) -> Iterable[BootLoader]:
        return [BootLoader("l", lambda client, plan: None, dict, lambda path: False, lambda request, plan: NotFound("x"), lambda plan: "")]
"""),
    "loader takes everybody": ("loaders_keep_their_contract", "does not boot by network", """
    @hookimpl
    def provd_boot_loaders(self) -> Iterable[BootLoader]:
        return [BootLoader("l", lambda client, plan: BootFile("x"), dict, lambda path: False, lambda request, plan: NotFound("x"), lambda plan: "local")]
"""),
    "loader shows the token": ("loaders_keep_their_contract", "secret=True", """
    @hookimpl
    def provd_boot_loaders(self) -> Iterable[BootLoader]:
        def config(request, plan):
            return Content.text(plan.kernel if plan else "x")
        return [BootLoader("l", lambda client, plan: None, dict, lambda path: path == "boot.ipxe", config, lambda plan: "local")]
"""),
    "installer shows the hash": ("installers_keep_their_contract", "password hash", """
    @hookimpl
    def provd_installers(self) -> Iterable[Installer]:
        return [Installer("i", ("x",), {}, lambda plan: ["root=$6$abc"])]
"""),
    "installer that never is ready": ("installers_keep_their_contract", "one sentence", """
    @hookimpl
    def provd_installers(self) -> Iterable[Installer]:
        return [Installer("i", ("x",), {}, lambda plan: [], ready=lambda profile: "no")]
"""),
    "source that leaves its tree": ("sources_keep_their_contract", "leads out of its tree", """
    @hookimpl
    def provd_install_sources(self) -> Iterable[InstallSource]:
        return [InstallSource("s", ("s",), lambda url, plan: Location("http", "h", "/" + url[2:], 80))]
"""),
    "trigger on nothing": ("triggers_keep_their_contract", "install.finnished", """
    @hookimpl
    def provd_triggers(self) -> Iterable[Trigger]:
        async def run(event: Event) -> str:
            return ""
        return [Trigger("t", ("install.finnished",), 5.0, run)]
"""),
    "callback without a cap": ("callbacks_keep_their_contract", "max_bytes", """
    @hookimpl
    def provd_callbacks(self) -> Iterable[Callback]:
        return [Callback("c", 1 << 40, lambda call: CallbackResult("c.c"))]
"""),
    "callback that cannot read": ("callbacks_keep_their_contract", "JSON", """
    @hookimpl
    def provd_callbacks(self) -> Iterable[Callback]:
        def run(call: CallbackCall) -> CallbackResult:
            try:
                msgspec.json.decode(call.body)
            except msgspec.DecodeError as error:
                raise LookupError(f"no JSON: {error}") from error
            return CallbackResult("c.c")
        return [Callback("c", 100, run)]
"""),
    "operation without an example": ("operations_keep_their_contract", "provd a b", """
    @hookimpl
    def provd_operations(self) -> Iterable[Operation]:
        return [Operation("a.b", "Does it.", "read", Sample, lambda arguments: 1, "a b")]
"""),
    "inventory that is asked too often": ("inventories_keep_their_contract", "refresh_s", """
    @hookimpl
    def provd_inventories(self) -> Iterable[Inventory]:
        async def load():
            return []
        return [Inventory("i", 0.01, load)]
"""),
}  # fmt: skip


def told(folder: Path, text: str) -> dict[str, str]:
    """What the kit says of this plugin: rules that are not kept."""
    path = folder / "sample.py"
    path.write_text(text)
    return {one.rule: one.text for one in examined(str(path)) if not one.ok}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_plugin_keeps_every_rule(name: str, tmp_path: Path) -> None:
    table: dict[str, Any] | None = None
    if name == "trigger_webhook":
        secret = tmp_path / "secret"
        secret.write_text("key")
        secret.chmod(0o600)
        table = {"hooks": [{"name": "x", "url": "http://10.0.0.9/", "on": ["install.*"], "secret_file": str(secret)}]}
    if name == "auth_ldap":
        table = {"url": "ldaps://10.0.0.9", "base": "dc=example", "roles": {"read": ["*"]}}
    verdicts = examined(name, table)
    assert [f"{one.rule}: {one.text}" for one in verdicts if not one.ok] == []
    assert {one.rule for one in verdicts} == set(rules())


def test_a_good_plugin_is_told_nothing(tmp_path: Path) -> None:
    assert told(tmp_path, GOOD) == {}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_told_its_rule(case: str, tmp_path: Path) -> None:
    old, new, rule, word = BROKEN[case]
    assert old in GOOD
    said = told(tmp_path, GOOD.replace(old, new))
    assert list(said) == [rule]
    assert word in said[rule]


@pytest.mark.parametrize("case", HOOKS)
def test_a_broken_contribution_is_told_its_rule(case: str, tmp_path: Path) -> None:
    rule, word, code = HOOKS[case]
    said = told(tmp_path, GOOD.replace("#MORE", code))
    assert list(said) == [rule]
    assert word in said[rule]


def test_every_rule_is_broken_by_one_of_these() -> None:
    assert {rule for _, _, rule, _ in BROKEN.values()} | {rule for rule, _, _ in HOOKS.values()} == set(rules())


def test_a_manual_without_indentation_counts_too(tmp_path: Path) -> None:
    # Formatters take the indentation of a docstring in which everything is indented.
    text = GOOD.replace('    [plugins.sample]\n    argument = "quiet"', '[plugins.sample]\nargument = "quiet"')
    assert text != GOOD
    assert told(tmp_path, text) == {}
    assert list(told(tmp_path, text.replace("argument =", "argumant =", 1))) == ["settings_fit"]


def test_a_plugin_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="there is no plugin nope: a path, or one of"):
        found_at("nope")
    with pytest.raises(LookupError, match=r"has no __init__\.py"):
        found_at(str(tmp_path))
