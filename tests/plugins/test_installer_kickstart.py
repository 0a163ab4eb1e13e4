from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.installer_kickstart import PLUGIN, kernel_args, lint
from provd.plugin.api import BootPlan, Installer, Location, LogSettings, Profile
from provd.testing.documents import documents
from provd.testing.samples import DISTRO, plan, profile
from tests.fakes.installers import installer_of

ADA = {"name": "ada", "gecos": "Ada L", "groups": ["adm"], "sudo": True, "ssh_keys": ["ssh-ed25519 AAAA a@b"]}
BOB = {"name": "bob", "password_hash": "$6$salt$hash"}
VERSIONS = ("6.10", "7.9", "8", "9", "10", "41")

ROCKY_9 = """\
# web1: rocky-9 by profile rocky-9-server
text
url --url=http://10.88.0.1:8080/mirror/rocky
lang en_US.UTF-8
keyboard --xlayouts=us
timezone Etc/UTC --utc
network --bootproto=dhcp --device=52:54:00:aa:bb:cc --hostname=web1 --activate
rootpw --lock
user --name=ada --gecos='Ada L' --groups=adm,wheel
user --name=bob --iscrypted --password=$6$salt$hash
firewall --enabled --ssh
selinux --enforcing
firstboot --disable
skipx
zerombr
%include /tmp/provd-disk.ks
clearpart --all --initlabel
autopart --type=plain --nohome
bootloader
reboot

%packages
@core
@standard
%end
"""


def installer() -> Installer:
    return installer_of(PLUGIN)


def rocky(version: str = "9", **answers: object) -> Profile:
    distro = replace(DISTRO, name=f"rocky-{version}", family="redhat", version=version, tree="mirror:rocky")
    return replace(profile(), name=f"rocky-{version}-server", distro=distro, answers=answers)


def machine(version: str = "9", location: Location | None = None, **answers: object) -> BootPlan:
    place = location or Location("http", "10.88.0.1", "/mirror/rocky", 8080)
    return plan(profile=rocky(version, **answers), location=place)


def kickstart(version: str = "9", **answers: object) -> str:
    made = machine(version)
    return documents(installer(), replace(made, profile=rocky(version, **answers)), **answers)["ks.cfg"]


def script(text: str, section: str) -> str:
    match = re.search(rf"^%{section}\b[^\n]*\n(.*?)^%end$", text, re.MULTILINE | re.DOTALL)
    assert match is not None
    return match[1]


def test_row25_kickstart_of_version_9() -> None:
    text = kickstart(users=[ADA, BOB], packages=["@standard"])
    assert text.startswith(ROCKY_9), text[: len(ROCKY_9)]


@pytest.mark.parametrize("version", ["6.10", "9"])
@pytest.mark.parametrize("line", ["%end", "  %end", "%include /etc/passwd", "%post", "%ksappend /x", "%s\\n"])
def test_a_line_of_a_command_that_kickstart_would_read_stays_the_shells(version: str, line: str) -> None:
    command = f"cat << 'X'\n{line}\n\t%%\nit's\nX\n"
    text = kickstart(version, users=[ADA], post_install=["true", command, "printf '\u2028%end'"])
    post = script(text, "post")
    assert post.rstrip().endswith("fi")
    assert [one for one in post.splitlines() if one.lstrip().startswith("%")] == []
    (at,) = re.findall(r"^    (bash -c 'cat .*?)^    bash -c", post, re.MULTILINE | re.DOTALL)
    said = subprocess.run(["/bin/bash", "-c", at], capture_output=True, text=True, check=True).stdout
    assert said == f"{line}\n\t%%\nit's\n"
    assert [one.text for one in lint({"ks.cfg": text}, rocky(version, users=[ADA]))] == []


def test_version_6_has_its_own_words() -> None:
    text = kickstart("6.10", users=[ADA], ntp="10.88.0.1")
    head = text.split("%pre", 1)[0].splitlines()
    for line in ("install", "keyboard us", "timezone --utc Etc/UTC", "bootloader --location=mbr", "autopart", "ntp"):
        assert line in head
    assert "%onerror" not in text


