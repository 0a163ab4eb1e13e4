from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.installer_ignition import kernel_args, lint, ready
from tests.fakes.ignition_machine import (
    ADA,
    BOB,
    FIRST,
    changed,
    files,
    link,
    machine,
    made,
    of,
    texts,
)


def test_row24_kernel_arguments() -> None:
    assert kernel_args(machine()) == [
        "ip=dhcp",
        "rd.neednet=1",
        "coreos.live.rootfs_url=http://10.88.0.1:8080/tree/fcos/rootfs.img",
        "ignition.firstboot",
        "ignition.platform.id=metal",
        "ignition.config.url=http://10.88.0.1:8080/answer/T/live.ign",
    ]
    assert kernel_args(machine("flatcar")) == [
        "flatcar.first_boot=1",
        "ignition.config.url=http://10.88.0.1:8080/answer/T/live.ign",
    ]


def test_row25_answers_arrive_as_they_were_written() -> None:
    config = made(
        users=[ADA, BOB], root_password_hash="$6$r$h", keyboard="de", ntp="10.88.0.1", timezone="Europe/Berlin",
        proxy='http://u:p%40"@10.88.0.1:3128', installed_kernel_args="console=ttyS0 quiet",
        repositories=[{"name": "my own", "url": "http://MIRROR/x?a=b&c"}],
    )  # fmt: skip
    ada, bob, root = config["passwd"]["users"]
    assert ada == {"name": "ada", "gecos": ADA["gecos"], "groups": ["adm"], "sshAuthorizedKeys": ADA["ssh_keys"]}
    assert bob == {"name": "b.ob", "passwordHash": "$6$salt$hash", "shell": "/bin/sh"}
    assert root == {"name": "root", "passwordHash": "$6$r$h"}
    assert config["kernelArguments"] == {"shouldExist": ["console=ttyS0", "quiet"]}
    found = files(config)
    assert found["/etc/hostname"] == "web1\n"
    assert found["/etc/vconsole.conf"] == "KEYMAP=de\n"
    assert found["/etc/sudoers.d/90-provd-ada"] == "ada ALL=(ALL) NOPASSWD:ALL\n"
    assert found["/etc/sudoers.d/90-provd-b_ob"] == "b.ob ALL=(ALL) ALL\n"
    assert found["/etc/chrony.conf"].startswith("server 10.88.0.1 iburst\n")
    assert '"http_proxy=http://u:p%%40\\"@10.88.0.1:3128"' in found["/etc/systemd/system.conf.d/90-provd-proxy.conf"]
    assert "baseurl=http://MIRROR/x?a=b&c\n" in found["/etc/yum.repos.d/my-own.repo"]
    (zone,) = config["storage"]["links"]
    assert (zone["path"], zone["target"]) == ("/etc/localtime", "../usr/share/zoneinfo/Europe/Berlin")
    modes = {one["path"]: one.get("mode") for one in config["storage"]["files"]}
    assert (modes["/etc/sudoers.d/90-provd-ada"], modes["/etc/provd/firstboot.bash"]) == (0o440, 0o700)


def test_a_quoted_kernel_argument_is_one() -> None:
    config = made(installed_kernel_args='quiet dyndbg="file a.c +p" x=1')
    assert config["kernelArguments"] == {"shouldExist": ["quiet", 'dyndbg="file a.c +p"', "x=1"]}


def test_flatcar_keeps_time_its_own_way() -> None:
    found = files(made("flatcar", ntp="10.88.0.1"))
    assert found["/etc/systemd/timesyncd.conf.d/90-provd.conf"] == "[Time]\nNTP=10.88.0.1\n"
    assert "/etc/chrony.conf" not in found


