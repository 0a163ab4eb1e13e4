from __future__ import annotations

import json
import re
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from plugins.installer_image import PLUGIN, ImageInstaller, ImageSettings, image_of, kernel_args, lint
from provd.model.system import Link
from provd.plugin.api import BootPlan, Content, FileBody, FileRequest, Installer, Interface, Mac, NotFound, Profile
from provd.testing.documents import documents
from provd.testing.samples import DISTRO, plan, profile

ADA = {"name": "ada", "gecos": "Ada L", "groups": ["adm"], "sudo": True, "ssh_keys": ["ssh-ed25519 AAAA a@b"]}
BOB = {"name": "bob", "sudo": True, "password_hash": "$6$salt$hash"}
MANIFEST = "provd-image 1\n"


def built(data: Path = Path("/nowhere")) -> ImageInstaller:
    made = PLUGIN.build(ImageSettings(data_dir=str(data)))
    assert isinstance(made, ImageInstaller)
    return made


def installer(data: Path = Path("/nowhere")) -> Installer:
    (only,) = built(data).provd_installers()
    return only


def cloud(**answers: object) -> Profile:
    return replace(profile(), distro=replace(DISTRO, image="debian-12", installer="image"), answers=answers)


def machine(**answers: object) -> BootPlan:
    return plan(profile=cloud(**answers))


def rendered(**answers: object) -> dict[str, str]:
    return documents(installer(), machine(**answers), **answers)


def lines_of(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def value_of(text: str, key: str) -> object:
    """A top-level value of our user-data; the template writes every one as JSON on its own line."""
    match = re.search(rf"^{key}: (.*)$", text, re.MULTILINE)
    assert match is not None, text
    return json.loads(match[1])


def test_deploy_conf_says_where_everything_is() -> None:
    made = machine(disk="size>=100G")
    conf = lines_of(rendered(disk="size>=100G")["deploy.conf"])
    assert conf == {
        "IMAGE_URL": made.url("image/debian-12"),
        "TARGET_DISK": "size>=100G",
        "SEED_URL_META": made.answer_url("meta-data"),
        "SEED_URL_USER": made.answer_url("user-data"),
        "SEED_URL_NETWORK": made.answer_url("network-config"),
        "CALLBACK_URL": made.callback_url(),
        "REBOOT": "yes",
        "VERIFY": "",
        "ON_FAILURE": "reboot",
        "FAILURE_WAIT_S": "300",
    }


def test_a_profile_may_choose_another_image() -> None:
    assert lines_of(rendered(image="rocky-9")["deploy.conf"])["IMAGE_URL"].endswith("/image/rocky-9")
    assert image_of(cloud()) == "debian-12"


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"disk": "name=sda\nIMAGE_URL=http://elsewhere"}, "target_disk: a value must be one line"),
        ({"reboot": "maybe"}, "answers.reboot is 'maybe', must be one of reboot, poweroff"),
        ({"on_failure": "explode"}, "answers.on_failure is 'explode', must be one of reboot, poweroff, wait"),
        ({"image": "../secret"}, "image '../secret' is not a name"),
    ],
)
def test_bad_answers_are_refused(answers: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        rendered(**answers)


def test_meta_data_names_this_install() -> None:
    text = rendered()["meta-data"]
    assert text == f'instance-id: "web1-{machine().session}"\nlocal-hostname: "web1"\n'


def test_user_data_makes_users() -> None:
    text = rendered(users=[ADA, BOB], root_ssh_keys=["ssh-ed25519 ROOT r@b"])["user-data"]
    assert text.startswith("#cloud-config\n")
    assert value_of(text, "hostname") == "web1"
    assert value_of(text, "disable_root") is False
    assert value_of(text, "ssh_pwauth") is True
    ada, bob, root = re.split(r"^  - name: ", text, flags=re.MULTILINE)[1:]
    assert 'sudo: "ALL=(ALL) NOPASSWD:ALL"' in ada
    assert 'ssh_authorized_keys: ["ssh-ed25519 AAAA a@b"]' in ada
    assert "lock_passwd: true" in ada
    assert 'sudo: "ALL=(ALL) ALL"' in bob
    assert 'passwd: "$6$salt$hash"' in bob
    assert root.startswith("root\n")


def test_user_data_quotes_what_people_write() -> None:
    text = rendered(post_install=["echo \"a: b\" # 'c'\nreboot"], packages=["vim"])["user-data"]
    assert r"""  - [sh, -c, "echo \"a: b\" # 'c'\nreboot"]""" in text
    assert value_of(text, "packages") == ["vim"]
    assert "package_update" not in text


def test_row36_first_boot_is_reported() -> None:
    assert f'url: "{machine().callback_url()}/firstboot"' in rendered()["user-data"]


def test_network_by_dhcp_keeps_the_address() -> None:
    text = rendered()["network-config"]
    assert f'match: {{macaddress: "{machine().client.mac}"}}' in text
    assert "dhcp-identifier: mac" in text


def test_network_may_be_written_down() -> None:
    text = rendered(network="static")["network-config"]
    assert 'addresses: ["10.88.0.133/24"]' in text
    assert 'routes: [{to: "0.0.0.0/0", via: "10.88.0.1"}]' in text
    assert "dhcp4: true" not in text


def networked(*links: Link, **answers: object) -> str:
    """The network of a machine with two cards and these links."""
    made = machine(**answers)
    assert made.system is not None
    cards = (*made.system.interfaces, Interface("eth1", Mac.parse("52:54:00:aa:bb:dd")))
    named = replace(made, system=replace(made.system, interfaces=cards, links=links))
    return documents(installer(), named, **answers)["network-config"]


def test_bonds_bridges_and_vlans_are_written_over_the_cards() -> None:
    options = {"mode": "active-backup", "primary": "eth1"}
    text = networked(
        Link("br0", "bridge", ("bond0.7",)),
        Link("bond0.7", "vlan", ("bond0",), 7),
        Link("bond0", "bond", ("eth0", "eth1"), options=options, address=IPv4Address("10.88.0.9")),
    )
    head, tables = text.split("bonds:\n")
    assert head.count("dhcp4: false") == 2
    assert "dhcp4: true" not in head
    rows = dict(line.strip().split(": ", 1) for line in tables.splitlines() if line.startswith(" "))
    assert [line for line in tables.splitlines() if not line.startswith(" ")] == ["bridges:", "vlans:"]
    assert json.loads(rows['"bond0"']) == {
        "interfaces": ["nic0", "nic1"],
        "parameters": {"mode": "active-backup", "primary": "nic1", "mii-monitor-interval": 100},
        "dhcp4": False,
        "addresses": ["10.88.0.9/24"],
        "routes": [{"to": "0.0.0.0/0", "via": "10.88.0.1"}],
        "nameservers": {"addresses": ["10.88.0.1"]},
    }
    assert json.loads(rows['"bond0.7"']) == {"id": 7, "link": "bond0", "dhcp4": False}
    assert json.loads(rows['"br0"']) == {"interfaces": ["bond0.7"], "dhcp4": True}


def test_a_network_that_cannot_be_written_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"^link b: 'eth7' is neither an interface nor a link of this system$"):
        networked(Link("b", "bond", ("eth7",)))
    with pytest.raises(ValueError, match=r"^answers\.network is 'bootp', must be one of dhcp, static$"):
        networked(network="bootp")


