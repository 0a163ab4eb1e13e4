from __future__ import annotations

import shutil
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.installer_preseed import PLUGIN, kernel_args, lint, ready
from provd.plugin.api import BootPlan, Installer, Location, LogSettings
from provd.plugin.templates import TemplateError
from provd.testing.documents import documents
from provd.testing.samples import DISTRO, plan, profile
from tests.fakes.fake_packages import script
from tests.fakes.installers import installer_of

DEBIAN = replace(DISTRO, tree="mirror:debian", vars={"suite": "bookworm"})
ADA = {"name": "ada", "gecos": "Ada L", "groups": ["adm"], "sudo": True, "ssh_keys": ["ssh-ed25519 AAAA a'b c"]}
BOB = {"name": "bob", "password_hash": "$6$salt$hash"}


def installer(**settings: int) -> Installer:
    return installer_of(PLUGIN, **settings)


def machine(**fields: object) -> BootPlan:
    return replace(plan(profile=profile(distro=DEBIAN)), **fields)  # type: ignore[arg-type]


def rendered(**answers: object) -> dict[str, str]:
    return documents(installer(), machine(), **answers)


def seed(text: str) -> dict[str, str]:
    """Question to ``type value`` of every line."""
    lines = [line.split(" ", 2) for line in text.splitlines() if line]
    return {question: rest for _owner, question, rest in lines}


def test_row24_kernel_arguments() -> None:
    assert kernel_args(machine()) == [
        "auto=true",
        "priority=critical",
        "url=http://10.88.0.1:8080/answer/T/preseed.cfg",
        "language=en",
        "country=US",
        "locale=en_US.UTF-8",
        "keymap=us",
        "interface=auto",
        "hostname=web1",
    ]


def test_domain_of_a_long_host_name() -> None:
    made = machine()
    assert made.system is not None
    args = kernel_args(replace(made, system=replace(made.system, hostname="web1.example.org")))
    assert args[-2:] == ["hostname=web1", "domain=example.org"]


def test_row20_mirror_of_the_location() -> None:
    answers = seed(rendered()["preseed.cfg"])
    assert answers["mirror/http/hostname"] == "string 10.88.0.1:8080"
    assert answers["mirror/http/directory"] == "string /mirror/debian"
    assert answers["mirror/suite"] == "string bookworm"
    ftp = documents(installer(), machine(location=Location("ftp", "10.88.0.9", "/debian")))["preseed.cfg"]
    assert seed(ftp)["mirror/protocol"] == "string ftp"
    assert seed(ftp)["mirror/ftp/hostname"] == "string 10.88.0.9"


def test_row33_hosts_differ_only_where_meant() -> None:
    one, other = machine(), machine(token="U")
    assert other.system is not None
    other = replace(other, system=replace(other.system, name="web2"))
    first, second = (documents(installer(), of)["preseed.cfg"].splitlines() for of in (one, other))
    differing = [line.split()[1] for line, twin in zip(first, second, strict=True) if line != twin]
    assert differing == ["netcfg/hostname", "preseed/early_command", "preseed/late_command"]


def test_root_is_locked_unless_told() -> None:
    assert seed(rendered()["preseed.cfg"])["passwd/root-password-crypted"] == "password !"
    told = seed(rendered(root_password_hash="$6$a$b")["preseed.cfg"])
    assert told["passwd/root-password-crypted"] == "password $6$a$b"


def test_sudo_is_installed_for_whom_it_is_wanted() -> None:
    assert seed(rendered(users=[ADA])["preseed.cfg"])["pkgsel/include"] == "string openssh-server sudo"
    assert seed(rendered(users=[BOB])["preseed.cfg"])["pkgsel/include"] == "string openssh-server"


def test_choices_of_a_profile() -> None:
    answers = seed(
        rendered(
            ntp="10.88.0.1",
            security_host="MIRROR",
            package_update=False,
            tasks=[],
            reboot="poweroff",
            installed_kernel_args="console=ttyS0",
        )["preseed.cfg"]
    )
    assert answers["clock-setup/ntp-server"] == "string 10.88.0.1"
    assert answers["apt-setup/security_host"] == "string MIRROR"
    assert answers["pkgsel/upgrade"] == "select none"
    assert answers["debian-installer/exit/poweroff"] == "boolean true"
    assert answers["debian-installer/add-kernel-opts"] == "string console=ttyS0"


