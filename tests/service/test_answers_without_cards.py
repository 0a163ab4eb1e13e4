"""Answer files of a machine that boots with a card its system does not list: its network is written down all the same."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from provd.model.boot import Action, BootPlan
from provd.model.client import ClientFacts
from provd.model.mac import Mac
from provd.model.system import Interface, System
from provd.testing.world import MAC
from tests.fakes.simulated_server import PROFILES, SimulatedServer

CLOUD = (
    'family = "debian"\ninstaller = "image"\nkernel = "payload:debian-12/linux"\n'
    'initrd = ["payload:debian-12/initrd.gz"]\nimage = "debian-12"\n'
)


class WithImages(SimulatedServer):
    """Cloud images too."""

    enabled = (*SimulatedServer.enabled, "installer_image")


@pytest.fixture
def server(tmp_path: Path) -> WithImages:
    further = {
        "site/distros/cloud.toml": CLOUD,
        "site/profiles/cloud.toml": 'distro = "cloud"\n[answers]\nroot_password_hash = "$6$x"\n',
    }
    return WithImages(tmp_path, further=further)


def documents(server: WithImages, system: System, network: str) -> dict[str, str]:
    """Every document of the system's installer, for a machine that boots with :data:`MAC`."""
    profile = server.services.current.catalogue.resolve(system)
    profile = replace(profile, answers={**profile.answers, "network": network})
    client = ClientFacts(mac=MAC, uuid=system.uuid)
    facts = {"server": "10.88.0.1", "http_port": 80, "token": "TOKEN", "session": "0123456789ab"}
    plan = BootPlan(Action.INSTALL, "a test", client, system=system, profile=profile, **facts)  # type: ignore[arg-type]
    plan = replace(plan, location=server.services.contents.location(plan))
    answers = server.services.preview_answers()
    installer = answers.installer(plan)
    return {name: answers.render(plan, installer, name, document)[0] for name, document in installer.documents.items()}


@pytest.mark.parametrize("network", ["dhcp", "static"])
@pytest.mark.parametrize("profile", [*sorted(PROFILES), "cloud"])
def test_a_machine_without_a_card_has_the_network_of_one_with_it(
    server: WithImages, profile: str, network: str
) -> None:
    bare = System("one", profile, uuid="88880000-0000-4000-8000-525400880011")
    listed = replace(bare, interfaces=(Interface("", MAC),))
    assert documents(server, bare, network) == documents(server, listed, network)


@pytest.mark.parametrize("profile", [*sorted(PROFILES), "cloud"])
def test_a_machine_with_another_card_has_both(server: WithImages, profile: str) -> None:
    old = Interface("eth0", Mac.parse("52:54:00:88:00:99"), IPv4Address("10.88.0.20"))
    system = System("one", profile, (old,), uuid="88880000-0000-4000-8000-525400880011")
    both = replace(system, interfaces=(old, Interface("", MAC)))
    assert documents(server, system, "static") == documents(server, both, "static")
