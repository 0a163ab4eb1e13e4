"""What a failing plugin must not turn into: another kernel, an install without its answers, a lost report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from provd.model.boot import Action, BootPlan
from provd.model.content import Content, NotFound
from provd.plugin.contract_install import Callback, CallbackCall, CallbackResult, Installer
from tests.fakes.boot_world import BootWorld, FakeHost

CONFIG = "fake.cfg/default"


@dataclass
class BrokenHost(FakeHost):
    """The fake host with an installer and callbacks that fail as told."""

    payload: Any = None
    arguments: Any = None

    @property
    def installers(self) -> Mapping[str, Installer]:
        made = super().installers["fake"]
        if self.payload is not None:
            made = replace(made, payload=self.payload)
        if self.arguments is not None:
            made = replace(made, kernel_args=self.arguments)
        return {"fake": made}

    @property
    def callbacks(self) -> Mapping[str, Callback]:
        def failed(_call: CallbackCall) -> CallbackResult:
            # What the plugin host gives where the plugin raised, or rests after repeated failure.
            return CallbackResult("callback.failed", {"name": "finished"}, reply="error\n")

        return {**super().callbacks, "finished": Callback("finished", 1024, failed)}


@pytest.fixture
def world(tmp_path: Path) -> BootWorld:
    made = BootWorld(tmp_path)
    made.host = BrokenHost(tmp_path)
    made.restart()
    return made


def broken(_plan: BootPlan) -> Any:
    raise RuntimeError("a defect of the plugin")


@pytest.mark.parametrize("payload", [broken, lambda _plan: "linux"], ids=["raises", "wrong-type"])
def test_an_installer_whose_payload_fails_boots_no_other_kernel(world: BootWorld, payload: Any) -> None:
    world.host.payload = payload  # type: ignore[attr-defined]
    boot = world.discover()
    assert boot.plan is not None
    assert (boot.plan.action, boot.plan.kernel) == (Action.HOLD, "")
    assert "fake" in boot.plan.reason


@pytest.mark.parametrize("arguments", [broken, lambda _plan: "url=x", lambda _plan: 5], ids=["raises", "text", "no"])
def test_an_installer_without_its_arguments_is_not_booted(world: BootWorld, arguments: Any) -> None:
    world.host.arguments = arguments  # type: ignore[attr-defined]
    world.discover()
    assert world.text(CONFIG).split()[0] == "hold"
    assert world.states.get("web1").attempts == 0


def test_a_report_that_its_plugin_could_not_take_is_an_error_for_the_installer(world: BootWorld) -> None:
    world.host.arguments = None  # type: ignore[attr-defined]
    world.discover()
    token = world.text(CONFIG).split("answer/")[1].split("/")[0]
    answer = world.post("finished", token=token)
    assert isinstance(answer, NotFound)
    assert answer.status == 503
    assert "callback.failed" in world.kinds()
    assert isinstance(world.post("progress", token=token), Content)