@pytest.mark.parametrize(
    ("host", "file", "table"),
    [
        ("web1.lab.example", "web1.lab.example\n", "127.0.1.1 web1.lab.example web1\n"),
        ("x" * 63 + ".lab.example", "x" * 63 + "\n", f"127.0.1.1 {'x' * 63}.lab.example {'x' * 63}\n"),
    ],
)
def test_a_long_host_name_is_one_that_linux_can_hold(host: str, file: str, table: str) -> None:
    found = changed("coreos", hostname=host)
    assert (found["/etc/hostname"], found["/etc/hosts"]) == (file, table)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"links": [link("bond1", "bond", ["eth9"])]},
            "link bond1: 'eth9' is neither an interface nor a link of this system",
        ),
        (
            {"links": [link("a-very-long-bond", "bond", ["eth0"])]},
            "link a-very-long-bond: the name of an interface has at most 15 octets",
        ),
        ({"network": "manual"}, "answers.network is 'manual', must be one of dhcp, static"),
        ({"reboot": "halt"}, "answers.reboot is 'halt', must be one of reboot, poweroff"),
        ({"ignition": "x"}, "answers.ignition must be a table, not str"),
        ({"ignition": {"storage": {"files": {}}}}, "answers.ignition.storage.files must be a list"),
        ({"ignition": {"passwd": 3}}, "answers.ignition.passwd must be a table"),
    ],
)
def test_what_cannot_be_is_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        changed("coreos", interfaces=[FIRST], interface=FIRST, **values)


def test_the_sites_own_piece_of_ignition_is_merged() -> None:
    own = {
        "storage": {"filesystems": [{"device": "/dev/vdb", "format": "xfs", "path": "/var/data"}]},
        "systemd": {"units": [{"name": "docker.service", "enabled": True}]},
        "ignition": {"version": "3.4.0"},
    }
    config = made(ignition=own)
    assert config["ignition"] == {"version": "3.4.0"}
    assert config["storage"]["filesystems"] == own["storage"]["filesystems"]  # type: ignore[index]
    assert [one["name"] for one in config["systemd"]["units"]] == ["provd-firstboot.service", "docker.service"]
    twice = texts(ignition={"storage": {"files": [{"path": "/etc/hostname"}]}})
    assert [one.text for one in lint(twice, of("coreos", users=[ADA]))] == ["storage: /etc/hostname is there 2 times"]


@pytest.mark.parametrize("family", ["coreos", "flatcar"])
def test_row36_scripts_are_whole_and_report_by_name(family: str, tmp_path: Path) -> None:
    more: dict[str, object] = {"packages": ["vim"]} if family == "coreos" else {}
    both = texts(
        family,
        post_install=["echo 'a \"b\" $c' > /root/\u00fcnicode"],
        disk="size>=20G serial=ab'c",
        package_update=True,
        **more,
    )
    live = files(json.loads(both["live.ign"]))["/etc/provd/install.bash"]
    first = files(json.loads(both["config.ign"]))["/etc/provd/firstboot.bash"]
    for text, names in ((live, ("started", "failed", "finished")), (first, ("firstboot", "failed"))):
        assert all(f"provd_say {name} " in text for name in names)
        script = tmp_path / "script"
        script.write_text(text)
        run = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
        assert (run.returncode, run.stderr) == (0, "")
    assert "bash -c 'echo '\"'\"'a \"b\" $c'\"'\"' > /root/\u00fcnicode'" in first


FAKES = {
    "coreos-installer": 'echo "$0 $*" >> "$LOG"; cat /run/provd.ign 2> /dev/null; exit "$STATUS"',
    "flatcar-install": 'echo "$0 $*" >> "$LOG"; exit "$STATUS"',
    "curl": 'for last; do :; done; echo "curl $last" >> "$LOG"',
    "journalctl": "echo said",
    "systemctl": 'echo "systemctl $*" >> "$LOG"',
    "rpm-ostree": 'echo "rpm-ostree $*" >> "$LOG"; exit "$STATUS"',
}


