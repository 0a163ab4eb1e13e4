"""Completion as shells ask for it: names from a real socket, quickly, and silence where that fails."""

# mypy: disable-error-code="no-untyped-call, untyped-decorator"

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import maybeDeferred
from twisted.internet.threads import deferToThread

from provd.api.server import ApiSite, listen
from provd.cli.completion import PATIENCE_S, SHELLS
from provd.config.objects import ProfileFile
from tests.fakes.fake_api import Backend, FakeCatalogue

BIN = Path(sys.executable).parent


class WithFiles(FakeCatalogue):
    """A catalogue whose profile has a file, as far as a search looks at it."""

    @property
    def sources(self) -> Any:
        return SimpleNamespace(
            good=lambda folder: {"web": SimpleNamespace(value=ProfileFile())} if folder == "profiles" else {}
        )


async def served(path: Path, use: Callable[[], Any]) -> Any:
    from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

    backend = Backend()
    backend.catalogue = WithFiles()
    for number in range(3):
        cards = [{"mac": f"52:54:00:00:dd:{number:02x}"}]
        backend.call("system.add", {"name": f"db{number}", "interfaces": cards, "profile": "web"})
    port = listen(reactor, str(path), ApiSite(reactor, backend.table))  # type: ignore[arg-type]
    try:
        return await deferToThread(use)
    finally:
        await maybeDeferred(port.stopListening)


def environment(path: Path) -> dict[str, str]:
    return {**os.environ, "PROVD_SOCKET": str(path), "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(path.parent)}


def offered(path: Path, shell: str, line: str) -> tuple[list[str], str]:
    """Words that a shell gets for a line, and standard error."""
    words = line.split(" ")
    asked = {"_PROVD_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    if shell == "fish":
        asked["COMP_CWORD"] = words[-1]
    told = subprocess.run(
        ["provd"], env={**environment(path), **asked}, capture_output=True, text=True, timeout=20, check=False
    )
    lines = told.stdout.splitlines()
    if shell == "zsh":
        lines = lines[1::3]
    return [one if shell == "zsh" else one.partition(",")[2] for one in lines if one], told.stderr


@pytest_twisted.ensureDeferred
async def test_names_of_objects_come_from_the_service(tmp_path: Path) -> None:
    path = tmp_path / "s"

    def use() -> None:
        for shell in SHELLS:
            assert offered(path, shell, "provd system show db") == (["db0", "db1", "db2"], "")
        for line, names in {
            "provd system edit --name db1": ["db1"],
            "provd system edit web1 --profile w": ["web"],
            "provd system rename w": ["web1"],
            "provd system rename web1 d": [],
            "provd system find w": ["web1"],
            "provd system report web": ["web1"],
            "provd explain db2": ["db2"],
            "provd answer preview w": ["web1"],
            "provd trace we": ["web1"],
            "provd lease list --system db1": ["db1"],
            "provd fetch debian-12": ["debian-12", "debian-12-arm64"],
            "provd image build debian-12": ["debian-12", "debian-12-cloud"],
            "provd system show [": [],
            "provd sys": ["system"],
            "provd system remove --dry": ["--dry-run"],
            "provd system edit web1 --policy a": ["always"],
            f"provd --socket {path} system show db0": ["db0"],
        }.items():
            found, wrong = offered(path, "bash", line)
            assert (found, wrong) == (names, ""), line

    await served(path, use)


@pytest.mark.parametrize("shell", SHELLS)
def test_no_service_is_silence(tmp_path: Path, shell: str) -> None:
    assert offered(tmp_path / "none", shell, "provd system show w") == ([], "")
    assert offered(tmp_path / "none", shell, "provd nosuch zz") == ([], "")
    assert offered(tmp_path / "none", shell, "provd system sho")[0][0].startswith("show")


def test_a_service_that_hangs_is_silence_after_a_second(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "s"))
        deaf.listen()
        before = time.monotonic()
        assert offered(tmp_path / "s", "bash", "provd system show w") == ([], "")
        assert time.monotonic() - before < PATIENCE_S + 5


def script(path: Path, shell: str) -> str:
    told = subprocess.run(
        ["provd", "completion", shell], env=environment(path), capture_output=True, text=True, check=True, timeout=20
    )
    return told.stdout


def in_bash(path: Path) -> str:
    run = 'COMP_WORDS=(provd system show d); COMP_CWORD=3; _provd_completion provd; printf "%s\\n" "${COMPREPLY[@]}"'
    command = ["bash", "--norc", "-c", f"{script(path, 'bash')}\n{run}"]
    return subprocess.run(command, env=environment(path), capture_output=True, text=True, check=True, timeout=20).stdout


def in_fish(path: Path) -> str:
    command = ["fish", "--no-config", "-c", f"{script(path, 'fish')}\ncomplete -C 'provd system show d'"]
    return subprocess.run(command, env=environment(path), capture_output=True, text=True, check=True, timeout=20).stdout


def in_zsh(path: Path) -> str:
    """The function that the script defines, with zsh's own `compadd` replaced by one that prints."""
    run = (
        "compdef() { :; }; "
        f"{script(path, 'zsh')}\n"
        "words=(provd system show d); CURRENT=4; "
        'compadd() { while [[ "$1" != -a ]]; do shift; done; print -l -- ${(P)2} }; '
        "_describe() { :; }; _provd_completion"
    )
    command = ["zsh", "-f", "-c", run]
    return subprocess.run(command, env=environment(path), capture_output=True, text=True, check=True, timeout=20).stdout


@pytest.mark.parametrize("shell", SHELLS)
@pytest_twisted.ensureDeferred
async def test_the_script_completes_in_the_shell_itself(tmp_path: Path, shell: str) -> None:
    ask = {"bash": in_bash, "fish": in_fish, "zsh": in_zsh}[shell]
    found = await served(tmp_path / "s", lambda: ask(tmp_path / "s"))
    assert found.split() == ["db0", "db1", "db2"]
