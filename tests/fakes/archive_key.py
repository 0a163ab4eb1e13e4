"""A real key of an archive, and the mirror that trusts it: gpg(1) and gpgv(1)."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from provd.plugin.api import ProcessResult
from tests.fakes.mirror_world import FakeStream, World


class Signer:
    """A key in a directory of its own."""

    def __init__(self) -> None:
        # short, because the agent's socket lies in it and may have 108 octets
        self._folder = TemporaryDirectory(prefix="k", dir="/tmp", ignore_cleanup_errors=True)
        home = Path(self._folder.name)
        self._gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]
        self._run("--quick-gen-key", "archive", "ed25519", "sign")
        self.keyring = home / "archive.gpg"
        self.keyring.write_bytes(self._run("--export"))

    def sign(self, text: str) -> bytes:
        """Clear-signed, as InRelease."""
        return self._run("--clearsign", octets=text.encode())

    def detached(self, octets: bytes) -> bytes:
        """A signature of its own, as repomd.xml.asc."""
        return self._run("--armor", "--detach-sign", octets=octets)

    def close(self) -> None:
        subprocess.run(["gpgconf", "--homedir", self._gpg[2], "--kill", "all"], check=False)
        self._folder.cleanup()

    def _run(self, *words: str, octets: bytes = b"") -> bytes:
        return subprocess.run([*self._gpg, *words], input=octets, capture_output=True, check=True).stdout


def trusting(root: Path, signer: Signer) -> World:
    """A mirror that verifies with the signer's key."""
    world = World(root, keyring=str(signer.keyring))

    async def run(argv: list[str], **_: object) -> ProcessResult:
        done = subprocess.run(argv, capture_output=True, check=False, env={"PATH": "/usr/bin:/bin"})  # noqa: ASYNC221
        return ProcessResult(done.returncode, done.stdout, done.stderr)

    world.runtime.run_process = run  # type: ignore[assignment]
    return world


def give(world: World, *bodies: bytes) -> None:
    """What upstream answers next, whole."""
    world.runtime.streams += [FakeStream(200, {"etag": '"x"'}, len(body)).give(body, b"") for body in bodies]


def whole(world: World, path: str) -> bytes | None:
    """A body that came whole, or None."""
    pieces = world.octets(world.answer(path))
    return None if isinstance(pieces[-1], Exception) else b"".join(one for one in pieces if isinstance(one, bytes))
