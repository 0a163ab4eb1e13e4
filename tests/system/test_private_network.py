"""Private networks: nothing of the machine is touched, and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from provd.lab.errors import LabError
from provd.lab.network import PrivateNetwork, stale

pytestmark = pytest.mark.netns


def interfaces() -> str:
    return subprocess.run(["ip", "-o", "link", "show"], capture_output=True, text=True, check=True).stdout


def namespaces() -> set[str]:
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in listed.splitlines() if line.startswith(f"provdlab-{os.getpid()}-")}


def test_the_machines_own_interfaces_are_not_touched(tmp_path: Path) -> None:
    before = interfaces()
    with PrivateNetwork(tmp_path) as network:
        lan = network.segment()
        host = network.host("a")
        host.attach(lan, "eth0", "10.99.0.1/24")
        lan.tap()
        assert interfaces() == before
        assert len(namespaces()) == 2
    assert interfaces() == before
    assert namespaces() == set()


def test_hosts_of_a_segment_reach_each_other_and_no_one_else(tmp_path: Path) -> None:
    with PrivateNetwork(tmp_path) as network:
        one, other = network.segment(), network.segment()
        a, b, c = (network.host(name) for name in "abc")
        a.attach(one, "eth0", "10.99.0.1/24")
        b.attach(one, "eth0", "10.99.0.2/24")
        c.attach(other, "eth0", "10.99.0.3/24")
        web = b.start(
            "web", ["python3", "-m", "http.server", "80", "--bind", "10.99.0.2", "--directory", str(tmp_path)]
        )
        web.wait_for_text("", 5)
        command = ["curl", "-sS", "-m", "5", "--retry", "20", "--retry-connrefused", "--retry-delay", "1"]
        a.run([*command, "http://10.99.0.2/"])
        with pytest.raises(LabError, match="c: curl"):
            c.run(["curl", "-sS", "-m", "2", "http://10.99.0.2/"])


def test_a_failure_inside_still_cleans_up(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="a: false ended with code 1"), PrivateNetwork(tmp_path) as network:
        network.host("a").run(["false"])
    assert namespaces() == set()


def test_what_a_killed_process_left_behind_is_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = f"provdlab-{ended.pid}-1-switch"
    subprocess.run(["ip", "netns", "add", left], check=True)
    assert left in set(stale())
    with PrivateNetwork(tmp_path):
        assert left not in set(stale())
    assert not Path("/run/netns", left).exists()
