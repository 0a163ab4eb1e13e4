"""Ansible's modules for Cobbler, from the packages as they are published, drive provd."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from provd.api.client import LocalClient
from tests.app.running_server import free_ports
from tests.cobbler.cobbler_server import CobblerServer

pytestmark = pytest.mark.netns

COLLECTION = "ansible_collections/community/general/"
NEEDED = (
    "MANIFEST.json",
    "meta/runtime.yml",
    "plugins/modules/cobbler_system.py",
    "plugins/modules/cobbler_sync.py",
    "plugins/inventory/cobbler.py",
    "plugins/module_utils/datetime.py",
    "plugins/plugin_utils/unsafe.py",
    "plugins/doc_fragments/attributes.py",
)
PASSWORD = "a long password"
MAC = "52:54:00:00:00:01"
SYSTEM = {
    "name": "web1",
    "properties": {"profile": "web", "hostname": "web1.example.org", "gateway": "127.0.0.9",
                   "name_servers": ["127.0.0.1"], "netboot_enabled": True},
    "interfaces": {"eth0": {"macaddress": MAC, "ipaddress": "127.0.9.9", "netmask": "255.0.0.0",
                            "dnsname": "web1.example.org", "static": True}},
}  # fmt: skip


class Ansible:
    """Ansible's commands, installed into a private folder.

    Args:
        folder: where.
        server: whom the modules talk to.
        certificate: of the server; the inventory speaks TLS always.
        tls_port: where it does.
    """

    def __init__(self, folder: Path, server: CobblerServer, certificate: Path, tls_port: int) -> None:
        self._folder, self.server = folder, server
        self._certificate, self.tls_port = certificate, tls_port
        pip = [sys.executable, "-m", "pip", "--quiet"]
        self._run([*pip, "install", "--target", str(folder / "core"), "ansible-core"], timeout=120)
        self._run([*pip, "download", "--no-deps", "--dest", str(folder), "ansible"], timeout=120)
        (wheel,) = folder.glob("ansible-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in NEEDED:
                archive.extract(COLLECTION + name, folder)
        wheel.unlink()

    def _run(self, command: list[str], environment: Mapping[str, str] | None = None, timeout: int = 40) -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment, check=False)
        assert done.returncode in {0, 2}, (command, done.stdout, done.stderr)
        return done.stdout

    def command(self, *words: str) -> str:
        """Output of a command of Ansible."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self._folder / "core"),
            "SSL_CERT_FILE": str(self._certificate),
            "HOME": str(self._folder),
            "ANSIBLE_HOME": str(self._folder / "home"),
            "ANSIBLE_COLLECTIONS_PATH": str(self._folder),
            "ANSIBLE_STDOUT_CALLBACK": "minimal",
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
            "ANSIBLE_DEPRECATION_WARNINGS": "0",
            "LC_ALL": "C.UTF-8",
        }
        program = self._folder / "core" / "bin" / words[0]
        return self._run([sys.executable, str(program), *words[1:]], environment)

    def module(self, name: str, arguments: Mapping[str, Any], *words: str) -> dict[str, Any]:
        """Result of one use of a module."""
        python = f"ansible_python_interpreter={sys.executable}"
        told = self.command(
            "ansible", "localhost", "-c", "local", "-e", python, "-m", f"community.general.{name}", *words,
            "-a", json.dumps(arguments),
        )  # fmt: skip
        result: dict[str, Any] = json.loads(told.partition("=>")[2])
        return result

    def inventory(self, name: str, *lines: str) -> dict[str, Any]:
        """What the inventory plugin finds over TLS."""
        file = self._folder / f"{name}.cobbler.yml"
        # ansible-core 2.19 gives the plugin no cache unless it is asked for, and the plugin fails without one.
        where = [
            "plugin: community.general.cobbler",
            f"url: https://127.0.0.1:{self.tls_port}/cobbler_api",
            "cache: true",
        ]
        file.write_text("\n".join([*where, *lines]) + "\n")
        text = self.command("ansible-inventory", "-i", str(file), "--list")
        found: dict[str, Any] = json.loads(text, object_hook=lambda one: one.get("__ansible_unsafe", one))
        return found

    def system(self, *words: str, **arguments: Any) -> dict[str, Any]:
        """Result of one use of the module for systems."""
        where = {
            "host": "127.0.0.1",
            "port": self.server.port,
            "use_ssl": False,
            "username": "ann",
            "password": PASSWORD,
        }
        return self.module("cobbler_system", {**where, **arguments}, *words)


