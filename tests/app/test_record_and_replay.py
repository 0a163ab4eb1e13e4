"""A boot against a real `provd run` is recorded; the recording is run against other configurations in memory."""

from __future__ import annotations

import json
import signal
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provd.commands import command_line
from provd.wire.ipv4_udp import read_packet
from provd.wire.pcapng import decode, encode
from tests.app.running_server import RunningServer
from tests.app.test_boots import MAC, api, assign, boot, prepare

SYSTEM = f'[web1]\nprofile = "tiny"\n[[web1.interfaces]]\nmac = "{MAC.hex(":")}"\n'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, Path]]:
    """A server that booted a machine, and the recording of it."""
    folder = tmp_path_factory.mktemp("recorded")
    server = RunningServer(folder, takes_logs=False)
    prepare(folder)
    server.start()
    try:
        assign(server)
        (folder / "all.toml").write_text(api(server).call("system.export", {})["toml"])
        begun = api(server).call("recording.begin", {"system": "web1"})
        assert begun["macs"] == [MAC.hex(":")]
        assert boot(server).outcome == "installed"
        name = {"name": begun["name"]}
        shown = api(server).call("recording.show", name)
        ended = api(server).call("recording.end", name)
        assert shown["over"] is ended["over"] is True
        (folder / "web1.pcapng").write_bytes(b64decode(ended["pcapng"]))
        yield server, folder / "web1.pcapng"
    finally:
        server.stop(signal.SIGKILL)


def replay(recording: Path, config: Path, *words: str) -> Result:
    systems = recording.parent / "all.toml"
    argv = ["--config", str(config), "replay", str(recording), "--systems", str(systems), *words]
    return CliRunner().invoke(command_line(), argv)


def changed(folder: Path, server: RunningServer, old: str, new: str) -> Path:
    """The configuration with something else in it, beside the same data."""
    text = server.config.read_text()
    assert old in text
    file = server.folder / f"{folder.name}.toml"
    file.write_text(text.replace(old, new))
    return file


def test_what_was_recorded(site: tuple[RunningServer, Path]) -> None:
    server, recording = site
    frames = decode(recording.read_bytes())
    kinds = [json.loads(frame.note)["kind"] for frame in frames]
    assert kinds[:2] == ["dhcp", "dhcp"]
    assert "tftp" in kinds
    assert [frame.inbound for frame in frames[:4]] == [True, False, True, False]
    ports = {read_packet(frame.packet).port for frame in frames if frame.inbound}
    assert ports == {server.dhcp, server.tftp}
    assert frames == sorted(frames, key=lambda frame: frame.at)


def test_nothing_differs_against_the_same_configuration(site: tuple[RunningServer, Path]) -> None:
    server, recording = site
    told = replay(recording, server.config)
    assert told.exit_code == 0, told.output
    assert told.output.startswith("nothing would differ: ")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('pool = "127.0.9.1-127.0.9.200"', 'pool = "127.0.9.1-127.0.9.200"\nrouters = ["127.0.0.9"]', "option 3 (routers): (none) -> ['127.0.0.9']"),
        ('pool = "127.0.9.1-127.0.9.200"', 'pool = "127.0.8.1-127.0.8.200"', "address: 127.0.9.1 -> 127.0.8.1"),
        ('network = "127.0.0.0/8"\npool = "127.0.9.1-127.0.9.200"', 'network = "10.0.0.0/8"', "would be answered with nothing"),
        ('enabled = ["relay", "pxelinux"', 'enabled = ["relay"', "file: 'lpxelinux.0' -> ''"),
    ],
)  # fmt: skip
def test_a_changed_configuration_shows(
    site: tuple[RunningServer, Path], tmp_path: Path, old: str, new: str, line: str
) -> None:
    server, recording = site
    told = replay(recording, changed(tmp_path, server, old, new))
    assert told.exit_code == 2, told.output
    assert line in told.output
    assert f"DISCOVER of {MAC.hex(':')} through relay 127.0.0.2" in told.output
    rows = json.loads(replay(recording, server.folder / f"{tmp_path.name}.toml", "-o", "json").stdout)
    assert rows[0]["at"] == 0.0
    assert any(line in one for row in rows for one in row["differs"])


def test_a_recording_that_begins_with_an_answer_is_replayed(site: tuple[RunningServer, Path], tmp_path: Path) -> None:
    server, recording = site
    late = tmp_path / "late.pcapng"
    late.write_bytes(encode(decode(recording.read_bytes())[1:], "x"))
    (tmp_path / "all.toml").write_text((recording.parent / "all.toml").read_text())
    told = replay(late, server.config)
    assert told.exit_code == 0, told.output
    assert told.output.startswith("nothing would differ: ")


def test_bad_input_is_one_sentence(site: tuple[RunningServer, Path], tmp_path: Path) -> None:
    server, recording = site
    whole = recording.read_bytes()
    frames = decode(whole)
    damaged = {
        "half": whole[: len(whole) // 2],
        "none": b"",
        "answers only": encode([one for one in frames if not one.inbound], "x"),
        "torn": encode([frames[0].__class__(**{**{k: getattr(frames[0], k) for k in frames[0].__slots__}, "packet": frames[0].packet[:40]})], "x"),
        "no packets": encode([], "x"),
    }  # fmt: skip
    for name, octets in damaged.items():
        file = tmp_path / f"{name}.pcapng"
        file.write_bytes(octets)
        told = CliRunner().invoke(command_line(), ["--config", str(server.config), "replay", str(file)])
        assert told.exit_code == 1, (name, told.output)
        assert len(told.output.strip().splitlines()) == 1, (name, told.output)
        assert "recording" in told.output, (name, told.output)
    missing = CliRunner().invoke(
        command_line(), ["--config", str(server.config), "replay", str(tmp_path / "not there")]
    )
    assert (missing.exit_code, len(missing.output.strip().splitlines())) == (1, 1)


def test_record_writes_a_file_and_ends_with_the_boot(site: tuple[RunningServer, Path], tmp_path: Path) -> None:
    server, _ = site
    path = str(server.folder / "run" / "provd.sock")
    file = tmp_path / "x.pcapng"
    words = ["--socket", path, "record", MAC.hex(":"), str(file), "--seconds", "1"]
    told = CliRunner().invoke(command_line(), words)
    assert told.exit_code == 0, told.output
    assert decode(file.read_bytes()) == []
    again = CliRunner().invoke(command_line(), words)
    assert "is there already" in again.output
    words[3:5] = ["nobody", str(tmp_path / "y.pcapng")]
    unknown = CliRunner().invoke(command_line(), words)
    assert (unknown.exit_code, "'nobody' is no system and no MAC" in unknown.output) == (1, True)