def test_row24_kernel_arguments_keep_the_token_off_the_consoles() -> None:
    made = machine()
    args = kernel_args(made)
    assert args == [
        f"provd.answer={made.answer_url('deploy.conf')}",
        f"provd.mac={made.client.mac}",
        "panic=60",
        "quiet",
    ]


def test_images_are_served_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "image/debian-12").mkdir(parents=True)
    (tmp_path / "image/.build-x").mkdir()
    (tmp_path / "image/debian-12/manifest").write_text(MANIFEST)
    (tmp_path / "image/.build-x/manifest").write_text(MANIFEST)
    plugin = built(tmp_path)
    found = plugin.provd_file(request("image/debian-12/manifest"))
    assert isinstance(found, Content)
    assert found.body == FileBody(tmp_path / "image/debian-12/manifest", beneath=tmp_path / "image")
    assert plugin.provd_file(request("image/.build-x/manifest")) == NotFound(
        "an image that is being made is not served"
    )
    assert isinstance(plugin.provd_file(request("image/debian-12/nothing")), NotFound)
    assert plugin.provd_file(request("tree/x")) is None
    posted = plugin.provd_file(replace(request("image/debian-12/manifest"), method="POST"))
    assert posted == NotFound("images can only be read", status=405)


def request(path: str) -> FileRequest:
    return FileRequest(protocol="http", path=path, peer="10.88.0.133", local="10.88.0.1")


def test_ready_says_what_is_missing(tmp_path: Path) -> None:
    plugin = built(tmp_path)
    assert plugin.ready(replace(cloud(), distro=replace(DISTRO, image=""))).startswith(
        "profile debian-12-server has no image"
    )
    assert plugin.ready(cloud(image="a/b")) == "profile debian-12-server: image 'a/b' is not a name"
    assert plugin.ready(cloud()).startswith("image debian-12 is not there: provd image build debian-12")
    (tmp_path / "image/debian-12").mkdir(parents=True)
    (tmp_path / "image/debian-12/manifest").write_text(MANIFEST)
    assert plugin.ready(cloud()) == "the deployer is not there: provd image deployer"
    (tmp_path / "payload/deployer").mkdir(parents=True)
    (tmp_path / "payload/deployer/version").write_text("6.1-1\n")
    assert plugin.ready(cloud()) == ""
    made = plugin.payload(machine())
    assert made is not None
    assert made.kernel == str(tmp_path / "payload/deployer/vmlinuz")


def test_lint_asks_for_a_way_in() -> None:
    texts = [finding.text for finding in lint(rendered(), cloud())]
    assert texts == [
        "profile debian-12-server: nobody can log in: no user has a password_hash or ssh_keys, and root is locked"
    ]
    assert not lint(rendered(users=[ADA]), cloud(users=[ADA]))
    (wrong,) = lint({"user-data": "hostname: web1\n"}, cloud(users=[ADA]))
    assert wrong.level == "error"


@pytest.mark.parametrize("name", ["1042", "0x10", "no", "null", "1e3", "2024-01-01"])
def test_a_host_name_that_looks_like_a_number_stays_a_text(name: str) -> None:
    """cloud-init takes a number for an address, and has no name then."""
    made = machine()
    assert made.system is not None
    text = documents(installer(), replace(made, system=replace(made.system, name=name)))["meta-data"]
    assert value_of(text, "local-hostname") == name
    assert value_of(text, "instance-id") == f"{name}-{made.session}"
