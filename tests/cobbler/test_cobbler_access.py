"""Who may read without logging in, and who may read the secret."""

from __future__ import annotations

import grp
import os
import stat
from pathlib import Path

import pytest

from provd.app.cobbler import write_secret
from provd.app.listeners import ListenError
from tests.faults.private_network import run_alone


@pytest.mark.netns
def test_reads_without_a_token_are_answered_to_the_networks_that_are_named() -> None:
    """And to no others; a write, or a login with the secret, to none of them. A reload changes the networks."""
    found = run_alone("tests.cobbler.foreign_peers", timeout_s=60)
    assert found["status"] == 0
    for name in ("named", "other_then"):
        told = found[name]
        assert told["version"] == 3.3
        assert told["profile"]["distro"] == "el9"
        assert told["profile"]["autoinstall_meta"] == {"role": "web", "secret_word": "***"}
    for name in ("other", "named_then"):
        told = found[name]
        assert "to this machine only" in told["version"]
        assert "to this machine only" in told["profile"]
    for name in ("named", "other", "named_then", "other_then"):
        assert "invalid token" in found[name]["handle"]
        assert "invalid token" in found[name]["edit"]
        assert "login failed" in found[name]["direct"]
    assert "hunter2" not in str(found)


def test_the_secret_can_be_read_by_its_group(tmp_path: Path) -> None:
    path, group = tmp_path / "web.ss", grp.getgrgid(os.getgid())
    write_secret(path, group.gr_name)
    told = path.stat()
    assert (stat.S_IMODE(told.st_mode), told.st_gid) == (0o640, group.gr_gid)


def test_the_secret_is_its_owners_without_a_group(tmp_path: Path) -> None:
    write_secret(tmp_path / "web.ss", "")
    assert stat.S_IMODE((tmp_path / "web.ss").stat().st_mode) == 0o600


def test_a_group_that_is_not_there_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match=r"cobbler\.secret_group: there is no group 'nosuch-group'"):
        write_secret(tmp_path / "web.ss", "nosuch-group")
    assert list(tmp_path.iterdir()) == []


def test_each_start_has_a_secret_of_its_own(tmp_path: Path) -> None:
    first = write_secret(tmp_path / "web.ss", "")
    second = write_secret(tmp_path / "web.ss", "")
    assert first.octets != second.octets
    assert (tmp_path / "web.ss").read_bytes() == second.octets
