"""What is left of root's rights, in provd and in what it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provd.app.privileges import PrivilegeError, drop, must_read, own

PROBE = """
import json, os, subprocess, sys
from provd.app.privileges import drop
kept = drop(sys.argv[1])
def status(text):
    rows = dict(line.split(":\\t", 1) for line in text.splitlines() if ":\\t" in line)
    return {key: int(rows[key].strip(), 16) for key in ("CapInh", "CapPrm", "CapEff", "CapAmb")}
child = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True, check=True).stdout
print(json.dumps({"uid": os.getuid(), "kept": sorted(kept), "own": status(open("/proc/self/status").read()),
                  "child": status(child)}))
"""
NEEDED = 1 << 10 | 1 << 13


def probe(user: str) -> dict[str, object]:
    """Drop privileges in a process of its own and look."""
    done = subprocess.run([sys.executable, "-c", PROBE, user], capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.netns  # only root has privileges to drop
@pytest.mark.parametrize("user", ["nobody", ""])
def test_two_capabilities_are_kept_and_a_child_has_none(user: str) -> None:
    found = probe(user)
    assert found["kept"] == [10, 13]
    assert (found["uid"] == 0) is (user == "")
    assert found["own"] == {"CapInh": 0, "CapPrm": NEEDED, "CapEff": NEEDED, "CapAmb": 0}
    assert found["child"] == {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapAmb": 0}


@pytest.mark.netns  # a plain user changes no user, whatever the configuration says
@pytest.mark.parametrize("function", [lambda user: own([Path("/")], user), drop], ids=["own", "drop"])
def test_an_unknown_user_is_one_sentence(function: Callable[[str], object]) -> None:
    def act() -> str:
        try:
            function("nosuchuser")
        except PrivilegeError as error:
            return str(error)
        return "accepted"

    assert in_child(act) == "user 'nosuchuser' of the configuration does not exist on this machine"


@pytest.mark.netns  # root reads everything, so it has to become somebody
def test_a_python_that_the_user_cannot_read_is_one_sentence(tmp_path: Path) -> None:
    closed = tmp_path / "home" / "lib"
    closed.mkdir(parents=True)
    closed.parent.chmod(0o700)

    def act() -> str:
        drop("nobody")
        must_read([Path("/usr")], "nobody")
        try:
            must_read([Path("/usr"), closed], "nobody")
        except PrivilegeError as error:
            return str(error)
        return "accepted"

    assert in_child(act).startswith(
        f"user 'nobody' of the configuration cannot read {closed}: provd and its Python must"
    )


def test_a_plain_user_goes_on_with_what_it_has() -> None:
    def act() -> str:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        return f"{sorted(drop('provd'))} {os.geteuid() != 0}"

    assert in_child(act) == "[] True"


def in_child(act: Callable[[], str]) -> str:
    """What ``act`` says in a forked process, so that this one keeps its rights."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, act().encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said