@pytest.mark.parametrize(
    ("version", "location", "tree"),
    [
        ("9", Location("http", "10.88.0.1", "/r", 8080), "inst.repo=http://10.88.0.1:8080/r"),
        ("9", Location("ftp", "10.88.0.9", "/r"), "inst.repo=ftp://10.88.0.9/r"),
        ("9", Location("nfs", "10.88.0.9", "/srv/r"), "inst.repo=nfs:10.88.0.9:/srv/r"),
        ("9", Location("nfs", "10.88.0.9", "/r", 0, "nfsvers=4,port=9"), "inst.repo=nfs:nfsvers=4,port=9:10.88.0.9:/r"),
        ("6.10", Location("http", "10.88.0.1", "/r", 8080), "method=http://10.88.0.1:8080/r"),
        ("6.10", Location("nfs", "10.88.0.9", "/srv/r"), "method=nfs:10.88.0.9:/srv/r"),
    ],
)
def test_row20_the_source_in_the_words_of_each_version(version: str, location: Location, tree: str) -> None:
    assert tree in kernel_args(machine(version, location))


def test_row24_kernel_arguments() -> None:
    assert kernel_args(machine("9")) == [
        "inst.ks=http://10.88.0.1:8080/answer/T/ks.cfg",
        "inst.repo=http://10.88.0.1:8080/mirror/rocky",
        "inst.lang=en_US.UTF-8",
        "inst.keymap=us",
        "ip=dhcp",
    ]
    assert kernel_args(machine("6.10")) == [
        "ks=http://10.88.0.1:8080/answer/T/ks.cfg",
        "ksdevice=bootif",
        "lang=en_US.UTF-8",
        "keymap=us",
        "method=http://10.88.0.1:8080/mirror/rocky",
    ]


def test_row35_an_answer_file_elsewhere_is_handed_on_untouched() -> None:
    url = "https://MIRROR/ks/a%20b.cfg?x=$y"
    assert kernel_args(machine("9", external=url))[0] == f"inst.ks={url}"
    assert kernel_args(machine("6.10", external=url))[0] == f"ks={url}"


@pytest.mark.parametrize("version", VERSIONS)
def test_row34_pykickstart_accepts_every_version(version: str) -> None:
    answers: dict[str, object] = {
        "users": [ADA, BOB],
        "ntp": "10.88.0.1",
        "repositories": [{"name": "App Stream", "url": "http://MIRROR/a"}],
        "installed_kernel_args": "console=ttyS0 quiet",
        "proxy": "http://10.88.0.1:3128",
    }
    text = kickstart(version, **answers)
    assert lint({"ks.cfg": text}, rocky(version, **answers)) == []


def test_without_its_judge_it_does_not_look_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.installer_kickstart.shutil.which", lambda _name, **_where: None)
    (finding,) = lint({"ks.cfg": kickstart("9", users=[BOB])}, rocky("9", users=[BOB]))
    assert (finding.level, finding.document) == ("warning", "ks.cfg")
    assert finding.text.startswith("not judged: ksvalidator is not installed")


def test_pykickstart_sees_what_is_wrong() -> None:
    text = kickstart("9", users=[BOB]).replace("rootpw --lock", "rootpw")
    findings = lint({"ks.cfg": text}, rocky("9", users=[BOB]))
    assert [finding.level for finding in findings] == ["error"]
    assert findings[0].text.startswith("ksvalidator for RHEL9: The following problem occurred on line 8")
    old_word = kickstart("9", users=[BOB]).replace("text\n", "authconfig --nonsense\n", 1)
    assert lint({"ks.cfg": old_word}, rocky("9", users=[BOB]))


def test_the_judge_leaves_no_copy_of_an_answer_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert lint({"ks.cfg": kickstart("9", users=[BOB])}, rocky("9", users=[BOB])) == []
    assert list(tmp_path.iterdir()) == []


def test_row34_lint_warns_where_nobody_can_log_in() -> None:
    (finding,) = lint({"ks.cfg": kickstart()}, rocky())
    assert finding.level == "warning"
    assert "nobody can log in" in finding.text


def test_other_sources_and_endings() -> None:
    nfs = documents(installer(), machine("9", Location("nfs", "10.88.0.9", "/srv/r")))["ks.cfg"]
    assert "nfs --server=10.88.0.9 --dir=/srv/r\n" in nfs
    place = Location("nfs", "10.88.0.9", "/srv/r", 0, "nfsvers=4")
    assert (
        "nfs --server=10.88.0.9 --dir=/srv/r --opts=nfsvers=4\n"
        in documents(installer(), machine("9", place))["ks.cfg"]
    )
    assert "\npoweroff\n" in kickstart(reboot="poweroff")
    assert "rootpw --iscrypted $6$a$b\n" in kickstart(root_password_hash="$6$a$b")
    assert "timezone Etc/UTC --utc --ntpservers=10.88.0.1\n" in kickstart("8", ntp="10.88.0.1")
    assert "timesource --ntp-server=10.88.0.1\n" in kickstart("9", ntp="10.88.0.1")


