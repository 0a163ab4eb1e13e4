"""A package of strangers, built as a wheel and installed beside provd's: nothing of provd is changed for it.

``tests/third_party/nimbus`` brings a distro family, a boot loader and a trigger. It is discovered, keeps the rules,
boots a simulated machine, and a virtual one.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provd.lab.firmware import Firmware
from provd.lab.network import PrivateNetwork
from provd.lab.quickboot import build_quickboot, parse_report
from tests.packaging.installed import ROOT, Environment, build_wheel
from tests.system.test_quickboot import MAC, NAME, SUBNET, boot
from tests.system.world import Site

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(400)]

NIMBUS = ROOT / "tests" / "third_party" / "nimbus"
BROUGHT = ("nimbus", "nimbus_chain", "nimbus_bell")
TABLES = {"nimbus_bell": "program = '/bin/true'\n"}
SIMULATED = """
    import sys
    from pathlib import Path
    from provd.testing.world import SAMPLE_FILES, World
    root = Path(sys.argv[1])
    kernel, initrd = root / "data/payload/sample/linux", root / "data/payload/sample/initrd"
    more = f'[plugins.nimbus]\\nkernel = "{kernel}"\\ninitrd = "{initrd}"\\n'
    more += '[plugins.nimbus_bell]\\nprogram = "/bin/true"\\n'
    enabled = ["client_classes", "relay", "nimbus_chain", "nimbus", "nimbus_bell", "source_http", "install_callbacks"]
    world = World(root, enabled=enabled, more=more, files=SAMPLE_FILES)
    world.add("web1", profile="nimbus-7-cloud")
    first = world.boot("bios")
    print(first.outcome, first.boot_file, first.installed.reported["finished"], sep="|")
    print(first.installed.documents["sky.conf"].splitlines()[1])
    print(world.boot("bios", seed=2).outcome)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = Environment.empty(tmp_path_factory.mktemp("strangers"))
    wheels = [build_wheel(source, tmp_path_factory.mktemp("wheel")) for source in (ROOT, NIMBUS)]
    made.install(*wheels, "pytest")
    return made


def test_it_keeps_the_rules_and_boots_a_simulated_machine(environment: Environment, tmp_path: Path) -> None:
    for name in BROUGHT:
        settings = tmp_path / "provd.toml"
        settings.write_text(f"[plugins.{name}]\n{TABLES.get(name, '')}")
        rows = json.loads(environment.provd("plugin", "check", name, "--settings", settings, "-o", "json"))
        assert [row for row in rows if not row["kept"]] == []
    told = environment.run(SIMULATED.replace("sys.argv[1]", repr(str(tmp_path / "world"))))
    assert told.splitlines() == ["installed|nimbus.ipxe|200", "sky=overcast", "local"]


def test_it_installs_a_virtual_machine(
    environment: Environment, site: Site, network: PrivateNetwork, tmp_path: Path
) -> None:
    files = build_quickboot(site.cache)
    bell, rung = tmp_path / "ring", tmp_path / "rung"
    bell.write_text(f'#!/bin/sh\necho "$1" >{rung}\necho rang for "$1"\n')
    bell.chmod(0o755)
    site.write(f"systems/{NAME}.toml", f'profile = "nimbus-7-cloud"\n[[interface]]\nmac = "{MAC}"\n')
    # pxelinux stands before the strangers' loader in the list of enabled plugins.
    site.write("profiles/nimbus-7-cloud.toml", 'distro = "nimbus-7"\nboot_loaders = ["nimbus_chain"]\n')
    tables = f'[plugins.nimbus]\nkernel = "{files.kernel}"\ninitrd = "{files.initrd}"\n'
    tables += f'[plugins.nimbus_bell]\nprogram = "{bell}"\n'
    lan, server = network.segment(), network.host("server")
    server.attach(lan, "eth0", "10.88.0.1/24")
    service = site.start(server, ("eth0",), SUBNET + tables, more=BROUGHT, python=environment.python)
    report = parse_report(boot(lan, tmp_path, Firmware.BIOS))
    assert report.end == "complete"
    session = service.boots(NAME)[0]
    assert (session["loader"], session["outcome"]) == ("nimbus_chain", "finished")
    assert report.posted
    shown = service.call("plugin.show", name="nimbus_bell")
    assert (shown["origin"], shown["version"]) == ("entry point provd-nimbus", "2.1.0")
    assert rung.read_text() == f"{NAME}\n"
    assert "trigger.finished" in [row["kind"] for row in service.events(NAME)]
