"""Cobbler's own command drives provd."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cobbler.cobbler_command import PACKAGES, CobblerCommand, install
from tests.cobbler.cobbler_server import CobblerServer

pytestmark = pytest.mark.netns


class Cobbler:
    """The command beside the server that it talks to."""

    def __init__(self, command: CobblerCommand, server: CobblerServer) -> None:
        self.command, self.server = command, server

    def __call__(self, line: str) -> str:
        """Output of a command line that works."""
        done = self.command(*line.split())
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        assert "exception on server" not in done.stdout
        return done.stdout

    def refused(self, line: str) -> str:
        """Output of one that does not."""
        done = self.command(*line.split())
        assert done.returncode != 0, (line, done.stdout)
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def cobbler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cobbler]:
    command = CobblerCommand(install(PACKAGES, tmp_path_factory.mktemp("packages")), tmp_path_factory.mktemp("root"))
    server = CobblerServer(tmp_path_factory.mktemp("server"), command.settings)
    server.start()
    command.use(server)
    try:
        yield Cobbler(command, server)
    finally:
        assert server.stop() == 0


def listed(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_it_says_the_version_it_is_made_for(cobbler: Cobbler) -> None:
    assert cobbler("version").startswith("Cobbler 3.3.10\n")


def test_a_distro_from_add_to_remove(cobbler: Cobbler) -> None:
    cobbler("distro add --name=f40 --kernel=/srv/vmlinuz --initrd=/srv/initrd.img --arch=x86_64 --breed=redhat")
    assert "f40" in listed(cobbler("distro list"))
    cobbler("distro edit --name=f40 --kernel-options=selinux=permissive --comment=fedora")
    report = cobbler("distro report --name=f40")
    assert "selinux" in report
    assert "fedora" in report
    cobbler("distro copy --name=f40 --newname=f41")
    cobbler("distro rename --name=f41 --newname=f42")
    assert listed(cobbler("distro find --name=f4*")) == ["f40", "f42"]
    assert listed(cobbler("distro find --comment=fedora")) == ["f40", "f42"]
    for name in ("f40", "f42"):
        cobbler(f"distro remove --name={name}")
    assert "f4" not in cobbler("distro list")


def test_a_profile_from_add_to_remove(cobbler: Cobbler) -> None:
    cobbler("profile add --name=base9 --distro=el9 --kernel-options=a=1")
    cobbler("profile add --name=child9 --parent=base9 --autoinstall-meta=colour=red")
    cobbler("profile edit --name=base9 --kernel-options=b=2 --in-place")
    report = cobbler("profile report --name=base9")
    assert "'a': '1'" in report
    assert "'b': '2'" in report
    assert "base9" in cobbler("profile report --name=child9")
    assert "colour: red" in cobbler("profile dumpvars --name=child9")
    cobbler("profile copy --name=child9 --newname=copy9")
    cobbler("profile rename --name=copy9 --newname=other9")
    assert listed(cobbler("profile find --parent=base9")) == ["child9", "other9"]
    assert "url --url=http://192.0.2.1/el9" in cobbler("profile get-autoinstall --name=child9")
    assert "exception on server" in cobbler.refused("profile remove --name=base9")
    cobbler("profile remove --name=base9 --recursive")
    assert not {"base9", "child9", "other9"} & set(listed(cobbler("profile list")))


def test_a_system_from_add_to_remove(cobbler: Cobbler) -> None:
    cobbler("system add --name=web1 --profile=web")
    cobbler(
        "system edit --name=web1 --interface=eth0 --mac-address=52:54:00:00:00:01 --ip-address=127.0.9.9 --static=1"
    )
    cobbler(
        "system edit --name=web1 --interface=eth0 --netmask=255.0.0.0 --hostname=web1.example.org --gateway=127.0.0.9"
    )
    report = cobbler("system report --name=web1")
    for word in ("52:54:00:00:00:01", "127.0.9.9", "255.0.0.0", "web1.example.org", "127.0.0.9"):
        assert word in report
    assert listed(cobbler("system find --mac-address=52:54:00:00:00:01")) == ["web1"]
    assert "--hostname=web1.example.org" in cobbler("system get-autoinstall --name=web1")
    cobbler("system copy --name=web1 --newname=web2 --interface=eth0 --mac-address=52:54:00:00:00:02")
    cobbler("system rename --name=web2 --newname=web3")
    assert listed(cobbler("system list")) == ["web1", "web3"]
    assert listed(cobbler("system find --profile=web")) == ["web1", "web3"]
    assert "mac_address_eth0: 52:54:00:00:00:02" in cobbler("system dumpvars --name=web3")
    cobbler("system edit --name=web3 --netboot-enabled=0")
    assert cobbler.server.proxy().get_system("web3")["netboot_enabled"] is False
    clash = cobbler.refused("system add --name=web4 --profile=web --mac-address=52:54:00:00:00:01 --interface=eth0")
    assert "already that of system web1" in clash
    for name in ("web1", "web3"):
        cobbler(f"system remove --name={name}")
    assert listed(cobbler("system list")) == []


def test_a_repo_from_add_to_remove(cobbler: Cobbler) -> None:
    cobbler("repo add --name=tools --mirror=http://192.0.2.1/tools --breed=yum --arch=x86_64 --keep-updated=0")
    cobbler("repo edit --name=tools --priority=7 --yumopts=gpgcheck=0 --comment=extras")
    report = cobbler("repo report --name=tools")
    for word in ("http://192.0.2.1/tools", "yum", "extras", "gpgcheck"):
        assert word in report
    cobbler("repo copy --name=tools --newname=more")
    cobbler("repo rename --name=more --newname=others")
    assert listed(cobbler("repo list")) == ["others", "tools"]
    assert listed(cobbler("repo find --comment=extras")) == ["others", "tools"]
    for name in ("others", "tools"):
        cobbler(f"repo remove --name={name}")
    assert listed(cobbler("repo list")) == []


def test_menus_and_images_from_add_to_remove(cobbler: Cobbler) -> None:
    cobbler("menu add --name=top --display-name=Top")
    cobbler("menu add --name=sub --parent=top")
    assert "Top" in cobbler("menu report --name=top")
    cobbler("image add --name=rescue --file=/srv/rescue.iso --image-type=iso --arch=x86_64")
    assert "/srv/rescue.iso" in cobbler("image report --name=rescue")
    cobbler("image copy --name=rescue --newname=other")
    assert listed(cobbler("image find --file=/srv/*")) == ["other", "rescue"]
    for name in ("rescue", "other"):
        cobbler(f"image remove --name={name}")
    cobbler("menu remove --name=sub")
    cobbler("menu remove --name=top")
    assert listed(cobbler("image list")) == []
    assert listed(cobbler("menu list")) == []


def test_tasks_are_followed_to_their_end(cobbler: Cobbler) -> None:
    assert "*** TASK COMPLETE ***" in cobbler("sync")
    assert "nothing to synchronise" in cobbler("sync --dhcp")
    assert "!!! TASK FAILED !!!" in cobbler.refused("import --path=/srv --name=x")
    # Profiles whose installer is not enabled here are told as well, so the task fails.
    assert "web: no errors" in cobbler.refused("validate-autoinstalls")


def test_everything_else_it_offers_says_something_sensible(cobbler: Cobbler) -> None:
    assert "distros:" in cobbler("list")
    assert "el9" in cobbler("report")
    assert "No configuration problems found" in cobbler("check")
    cobbler("system add --name=s --profile=web")
    assert "payload/el9/vmlinuz does not exist" in cobbler("check")
    cobbler("system remove --name=s")
    assert "state" in cobbler("status")
    assert "redhat:" in cobbler("signature report")
    assert "server" in cobbler("setting report --name=server")
    assert "exception on server" in cobbler.refused("repo autoadd")