def self_signed(folder: Path) -> Path:
    """A file with a key and a certificate for 127.0.0.1."""
    made = folder / "server.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"), "-days", "2"]
    subprocess.run([*command, *subject, *files], check=True, capture_output=True)
    made.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    return made


@pytest.fixture(scope="module")
def ansible(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ansible]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, (port,) = self_signed(folder), free_ports(1)
    settings = f'tls_certificate = "{certificate}"\ntls_addresses = ["127.0.0.1"]\ntls_port = {port}\n'
    server = CobblerServer(tmp_path_factory.mktemp("server"), settings)
    server.start()
    try:
        client = LocalClient(server.folder / "run" / "provd.sock")
        client.call("user.add", {"name": "ann", "password": PASSWORD, "role": "operate"})
        yield Ansible(tmp_path_factory.mktemp("ansible"), server, certificate, port)
    finally:
        assert server.stop() == 0


def test_a_system_is_made_once_changed_when_it_differs_and_removed(ansible: Ansible) -> None:
    made = ansible.system(**SYSTEM)
    assert made["changed"] is True, made
    system = made["system"]
    assert (system["profile"], system["hostname"], system["gateway"]) == ("web", "web1.example.org", "127.0.0.9")
    assert system["interfaces"]["eth0"]["mac_address"] == MAC
    again = ansible.system(**SYSTEM)
    assert again["changed"] is False, again
    properties = {**SYSTEM["properties"], "gateway": "127.0.0.8"}  # type: ignore[dict-item]
    before = ansible.system("--check", **{**SYSTEM, "properties": properties})
    assert before["changed"] is True
    assert ansible.server.proxy().get_system("web1")["gateway"] == "127.0.0.9", "a check changes nothing"
    assert ansible.system(**{**SYSTEM, "properties": properties})["changed"] is True
    assert ansible.server.proxy().get_system("web1")["gateway"] == "127.0.0.8"
    found = ansible.system(state="query", name="web1")
    assert (found["changed"], found["system"]["gateway"]) == (False, "127.0.0.8")
    assert [one["name"] for one in ansible.system(state="query")["systems"]] == ["web1"]
    gone = ansible.system(state="absent", name="web1")
    assert gone["changed"] is True, gone
    assert ansible.system(state="absent", name="web1")["changed"] is False


@pytest.mark.parametrize("login", [("user: ann", f"password: {PASSWORD}"), ()], ids=["as-ann", "anonymous"])
def test_the_inventory_has_hosts_groups_and_facts(ansible: Ansible, login: tuple[str, ...]) -> None:
    ansible.system(**SYSTEM)
    try:
        name = "ann" if login else "anonymous"
        found = ansible.inventory(name, *login, "want_facts: true", "group_by: [status]", "group: site")
        facts = found["_meta"]["hostvars"]["web1.example.org"]
        assert facts["cobbler_ipv4_address"] == "127.0.9.9"
        assert facts["cobbler"]["interfaces"]["eth0"]["mac_address"] == MAC
        for group in ("cobbler_web", "cobbler_production", "site"):
            assert found[group]["hosts"] == ["web1.example.org"]
        rendered = ansible.inventory(f"{name}-rendered", *login, "facts_level: as_rendered", "want_facts: true")
        facts = rendered["_meta"]["hostvars"]["web1.example.org"]["cobbler"]
        assert (facts["distro_name"], facts["kernel_options"]) == ("el9", "quiet console=ttyS0")
        assert "hunter2" not in str(rendered)
        assert ansible.inventory(f"{name}-without", *login, "exclude_profiles: [web]")["_meta"]["hostvars"] == {}
    finally:
        ansible.system(state="absent", name="web1")


def test_an_inventory_with_a_wrong_password_has_no_hosts(ansible: Ansible) -> None:
    assert ansible.inventory("wrong", "user: ann", "password: wrong")["_meta"]["hostvars"] == {}


def test_a_sync_is_reported(ansible: Ansible) -> None:
    where = {
        "host": "127.0.0.1",
        "port": ansible.server.port,
        "use_ssl": False,
        "username": "ann",
        "password": PASSWORD,
    }
    result = ansible.module("cobbler_sync", where)
    assert result["changed"] is True
    assert "failed" not in result
