"""The files of shipped profiles, taken in by Ignition itself (Debian's package), which writes a system into a folder."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.installer_ignition import PLUGIN
from provd.config.catalogue import Catalogue
from provd.config.layers import Layer
from provd.lab.unpacked import Unpacked, fetch
from provd.plugin.api import Location
from provd.testing.documents import documents
from provd.testing.samples import plan
from tests.fakes.installers import installer_of

pytestmark = pytest.mark.netns

ROOT = Path(__file__).parents[2]
SHIPPED = {
    name: profile
    for name, profile in Catalogue.load([Layer("shipped", ROOT)]).profiles.items()
    if profile.distro.installer == "ignition"
}
ANSWERS: dict[str, object] = {
    "users": [
        {
            "name": "zoe",
            "gecos": 'Zoë O\'Neill "Z" #1',
            "groups": ["adm"],
            "sudo": True,
            "ssh_keys": ["ssh-rsa AA z@h"],
        },
        {"name": "bob", "password_hash": "$6$a.b/c$d", "shell": "/bin/sh"},
    ],
    "root_password_hash": "$6$salt$hash",
    "keyboard": "de",
    "timezone": "America/Argentina/Buenos_Aires",
    "proxy": 'http://u:50%"x@10.88.0.1:3128',
    "ntp": "10.88.0.1",
    "installed_kernel_args": "console=ttyS0,115200n8 quiet",
    "post_install": ["echo 'a \"b\" $c' > /root/ünïcode"],
}


@pytest.fixture(scope="module")
def ignition(cache: Path) -> Unpacked:
    return fetch("ignition", cache)


def written(name: str, folder: Path) -> dict[str, Path]:
    profile = replace(SHIPPED[name], answers={**SHIPPED[name].answers, **ANSWERS})
    installer = installer_of(PLUGIN)
    made = plan(profile=profile, location=Location("http", "10.88.0.1", "/x/rootfs.img", 8080))
    assert made.system is not None
    named = replace(made, system=replace(made.system, hostname="web1.lab.example"))
    texts = documents(installer, named, **profile.answers)
    for title, text in texts.items():
        (folder / title).write_text(text)
    return {title: folder / title for title in texts}


@pytest.mark.parametrize("name", SHIPPED)
def test_row34_ignition_validate_has_no_remark_on_shipped_profiles(
    ignition: Unpacked, tmp_path: Path, name: str
) -> None:
    for path in written(name, tmp_path).values():
        run = subprocess.run(ignition.argv("ignition-validate", str(path)), capture_output=True, text=True, check=False)
        assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """The files of a system that Ignition changes or reads, where its users may come too."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield system(tmp_path, Path(folder) / "root")


def system(folder: Path, root: Path) -> Path:
    for name in ("etc/selinux/targeted/contexts/files", "root", "home", "var"):
        (root / name).mkdir(parents=True)
    texts = {
        "passwd": "root:x:0:0:root:/root:/bin/bash\n",
        "group": "root:x:0:\nadm:x:4:\n",
        "shadow": "root:*:19000:0:99999:7:::\n",
        "login.defs": Path("/etc/login.defs").read_text(),
        "hosts": "127.0.0.1 localhost\n",
        "selinux/config": "SELINUX=enforcing\nSELINUXTYPE=targeted\n",
        "selinux/targeted/contexts/files/file_contexts": "",
    }
    for name, text in texts.items():
        (root / "etc" / name).write_text(text)
    # the host has no SELinux; what would label the files only has to be there
    (folder / "bin").mkdir()
    (folder / "bin/setfiles").write_text("#!/bin/sh\ncat > /dev/null\n")
    (folder / "bin/setfiles").chmod(0o755)
    return root


@pytest.mark.parametrize("name", ["fedora-coreos-43-server", "flatcar-4459-server"])
def test_row25_ignition_writes_what_the_answers_say(ignition: Unpacked, tmp_path: Path, root: Path, name: str) -> None:
    config = written(name, tmp_path)["config.ign"]
    state = [f"--config-cache={tmp_path}/cache", f"--state-file={tmp_path}/state", f"--neednet={tmp_path}/neednet"]
    env = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "IGNITION_CONFIG_FILE": str(config)}
    for stage in ("fetch", "files"):
        command = ignition.argv(
            "ignition", "--platform=file", f"--stage={stage}", f"--root={root}", "--log-to-stdout", *state
        )
        run = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
        assert run.returncode == 0, run.stdout[-2000:]
    etc = root / "etc"
    users = {line.split(":")[0]: line.split(":")[4:] for line in (etc / "passwd").read_text().splitlines()}
    assert users["zoe"] == ['Zoë O\'Neill "Z" #1', "/home/zoe", "/bin/bash"]
    assert users["bob"] == ["", "/home/bob", "/bin/sh"]
    hashes = {line.split(":")[0]: line.split(":")[1] for line in (etc / "shadow").read_text().splitlines()}
    assert (hashes["root"], hashes["bob"]) == ("$6$salt$hash", "$6$a.b/c$d")
    assert (root / "home/zoe/.ssh/authorized_keys.d/ignition").read_text() == "ssh-rsa AA z@h\n"
    assert (etc / "hostname").read_text() == "web1.lab.example\n"
    assert (etc / "hosts").read_text() == "127.0.0.1 localhost\n127.0.1.1 web1.lab.example web1\n"
    assert (etc / "localtime").readlink() == Path("../usr/share/zoneinfo/America/Argentina/Buenos_Aires")
    assert (etc / "sudoers.d/90-provd-zoe").stat().st_mode & 0o7777 == 0o440
    first = (etc / "provd/firstboot.bash").read_text()
    assert "ünïcode" in first
    assert subprocess.run(["bash", "-n"], input=first.encode(), check=False).returncode == 0
    assert "enable provd-firstboot.service" in (etc / "systemd/system-preset/20-ignition.preset").read_text()
    connection = (
        "NetworkManager/system-connections/eth0.nmconnection" if "coreos" in name else "systemd/network/10-eth0.network"
    )
    assert "52:54:00:" in (etc / connection).read_text()
    assert json.loads((etc / ".ignition-result.json").read_text())["userConfigProvided"] is True