@pytest.mark.parametrize("version", ["6.10", "9"])
def test_bash_reads_every_script(version: str, tmp_path: Path) -> None:
    text = kickstart(
        version, users=[ADA, BOB], root_ssh_keys=["k 'x'"], post_install=["a 'b' \"c\" $d"], package_update=True
    )
    for section in ("pre", "post", *(("onerror",) if version == "9" else ())):
        file = tmp_path / section
        file.write_text(script(text, section))
        run = subprocess.run(["bash", "-n", file], capture_output=True, text=True, check=False)
        assert (run.returncode, run.stderr) == (0, ""), section


def test_row36_each_hook_calls_back_by_its_name() -> None:
    text = kickstart(post_install=["touch /root/named"])
    assert "provd_say started " in script(text, "pre")
    assert "provd_say failed " in script(text, "onerror")
    post = script(text, "post")
    assert post.index("touch /root/named") < post.index("provd_say finished ")
    assert "provd_post firstboot " in post
    assert "POST /callback/T/%s HTTP/1.0" in post


def test_a_failing_command_is_reported_and_the_install_not_finished(tmp_path: Path) -> None:
    post = script(kickstart(post_install=["exit 7", "touch never"]), "post")
    said = 'provd_say() { echo "$@"; }\nprovd_firstboot() { :; }\n'
    head, tail = post.rsplit("(provd_finish)", 1)
    file = tmp_path / "post.sh"
    file.write_text(f"{head}\n{said}(provd_finish){tail}")
    run = subprocess.run(["bash", file], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=10)
    assert run.returncode == 1
    assert run.stdout == "failed the end of the installation failed with status 7\n"
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [("", "sda"), ("/dev/sdb", "sdb"), ("name=sd*", "sda"), ("size>=200G", "sdb"), ("size<=1G", ""), ("odd", "")],
)
def test_choice_of_the_disk(tmp_path: Path, wanted: str, chosen: str) -> None:
    for name, sectors, removable in (("sda", 200_000_000, 0), ("sdb", 600_000_000, 0), ("sr0", 9_000_000, 1)):
        folder = tmp_path / "block" / name
        (folder / "device").mkdir(parents=True)
        for key, value in (("size", sectors), ("ro", 0), ("removable", removable)):
            (folder / key).write_text(f"{value}\n")
    pre = script(kickstart(disk=wanted), "pre").replace("/sys/block", f"{tmp_path}/block")
    functions = pre[pre.index("# provd_disk") : pre.index("disk=$(provd_disk)")]
    file = tmp_path / "pre.sh"
    file.write_text(f"{functions}\nprovd_disk\n")
    run = subprocess.run(["bash", file], capture_output=True, text=True, check=False, timeout=10)
    assert run.stdout.strip() == chosen, run.stderr


def test_ready_and_settings() -> None:
    ready = installer().ready
    assert ready(rocky()) == ""
    assert "has no install source" in ready(replace(rocky(), distro=replace(rocky().distro, tree="")))
    with pytest.raises(ValueError, match="log_every_s is 0"):
        LogSettings(log_every_s=0)


@pytest.mark.parametrize(
    ("version", "argument"), [("6.10", "syslog="), ("7.9", "inst.syslog="), ("41", "inst.syslog=")]
)
def test_anaconda_sends_its_log_lines(version: str, argument: str) -> None:
    """By TCP; the port is told always."""
    made = replace(machine(version), log_port=514)
    assert kernel_args(made)[-1] == f"{argument}10.88.0.1:514"
    assert "syslog" not in " ".join(kernel_args(machine(version)))


def test_a_rule_of_sudo_for_a_name_with_a_dot_is_in_a_file_that_sudo_reads() -> None:
    """sudoers(5): files whose name has a dot are left out of an included directory."""
    post = script(kickstart(users=[{"name": "ada.l", "sudo": True, "ssh_keys": ADA["ssh_keys"]}]), "post")
    assert "printf '%s ALL=(ALL) NOPASSWD:ALL\\n' ada.l > /etc/sudoers.d/90-provd-ada_l\n" in post
    assert "chmod 0440 /etc/sudoers.d/90-provd-ada_l\n" in post