def ran(tmp_path: Path, text: str, status: int = 0) -> tuple[int, list[str]]:
    """Run a script with programs that only tell how they were called; the disk of the machine is /dev/vda."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    (tmp_path / "run").mkdir(exist_ok=True)
    for name, body in FAKES.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    text = text.replace("disk=$(provd_disk)", "disk=$(provd_found)").replace("/run/", f"{tmp_path}/run/")
    script = tmp_path / "script"
    script.write_text('provd_found() { [ -z "$NO_DISK" ] && echo vda; }\nsleep() { command sleep 0.01; }\n' + text)
    log = tmp_path / "log"
    log.write_text("")
    env = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "LOG": str(log), "STATUS": str(status)}
    env |= {"NO_DISK": "1"} if status == 99 else {}
    done = subprocess.run(["bash", script], env=env, capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, log.read_text().replace(f"{tmp_path}/bin/", "").splitlines()


@pytest.mark.parametrize(
    ("family", "program"),
    [
        ("coreos", "coreos-installer install --offline --ignition-file RUN/provd.ign /dev/vda"),
        (
            "flatcar",
            "flatcar-install -d /dev/vda -b http://10.88.0.1:8080/mirror/flatcar/amd64-usr -V 4459.2.1 -i RUN/provd.ign",
        ),
    ],
)
def test_row36_the_live_system_installs_and_reports(tmp_path: Path, family: str, program: str) -> None:
    text = files(json.loads(texts(family)["live.ign"]))["/etc/provd/install.bash"]
    status, log = ran(tmp_path, text)
    base = "http://10.88.0.1:8080/callback/T"
    assert status == 0
    steps = [line for line in log if not line.endswith("/log")]
    assert steps == [
        f"curl {base}/started", f"curl {base}/progress", "curl http://10.88.0.1:8080/answer/T/config.ign",
        program.replace("RUN", f"{tmp_path}/run"), f"curl {base}/finished", "systemctl --no-block reboot",
    ]  # fmt: skip


@pytest.mark.parametrize("status", [7, 99])
def test_an_installer_that_fails_is_told_and_nothing_restarts(tmp_path: Path, status: int) -> None:
    text = files(json.loads(texts()["live.ign"]))["/etc/provd/install.bash"]
    code, log = ran(tmp_path, text, status)
    assert code == 1
    assert log[-1] == "curl http://10.88.0.1:8080/callback/T/failed"
    assert not any(line.startswith("systemctl") for line in log)


@pytest.mark.parametrize(("command", "report"), [("true", "firstboot"), ("false", "failed")])
def test_row36_the_first_boot_finishes_and_reports(tmp_path: Path, command: str, report: str) -> None:
    text = files(made(packages=["vim", "tmux"], post_install=[command, f"touch {tmp_path}/reached"]))
    code, log = ran(tmp_path, text["/etc/provd/firstboot.bash"])
    assert (code == 0) == (report == "firstboot") == (tmp_path / "reached").exists()
    assert log[0] == "rpm-ostree install --apply-live --allow-inactive --idempotent --assumeyes vim tmux"
    assert log[-1].endswith(f"/callback/T/{report}")


def test_row35_a_file_elsewhere_is_installed_untouched() -> None:
    text = files(json.loads(texts(external="http://MIRROR/a b.ign")["live.ign"]))["/etc/provd/install.bash"]
    assert "'http://MIRROR/a b.ign'" in text
    assert "config.ign" not in text


def test_flatcar_refuses_packages_in_one_sentence() -> None:
    said = "profile debian-12-server: flatcar-4459 has no packages, so answers.packages must be empty; use containers or sysexts"
    assert ready(of("flatcar", packages=["vim"])) == said
    with pytest.raises(ValueError, match=f"^{said}$"):
        texts("flatcar", packages=["vim"])
    assert ready(of("flatcar")) == ready(of("coreos", packages=["vim"])) == ""
    both = ready(of("flatcar", packages=["vim"], repositories=[{"name": "x", "url": "y"}]))
    assert "answers.packages and answers.repositories must be empty" in both


def test_a_group_of_packages_from_another_family_is_refused_in_one_sentence() -> None:
    said = (
        "profile debian-12-server: fedora-coreos-43 has packages only, and '@standard' in answers.packages is a group"
    )
    assert ready(of("coreos", packages=["vim", "@standard"])) == said
    with pytest.raises(ValueError, match=f"^{said}$"):
        texts(packages=["@standard"])


def test_ready_wants_a_root_file_system() -> None:
    assert "is not the URL of a live root file system (.img)" in ready(
        replace(of("coreos"), source="http://MIRROR/fcos")
    )