def test_users_are_made_at_the_end() -> None:
    late = rendered(users=[ADA, BOB], root_ssh_keys=["ssh-rsa BBBB r"], post_install=["echo 'a b' > /root/x"])[
        "late.sh"
    ]
    assert "useradd --create-home --shell /bin/bash --comment 'Ada L' ada\n" in late
    assert "usermod --append --groups adm ada\n" in late
    assert """provd_keys ada /home/ada 'ssh-ed25519 AAAA a'"'"'b c'\n""" in late
    assert "printf '%s:%s\\n' bob '$6$salt$hash' | chroot /target chpasswd --encrypted\n" in late
    assert "provd_keys root /root 'ssh-rsa BBBB r'\n" in late
    assert """in-target sh -c 'echo '"'"'a b'"'"' > /root/x'\n""" in late


def test_row32_a_missing_variable_is_an_error() -> None:
    with pytest.raises(TemplateError, match=r"template late\.sh line \d+: .*'name'"):
        rendered(users=[{"gecos": "nobody"}])


@pytest.mark.parametrize("answers", [{}, {"users": [ADA, BOB], "post_install": ["a && 'b'"], "disk": "size>=10G"}])
def test_debconf_and_the_shell_accept_the_documents(answers: dict[str, object]) -> None:
    assert shutil.which("debconf-set-selections")
    made = rendered(**answers)
    assert lint(made, replace(profile(distro=DEBIAN), answers={"root_ssh_keys": ["k"]})) == []


def test_without_its_judges_it_does_not_look_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.installer_preseed.shutil.which", lambda name: None if name != "sh" else f"/bin/{name}")
    (finding,) = lint(rendered(), replace(profile(distro=DEBIAN), answers={"users": [BOB]}))
    assert (finding.level, finding.document) == ("warning", "preseed.cfg")
    assert finding.text.startswith("not judged: debconf-set-selections is not installed")


def test_lint_hands_on_what_they_say() -> None:
    broken = {"preseed.cfg": "d-i only-two\n", "late.sh": "if true; then\n"}
    findings = lint(broken, replace(profile(distro=DEBIAN), answers={"root_ssh_keys": ["k"]}))
    assert {finding.document for finding in findings} == {"preseed.cfg", "late.sh"}


def test_row34_lint_warns_where_nobody_can_log_in() -> None:
    (finding,) = lint(rendered(), profile(distro=DEBIAN))
    assert finding.level == "warning"
    assert "nobody can log in" in finding.text
    assert lint(rendered(), replace(profile(distro=DEBIAN), answers={"users": [BOB]})) == []


def test_ready_says_what_is_missing() -> None:
    assert ready(profile(distro=DEBIAN)) == ""
    assert "has no install source" in ready(profile(distro=replace(DEBIAN, tree="")))
    assert ready(replace(profile(distro=replace(DEBIAN, tree="")), source="http://MIRROR/debian")) == ""
    assert "vars.suite" in ready(profile(distro=replace(DEBIAN, vars={})))


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="log_every_s is 0"):
        LogSettings(log_every_s=0)
    assert "sleep 7\n" in documents(installer(log_every_s=7), machine())["report.sh"]


class _Posts(socketserver.BaseRequestHandler):
    """Keeps what was posted and answers like the callbacks of the service."""

    seen: list[bytes]

    def handle(self) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += self.request.recv(4096)
        head, body = request.split(b"\r\n\r\n", 1)
        length = int(head.lower().split(b"content-length:")[1].split()[0])
        while len(body) < length:
            body += self.request.recv(4096)
        self.seen.append(head.split(b"\r\n")[0] + b" " + body)
        self.request.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n")


@pytest.fixture
def posts() -> Iterator[tuple[int, list[bytes]]]:
    class Posts(_Posts):
        seen: list[bytes] = []  # noqa: RUF012  one list for each test

    with socketserver.TCPServer(("127.0.0.1", 0), Posts) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_address[1], Posts.seen
        server.shutdown()
        thread.join()


