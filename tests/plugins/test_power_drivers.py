"""The plugin power against boards on loopback: Redfish by two servers of different makes, IPMI by pyghmi's own."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_twisted
from twisted.internet import reactor as installed_reactor  # noqa: TID251  these tests are about the real one

from provd.app.tls import own_certificate
from provd.model.mac import Mac
from provd.model.system import Interface, System
from provd.net.runtime import TwistedRuntime
from provd.plugin.api import PowerCall, PowerDriver, ProcessResult
from provd.plugin.errors import PluginError
from provd.service.power_tables import PowerTableError, settings_of
from provd.testing.runtime import FakeRuntime, run_now
from tests.app.running_server import free_ports
from tests.fakes.redfish_board import RedfishBoard, redfish_board
from tests.fakes.shipped_plugins import shipped

reactor: Any = installed_reactor
WEB1 = System("web1", interfaces=(Interface("eth0", Mac.parse("52:54:00:aa:bb:cc")),))
PASSWORD = "geheim-7"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return own_certificate(tmp_path_factory.mktemp("tls"), ())


@pytest.fixture
def board(certificate: tuple[Path, Path]) -> Iterator[RedfishBoard]:
    with redfish_board(RedfishBoard({"operator": PASSWORD}), *certificate) as made:
        yield made


def driver(name: str, table: dict[str, Any] | None = None, runtime: Any = None) -> PowerDriver:
    host = shipped("power", table)
    host.start(runtime or TwistedRuntime(reactor))
    return host.power_drivers[name]


async def redfish(board: RedfishBoard, certificate: tuple[Path, Path], action: str, **more: Any) -> str:
    made = driver("redfish")
    table = {"address": board.address, "user": "operator", "password": PASSWORD, "ca_file": str(certificate[0]), **more}
    return await made.run(PowerCall(WEB1, settings_of(table, made), action))


@pytest_twisted.ensureDeferred
async def test_redfish_tells_the_state_and_closes_its_session(board: RedfishBoard, certificate: Any) -> None:
    assert await redfish(board, certificate, "status") == "off"
    board.systems["437X"] = "On"
    assert await redfish(board, certificate, "status") == "on"
    board.systems["437X"] = "PoweringOn"
    assert await redfish(board, certificate, "status") == "unknown"
    assert (board.opened, board.open, board.told) == (3, set(), [])


@pytest.mark.parametrize(
    ("state", "action", "told"),
    [
        ("Off", "on", ["437X: On"]),
        ("On", "on", []),
        ("On", "off", ["437X: ForceOff"]),
        ("Off", "off", []),
        ("On", "shutdown", ["437X: GracefulShutdown"]),
        ("On", "cycle", ["437X: ForceRestart"]),
        ("Off", "cycle", ["437X: On"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_redfish_does_what_the_state_allows(
    board: RedfishBoard, certificate: Any, state: str, action: str, told: list[str]
) -> None:
    board.systems["437X"] = state
    text = await redfish(board, certificate, action)
    assert board.told == told
    assert text == (f"it was {state.lower()} and was told {told[0][6:]}" if told else f"it is {state.lower()} already")


@pytest.mark.parametrize(
    ("resets", "told", "text"),
    [
        (("On", "ForceOff", "PowerCycle"), ["PowerCycle"], "PowerCycle"),
        (("On", "ForceOff", "GracefulRestart", "GracefulShutdown"), ["ForceOff", "On"], "ForceOff and On"),
        (("ForceOn", "ForceOff"), ["ForceOff", "ForceOn"], "ForceOff and ForceOn"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_redfish_without_a_forced_restart_is_restarted_by_what_the_board_knows(
    board: RedfishBoard, certificate: Any, resets: tuple[str, ...], told: list[str], text: str
) -> None:
    """Boards of iDRAC 8 know no ForceRestart (Redfish DSP0266: what a board takes is in its AllowableValues)."""
    board.resets, board.systems["437X"] = resets, "On"
    assert await redfish(board, certificate, "cycle") == f"it was on and was told {text}"
    assert board.told == [f"437X: {one}" for one in told]
    assert board.systems["437X"] == "On"


@pytest.mark.parametrize("bye", [0, 404, 405, 500])
@pytest_twisted.ensureDeferred
async def test_redfish_has_done_it_although_its_session_cannot_be_closed(
    board: RedfishBoard, certificate: Any, bye: int
) -> None:
    """Told as a failure, a trigger would do it again, and restart a machine in the middle of its installation."""
    board.systems["437X"], board.bye = "On", bye
    assert await redfish(board, certificate, "cycle") == "it was on and was told ForceRestart"
    assert board.told == ["437X: ForceRestart"]


@pytest.mark.parametrize("content", [None, "no certificate"])
@pytest_twisted.ensureDeferred
async def test_redfish_with_authorities_that_cannot_be_read_says_which_file(
    board: RedfishBoard, certificate: Any, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConnectionError, match=rf"ca_file {file} cannot be used: "):
        await redfish(board, certificate, "status", ca_file=str(file))
    assert board.opened == 0


@pytest_twisted.ensureDeferred
async def test_redfish_boots_from_the_network_once(board: RedfishBoard, certificate: Any) -> None:
    await redfish(board, certificate, "pxe")
    assert board.boot == {"437X": {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}}


@pytest_twisted.ensureDeferred
async def test_redfish_with_several_systems_wants_to_know_which(board: RedfishBoard, certificate: Any) -> None:
    board.systems["9"] = "On"
    assert await redfish(board, certificate, "status", system="9") == "on"
    assert await redfish(board, certificate, "status", system="/redfish/v1/Systems/437X") == "off"
    with pytest.raises(ValueError, match="not exactly one system; it has 437X, 9"):
        await redfish(board, certificate, "status")
    with pytest.raises(ValueError, match="not exactly one system 8; it has 437X, 9"):
        await redfish(board, certificate, "status", system="8")
    assert board.open == set()


@pytest_twisted.ensureDeferred
async def test_redfish_failures_are_sentences_without_the_password(board: RedfishBoard, certificate: Any) -> None:
    wrong = "another-password"
    with pytest.raises(ValueError, match=r"refuses the login of operator") as refused:
        await redfish(board, certificate, "on", password=wrong)
    assert wrong not in str(refused.value) + repr(refused.value.__cause__)
    board.refuse = 400
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:\d+ refused: "):
        await redfish(board, certificate, "on")
    board.refuse, board.garbage = 0, True
    with pytest.raises(ValueError, match="answers something else than Redfish"):
        await redfish(board, certificate, "on")
    assert (board.told, board.open) == ([], set())


@pytest_twisted.ensureDeferred
async def test_redfish_tells_nobody_with_a_wrong_certificate(board: RedfishBoard, certificate: Any) -> None:
    with pytest.raises(ConnectionError, match="its certificate is not good for this address"):
        await redfish(board, certificate, "on", ca_file="")
    with (
        redfish_board(RedfishBoard({"operator": PASSWORD}), certificate[0], certificate[1], "127.0.0.2") as other,
        pytest.raises(ConnectionError, match="its certificate is not good for this address"),
    ):
        await redfish(board, certificate, "on", address=f"127.0.0.2:{other.port}")
    assert (board.opened, other.opened) == (0, 0)


@pytest_twisted.ensureDeferred
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
async def test_redfish_without_verification_is_a_choice_of_its_own(board: RedfishBoard, certificate: Any) -> None:
    assert await redfish(board, certificate, "status", ca_file="", verify=False) == "off"


@pytest_twisted.ensureDeferred
async def test_redfish_that_is_not_there_is_told(certificate: Any) -> None:
    (port,) = free_ports(1)
    with pytest.raises(ConnectionError, match=rf"127\.0\.0\.1:{port}: it cannot be reached"):
        await redfish(RedfishBoard({}, port=port), certificate, "status")


@pytest.mark.filterwarnings("ignore:'cgi' is deprecated")  # by a library of the emulator
@pytest_twisted.ensureDeferred
async def test_redfish_of_another_make_is_switched_too(certificate: Any, tmp_path: Path) -> None:
    """The emulator of sushy-tools: basic authentication only, settings as in the published schemas."""
    from sushy_tools.emulator import main
    from werkzeug.serving import make_server

    main.app.configure(extra_config={"SUSHY_EMULATOR_FAKE_DRIVER": True, "SUSHY_EMULATOR_STATE_DIR": str(tmp_path)})
    server = make_server("127.0.0.1", 0, main.app, ssl_context=(str(certificate[0]), str(certificate[1])))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    board = RedfishBoard({}, port=server.server_port)
    try:
        assert await redfish(board, certificate, "status") == "off"
        await redfish(board, certificate, "pxe")
        assert await redfish(board, certificate, "cycle") == "it was off and was told On"
        (found,) = main.app.systems._systems.values()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (found["boot_device"], found["pending_power"]["power_state"]) == ("Pxe", "On")


class IpmiBoard:
    """A board in a process of its own."""

    def __init__(self, folder: Path) -> None:
        (self.port,) = free_ports(1)
        self.journal = folder / "journal"
        self.closed = folder / "journal.closed"
        self.journal.touch()
        self.closed.touch()
        program = Path(__file__).parents[1] / "fakes" / "ipmi_board.py"
        self.process = subprocess.Popen(
            [sys.executable, str(program), str(self.port), str(self.journal), "operator", PASSWORD],
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def told(self) -> list[str]:
        return self.journal.read_text().splitlines()

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def ipmi_board(tmp_path: Path) -> Iterator[IpmiBoard]:
    made = IpmiBoard(tmp_path)
    try:
        yield made
    finally:
        made.close()


async def ipmi(port: int, action: str, **more: Any) -> str:
    made = driver("ipmi")
    table = {"address": "127.0.0.1", "port": port, "user": "operator", "password": PASSWORD, **more}
    return await made.run(PowerCall(WEB1, settings_of(table, made), action))


@pytest_twisted.ensureDeferred
async def test_ipmi_switches_and_boots_from_the_network_once(ipmi_board: IpmiBoard) -> None:
    port = ipmi_board.port
    assert await ipmi(port, "status") == "off"
    assert await ipmi(port, "pxe", uefi=True) == "the next boot is from the network"
    assert await ipmi(port, "on") == "it was off and was told on"
    assert await ipmi(port, "cycle") == "it was on and was told reset"
    assert await ipmi(port, "shutdown") == "it was on and was told shutdown"
    assert await ipmi(port, "off") == "it is off already"
    assert ipmi_board.told() == ["flags persistent=False uefi=True", "boot network", "on", "reset", "shutdown"]


@pytest_twisted.ensureDeferred
async def test_ipmi_closes_its_session(ipmi_board: IpmiBoard) -> None:
    """A board has few sessions, and keeps one that nobody closed for a minute (IPMI 2.0 sections 6.12.15, 22.19)."""
    assert await ipmi(ipmi_board.port, "status") == "off"
    assert ipmi_board.closed.read_text().splitlines() == ["closed"]


@pytest_twisted.ensureDeferred
async def test_ipmi_refuses_a_wrong_password(ipmi_board: IpmiBoard) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 port \d+ refuses the login of operator") as refused:
        await ipmi(ipmi_board.port, "on", password="wrong-one")
    assert "wrong-one" not in str(refused.value)
    assert ipmi_board.told() == []


@pytest_twisted.ensureDeferred
async def test_ipmi_that_is_mute_about_an_unknown_user_is_told_within_the_timeout(ipmi_board: IpmiBoard) -> None:
    began = time.monotonic()
    with pytest.raises(
        ValueError, match=r"127\.0\.0\.1 port \d+ does not answer to the user nobody: it has no such user"
    ):
        await ipmi(ipmi_board.port, "on", user="nobody", timeout_s=2)
    assert 2 <= time.monotonic() - began < 7
    assert ipmi_board.told() == []
    assert settings_of({"address": "b", "user": "u", "password": "p"}, driver("ipmi")).timeout_s == 10


@pytest_twisted.ensureDeferred
async def test_ipmi_that_hears_and_says_nothing_is_no_answer_within_the_timeout() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as board:
        board.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionError, match=r"does not answer$"):
            await ipmi(board.getsockname()[1], "on", timeout_s=1)


@pytest.mark.parametrize("name", ["redfish", "ipmi"])
@pytest_twisted.ensureDeferred
async def test_a_board_whose_name_nobody_knows_is_told_as_such(name: str) -> None:
    """A name that no name server can have, as it is longer than 255 octets (RFC 1035 section 2.3.4)."""
    address = ".".join(["a" * 60] * 5)
    made = driver(name)
    settings = settings_of({"address": address, "user": "operator", "password": PASSWORD}, made)
    with pytest.raises(ConnectionError, match=r"its name cannot be resolved$"):
        await made.run(PowerCall(WEB1, settings, "status"))


@pytest_twisted.ensureDeferred
async def test_ipmi_that_is_not_there_is_told() -> None:
    (port,) = free_ports(1)
    with pytest.raises(ConnectionError, match=rf"127\.0\.0\.1 port {port} does not answer"):
        await ipmi(port, "status")


def test_ipmi_gets_its_password_by_standard_input_alone() -> None:
    runtime = FakeRuntime()
    made = driver("ipmi", runtime=runtime)
    table = {"address": "10.0.9.1", "user": "operator", "password": PASSWORD}
    with pytest.raises(ValueError, match=r"the session with 10\.0\.9\.1 port 623 ended with status 0"):
        run_now(made.run(PowerCall(WEB1, settings_of(table, made), "on")))
    ((argv, stdin, _, env),) = runtime.ran
    assert PASSWORD not in " ".join(argv) + str(env)
    assert msgspec.json.decode(stdin)["password"] == PASSWORD


def test_a_machine_without_a_board_is_woken() -> None:
    runtime = FakeRuntime()
    made = driver("wake", runtime=runtime)
    settings = settings_of({"driver": "wake", "broadcast": ["10.0.0.255"], "repeat": 2}, made)
    assert run_now(made.run(PowerCall(WEB1, settings, "on"))) == "woke 52:54:00:aa:bb:cc at 10.0.0.255"
    assert [(len(data), address, port) for data, address, port in runtime.broadcasts] == [(102, "10.0.0.255", 9)] * 2
    assert made.actions == ("on",)


def test_one_network_without_a_way_keeps_no_machine_of_another_asleep() -> None:
    class OneWay(FakeRuntime):
        def broadcast(self, data: bytes, address: str, port: int) -> None:
            if address == "10.1.0.255":
                raise OSError(101, "Network is unreachable")
            super().broadcast(data, address, port)

    runtime = OneWay()
    made = driver("wake", runtime=runtime)
    both = settings_of({"broadcast": ["10.1.0.255", "10.0.0.255"], "repeat": 1}, made)
    told = run_now(made.run(PowerCall(WEB1, both, "on")))
    assert told == "woke 52:54:00:aa:bb:cc at 10.0.0.255; not at 10.1.0.255: Network is unreachable"
    assert [address for _, address, _ in runtime.broadcasts] == ["10.0.0.255"]
    neither = settings_of({"broadcast": ["10.1.0.255"], "repeat": 1}, made)
    with pytest.raises(OSError, match=r"^10\.1\.0\.255: Network is unreachable$"):
        run_now(made.run(PowerCall(WEB1, neither, "on")))


SHARED = {
    "user": "provd", "password": {"file": "/etc/provd/bmc.secret"}, "boards": ["10.0.9.0/24", ".bmc.example.org"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("address", "covered"),
    [
        ("10.0.9.7", True),
        ("10.0.9.7:8443", True),
        ("https://10.0.9.7", True),
        ("web1.BMC.example.org", True),
        ("10.0.8.7", False),
        ("bmc.example.org", False),
        ("10.0.9.7.example.net", False),
        ("web1.bmc.example.org.example.net", False),
        ("evilbmc.example.org", False),
        ("[2001:db8::1]", False),
    ],
)
def test_the_shared_password_is_for_the_named_boards_alone(address: str, *, covered: bool) -> None:
    made = driver("redfish", SHARED, FakeRuntime(secrets={"/etc/provd/bmc.secret": PASSWORD}))
    fault = made.fault(settings_of({"address": address}, made))
    assert fault == "" if covered else "is none of the boards of [plugins.power]" in fault
    assert made.fault(settings_of({"address": address, "user": "own", "password": "***"}, made)) == ""


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("web1.bmc", "https://web1.bmc"),
        ("web1.bmc:8443", "https://web1.bmc:8443"),
        ("https://10.0.9.1:8443/", "https://10.0.9.1:8443"),
        ("2001:db8::1", "https://[2001:db8::1]"),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_address_is_a_url(address: str, url: str) -> None:
    # The module of the folder that the host loads it from has no name to import it by.
    made = driver("redfish", runtime=FakeRuntime())
    module = sys.modules[made.settings.__module__]
    assert module.url_of(address) == url


def test_the_shared_password_is_read_for_each_action() -> None:
    runtime = FakeRuntime(secrets={"/etc/provd/bmc.secret": PASSWORD})
    made = driver("ipmi", SHARED, runtime)
    runtime.secrets["/etc/provd/bmc.secret"] = "another"
    with pytest.raises(ValueError, match="ended with status"):
        run_now(made.run(PowerCall(WEB1, settings_of({"address": "10.0.9.1"}, made), "on")))
    asked = msgspec.json.decode(runtime.ran[0][1])
    assert (asked["user"], asked["password"]) == ("provd", "another")


@pytest.mark.parametrize(
    ("name", "table", "sentence"),
    [
        ("redfish", {}, "driver redfish needs the key 'address'"),
        ("redfish", {"address": "x", "adress": "y"}, "driver redfish knows no key 'adress'"),
        ("redfish", {"address": "http://x"}, "must be a host, HOST:PORT or https://HOST[:PORT]"),
        ("redfish", {"address": "https://u:p@x"}, "must be a host, HOST:PORT"),
        ("redfish", {"address": "x y"}, "must be a host, HOST:PORT"),
        ("redfish", {"address": "x\\.bmc.example.org"}, "must be a host, HOST:PORT"),
        ("redfish", {"address": "x#.bmc.example.org"}, "must be a host, HOST:PORT"),
        ("redfish", {"address": "x/.bmc.example.org"}, "must be a host, HOST:PORT"),
        ("redfish", {"address": "x?a=.bmc.example.org"}, "must be a host, HOST:PORT"),
        ("redfish", {"address": "10.0.9"}, "must be a host, HOST:PORT"),
        ("redfish", {"address": "x:70000"}, "must be a host, HOST:PORT"),
        ("redfish", {"address": "[x]"}, "must be a host, HOST:PORT"),
        ("ipmi", {"address": "https://x"}, "the port is a key of its own"),
        ("redfish", {"address": "x:port"}, "address 'x:port'"),
        ("redfish", {"address": "x", "timeout_s": 600}, "timeout_s must be above 0 and at most 60"),
        ("redfish", {"address": "x", "ca_file": "ca.pem"}, "ca_file must be an absolute path"),
        ("redfish", {"address": "x", "verify": "no"}, "power.verify: Expected `bool`, got `str`"),
        ("ipmi", {"address": "x", "port": 0}, "port must be from 1 to 65535"),
        ("ipmi", {"address": "x", "timeout_s": 61}, "timeout_s must be above 0, and 60 at most"),
        ("ipmi", {"address": "x", "timeout_s": 0}, "timeout_s must be above 0, and 60 at most"),
        ("ipmi", {"address": "x:623"}, "the port is a key of its own"),
        ("ipmi", {"address": "x", "user": "a", "password": "p" * 21}, "more than the 20 octets"),
        ("ipmi", {"address": "x", "privilege": "root"}, "power.privilege: Invalid enum value 'root'"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(name: str, table: dict[str, Any], sentence: str) -> None:
    made = driver(name, runtime=FakeRuntime())
    with pytest.raises(PowerTableError) as caught:
        settings_of({"driver": name, **table}, made)
    assert sentence in str(caught.value)
    assert "ppp" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"user": "x"}, "user and password go together"),
        ({"address": "x"}, "the table names no user"),
    ],
)
def test_a_board_that_nobody_can_log_in_to_is_a_fault(table: dict[str, Any], sentence: str) -> None:
    made = driver("ipmi", runtime=FakeRuntime())
    assert sentence in made.fault(settings_of({"address": "x", **table}, made))


def test_a_library_that_is_missing_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    made = driver("redfish", runtime=FakeRuntime())
    monkeypatch.setitem(sys.modules, "sushy", None)
    assert "pip install 'provd[redfish]'" in made.fault(settings_of({"address": "x"}, made))


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"user": "x"}, "user and password go together"),
        ({"user": "x", "password": {"env": "X"}}, "boards names nobody"),
        ({**SHARED, "boards": ["10.0.9.1/24"]}, "boards: 10.0.9.1/24 has host bits set"),
        ({**SHARED, "boards": ["."]}, "'.' would be every name"),
        ({**SHARED, "boards": ["example.org"]}, "a network or a domain that begins with a dot is expected"),
        ({**SHARED, "password": {"plain": PASSWORD}}, "a secret is a table with one of the keys file, env, credential"),
    ],
)
def test_wrong_settings_stop_the_start(table: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PluginError) as caught:
        driver("redfish", table, FakeRuntime())
    assert sentence in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_shared_password_that_cannot_be_read_fails_the_boards_that_need_it_alone() -> None:
    runtime = FakeRuntime(processes=[ProcessResult(0, b'{"kind":"done","text":"off"}')])
    made = driver("ipmi", SHARED, runtime)
    with pytest.raises(ValueError, match=r"there is no secret /etc/provd/bmc.secret"):
        run_now(made.run(PowerCall(WEB1, settings_of({"address": "10.0.9.1"}, made), "status")))
    own = settings_of({"address": "10.0.9.2", "user": "u", "password": "p"}, made)
    assert run_now(made.run(PowerCall(WEB1, own, "status"))) == "off"
