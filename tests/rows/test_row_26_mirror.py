"""Machines that are installed from a package mirror, the second one with upstream gone (row 26)."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from provd.model.content import Content, FileBody, FileRequest, NotFound, StreamBody, settled
from provd.model.mac import Mac
from provd.simulate.boot import Transcript
from provd.simulate.firmware import Machine
from provd.testing.runtime import run_now
from provd.testing.world import MACHINE
from tests.fakes.mirror_world import FakeStream, MirrorRuntime
from tests.fakes.simulated_server import ENABLED, SimulatedServer

SECOND = Machine(bytes.fromhex("525400880012"), UUID("88880000-0000-4000-8000-525400880012"))
DISTRO = """\
family = "redhat"
version = "9"
installer = "kickstart"
kernel = "payload:debian-12/linux"
initrd = ["payload:debian-12/initrd.gz"]
tree = "mirror:rocky/9/BaseOS"
"""
TREE = {"repodata/repomd.xml": b"<repomd/>", "Packages/b/bash.rpm": b"bash" * 9000, "Packages/z/zlib.rpm": b"zlib"}


class MirrorServer(SimulatedServer):
    enabled = (*ENABLED, "source_mirror")

    def __init__(self, root: Path) -> None:
        profile = 'distro = "el9mirror"\n[answers]\nroot_password_hash = "$6$x"\n'
        more = '[plugins.source_mirror.mirrors.rocky]\nupstream = ["http://ONE/rocky", "http://TWO/rocky"]\n'
        more += "refresh_s = 0\n"
        further = {"site/distros/el9mirror.toml": DISTRO, "site/profiles/mirror.toml": profile}
        super().__init__(root, more, further=further)
        self.runtime = MirrorRuntime()
        self.services.host.start(self.runtime)

    def install(self, machine: Machine = MACHINE) -> Transcript:
        transcript = self.boot(machine=machine)
        assert transcript.outcome == "installed", transcript.error
        return transcript

    def packages(self, transcript: Transcript) -> list[bytes | NotFound]:
        """What the installer fetches from the source that its command line names."""
        assert transcript.started is not None
        words = dict(word.split("=", 1) for word in transcript.started.command_line.split() if "=" in word)
        assert words["inst.repo"] == "http://10.88.0.1/mirror/rocky/9/BaseOS"
        return [self.fetch(f"mirror/rocky/9/BaseOS/{path}") for path in TREE]

    def fetch(self, path: str) -> bytes | NotFound:
        """A whole body; the fakes below never make anybody wait."""
        request = FileRequest("http", path, "10.88.0.100", "10.88.0.1")

        async def read() -> bytes | NotFound:
            found = settled(self.services.files.open(request))
            answer = found if isinstance(found, Content | NotFound) else await found
            if isinstance(answer, NotFound):
                return answer
            if isinstance(answer.body, FileBody):
                return answer.body.path.read_bytes()
            assert isinstance(answer.body, StreamBody)
            return b"".join([piece async for piece in answer.body.open(0, -1)])

        got: bytes | NotFound = run_now(read())
        return got


@pytest.fixture
def server(tmp_path: Path) -> MirrorServer:
    made = MirrorServer(tmp_path)
    made.add(profile="mirror")
    return made


def test_row_26_a_warm_mirror_installs_with_every_upstream_gone(server: MirrorServer) -> None:
    server.runtime.streams += [FakeStream(200, length=len(body)).give(body, b"") for body in TREE.values()]
    assert server.packages(server.install()) == list(TREE.values())
    assert len(server.runtime.asked) == 3
    server.add("web2", "mirror", Mac(SECOND.mac))
    server.runtime.streams += [ConnectionError("gone"), ConnectionError("gone")]
    assert server.packages(server.install(SECOND)) == list(TREE.values())
    assert [url for url, _ in server.runtime.asked[3:]] == [
        "http://ONE/rocky/9/BaseOS/repodata/repomd.xml",
        "http://TWO/rocky/9/BaseOS/repodata/repomd.xml",
    ]


def test_row_26_a_cold_mirror_with_upstream_gone_says_so(server: MirrorServer) -> None:
    server.runtime.streams += [ConnectionError("gone") for _ in range(6)]
    got = server.packages(server.install())
    assert [one.status for one in got if isinstance(one, NotFound)] == [502] * 3
    assert "gone" in str(got[0])