def run_in_installer(work: Path, port: int, command: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command after report.sh the way the installer does: busybox alone, its output in a pipe."""
    busybox = shutil.which("busybox")
    assert busybox, "the installer's shell and nc are busybox's"
    for name in ("sh", "nc", "wc", "cat", "head", "tail", "sed", "grep", "sleep"):
        (work / name).symlink_to(busybox)
    text = documents(installer(log_every_s=1), machine(server="127.0.0.1", http_port=port))["report.sh"]
    (work / "provd.sh").write_text(
        text.replace("/tmp/provd", f"{work}/provd").replace("/var/log", str(work)).replace("sleep 2", "sleep 0.2")
    )
    return subprocess.run(
        [busybox, "sh", "-c", f". {work}/provd.sh; {command}"],
        env={"PATH": str(work)},
        check=False,
        timeout=30,
        capture_output=True,
    )


def test_row36_reports_reach_the_server(posts: tuple[int, list[bytes]], tmp_path: Path) -> None:
    """The installer has neither curl nor a wget that posts: the script must do with nc."""
    port, seen = posts
    run = run_in_installer(tmp_path, port, "provd_say started 'Debian installer' && provd_say finished done")
    assert run.returncode == 0, run.stderr
    assert seen == [
        b"POST /callback/T/started HTTP/1.0 Debian installer\n",
        b"POST /callback/T/finished HTTP/1.0 done\n",
    ]


def test_the_installer_does_not_wait_for_the_log_upload(posts: tuple[int, list[bytes]], tmp_path: Path) -> None:
    """The installer waits until nobody holds the pipe of its early command; the upload goes on for minutes."""
    port, seen = posts
    (tmp_path / "syslog").write_text("main-menu[1]: INFO: Menu item 'pkgsel' selected\n")
    try:
        run = run_in_installer(tmp_path, port, "provd_start")
        assert run.returncode == 0
        assert not (tmp_path / "provd.stop").exists()
        deadline = time.monotonic() + 20
        while not any(post.startswith(b"POST /callback/T/progress") for post in seen):
            assert time.monotonic() < deadline, seen
            threading.Event().wait(0.05)
    finally:
        (tmp_path / "provd.stop").touch()
    assert seen[0] == b"POST /callback/T/started HTTP/1.0 Debian installer\n"
    assert b"POST /callback/T/log HTTP/1.0 main-menu[1]: INFO: Menu item 'pkgsel' selected\n" in seen
    assert b"POST /callback/T/progress HTTP/1.0 percent=60 text=pkgsel\n" in seen


def run_late(work: Path, port: int, **answers: object) -> tuple[int, list[str]]:
    """Run late.sh as the installer does, with an empty target; its status and what it ran in the target."""
    target = work / "target"
    for folder in ("etc/sudoers.d", "etc/systemd/system", "usr/local/sbin", "home/ada"):
        (target / folder).mkdir(parents=True)
    script(work / "in-target", f'echo "$*" >> {work}/ran\n')
    script(work / "chroot", f'shift; echo "$* < $(cat)" >> {work}/ran\n')
    for name in ("mkdir", "chmod", "touch"):
        (work / name).symlink_to(shutil.which("busybox") or "")
    (work / "syslog").write_text("x" * 30000)
    late = documents(installer(), machine(server="127.0.0.1", http_port=port), **answers)["late.sh"]
    (work / "late.sh").write_text(
        late.replace("/tmp/", f"{work}/").replace("/target", str(target)).replace("/var/log", str(work))
    )
    run = run_in_installer(work, port, f"sh {work}/late.sh")
    return run.returncode, (work / "ran").read_text().splitlines()


def test_the_end_of_an_installation(posts: tuple[int, list[bytes]], tmp_path: Path) -> None:
    port, seen = posts
    status, ran = run_late(tmp_path, port, users=[ADA, BOB], post_install=["echo 'a b'"])
    assert status == 0
    assert ran == [
        "useradd --create-home --shell /bin/bash --comment Ada L ada",
        "usermod --append --groups adm ada",
        "usermod --append --groups sudo ada",
        "chown -R ada: /home/ada/.ssh",
        "useradd --create-home --shell /bin/bash --comment  bob",
        "chpasswd --encrypted < bob:$6$salt$hash",
        "sh -c echo 'a b'",
        "systemctl enable provd-firstboot.service",
    ]
    target = tmp_path / "target"
    assert (target / "home/ada/.ssh/authorized_keys").read_text() == "ssh-ed25519 AAAA a'b c\n"
    assert (target / "home/ada/.ssh/authorized_keys").stat().st_mode & 0o777 == 0o600
    assert (target / "etc/sudoers.d/90-provd-ada").read_text() == "ada ALL=(ALL) NOPASSWD:ALL\n"
    assert "POST /callback/T/firstboot HTTP/1.0" in (target / "usr/local/sbin/provd-firstboot").read_text()
    assert [post.split()[1] for post in seen] == [b"/callback/T/log", b"/callback/T/finished"]
    assert len(seen[0]) == len(b"POST /callback/T/log HTTP/1.0 ") + 20000


def test_a_failing_end_is_reported_and_not_finished(posts: tuple[int, list[bytes]], tmp_path: Path) -> None:
    port, seen = posts
    assert run_late(tmp_path, port, users=[BOB])[0] == 0
    (tmp_path / "in-target").write_text("#!/bin/sh\nexit 3\n")
    seen.clear()
    busybox = shutil.which("busybox") or ""
    run = subprocess.run(
        [busybox, "sh", tmp_path / "late.sh"], env={"PATH": str(tmp_path)}, check=False, timeout=30, capture_output=True
    )
    assert run.returncode == 1
    assert seen[-1] == b"POST /callback/T/failed HTTP/1.0 late.sh ended with status 3\n"


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("", "/dev/sda"),
        ("/dev/sdb", "/dev/sdb"),
        ("name=sd*", "/dev/sda"),
        ("size>=200G", "/dev/sdb"),
        ("size>=50G size<=150G", "/dev/sda"),
        ("size>=9T", ""),
        ("nonsense", ""),
    ],
)
def test_choice_of_the_disk(tmp_path: Path, wanted: str, chosen: str) -> None:
    block = tmp_path / "block"
    for name, sectors in (("sda", 200_000_000), ("sdb", 600_000_000)):
        (block / name).mkdir(parents=True)
        (block / name / "size").write_text(f"{sectors}\n")
        (block / name / "removable").write_text("0\n")
    text = documents(installer(), machine(), disk=wanted)["report.sh"].replace("/sys/block", str(block))
    fakes = (
        'list-devices() { echo /dev/sda; echo /dev/sdb; }; readlink() { echo "$2"; };'
        ' provd_say() { echo "$2" >&2; }; debconf-set() { [ "$1" != partman-auto/disk ] || echo "$2"; }\n'
    )
    file = tmp_path / "disk.sh"
    file.write_text(f"{text}\n{fakes}provd_disk\n")
    run = subprocess.run(["bash", file], capture_output=True, text=True, check=False, timeout=10)
    assert run.stdout.strip() == chosen
    assert (run.returncode == 0) is bool(chosen), run.stderr


@pytest.mark.parametrize(
    ("port", "arguments"), [(0, []), (514, ["log_host=10.88.0.1"]), (5140, ["log_host=10.88.0.1", "log_port=5140"])]
)
def test_the_installers_syslogd_sends_its_lines(port: int, arguments: list[str]) -> None:
    args = kernel_args(replace(machine(), log_port=port))
    assert [one for one in args if one.startswith("log_")] == arguments


def test_a_rule_of_sudo_for_a_name_with_a_dot_is_in_a_file_that_sudo_reads() -> None:
    """sudoers(5): files whose name has a dot are left out of an included directory."""
    late = rendered(users=[{"name": "ada.l", "sudo": True}])["late.sh"]
    assert "printf '%s ALL=(ALL) NOPASSWD:ALL\\n' ada.l > /target/etc/sudoers.d/90-provd-ada_l\n" in late
    assert "chmod 0440 /target/etc/sudoers.d/90-provd-ada_l\n" in late
