"""What a start loads: nothing that only few servers need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provd.cli.context import DEFAULT_SOCKET, Context, local_client
from provd.config.schema import ServerConfig
from provd.config.settings import load


def test_a_start_loads_no_http_client() -> None:
    """It costs some megabytes; the first request of a plugin loads it."""
    script = "import sys, provd.app.run, provd.app.server; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "provd.net.runtime" in loaded
    assert "twisted.web.client" not in loaded


_WITHOUT_TLS = """\
import sys, provd.app.run, provd.app.server
from provd.app.reactor import the_reactor
reactor = the_reactor()
print(*sys.modules)
"""

_TLS_AFTERWARDS = """\
import sys
from pathlib import Path
from provd.app.reactor import the_reactor
reactor = the_reactor()
import provd.app.server
assert "OpenSSL" not in sys.modules
from twisted.internet.interfaces import IReactorSSL
from twisted.internet.protocol import Factory, Protocol
assert IReactorSSL.providedBy(reactor)
from provd.app.tls import context, own_certificate
made = context(*own_certificate(Path(sys.argv[1]), ()), "")
heard = []

class Server(Protocol):
    def connectionMade(self):
        if not port_of_tls(self):
            self.transport.startTLS(made)

    def dataReceived(self, data):
        self.transport.write(data.upper())

def port_of_tls(server):
    return server.transport.getHost().port == ports[0].getHost().port

class Client(Protocol):
    def connectionMade(self):
        if self.factory.starts:
            from twisted.internet.ssl import CertificateOptions
            self.transport.startTLS(CertificateOptions())
        self.transport.write(b"hello")

    def dataReceived(self, data):
        heard.append(data)
        if len(heard) == 2:
            reactor.stop()

serving = Factory.forProtocol(Server)
ports = [reactor.listenSSL(0, serving, made, interface="127.0.0.1"), reactor.listenTCP(0, serving, interface="127.0.0.1")]

def connect():
    from twisted.internet.protocol import ClientFactory
    from twisted.internet.ssl import CertificateOptions
    factories = [ClientFactory.forProtocol(Client), ClientFactory.forProtocol(Client)]
    factories[0].starts, factories[1].starts = False, True
    reactor.connectSSL("127.0.0.1", ports[0].getHost().port, factories[0], CertificateOptions())
    reactor.connectTCP("127.0.0.1", ports[1].getHost().port, factories[1])

reactor.callWhenRunning(connect)
reactor.callLater(20, reactor.stop)
reactor.run()
print(heard)
"""


def test_a_start_loads_no_tls() -> None:
    """Twelve megabytes that only HTTPS needs."""
    loaded = subprocess.run([sys.executable, "-c", _WITHOUT_TLS], capture_output=True, text=True, check=True)
    modules = set(loaded.stdout.split())
    assert "twisted.internet.tcp" in modules
    assert (
        modules & {"OpenSSL", "cryptography", "service_identity", "twisted.protocols.tls", "twisted.internet.ssl"}
        == set()
    )


def test_tls_is_there_when_it_is_asked_for(tmp_path: Path) -> None:
    """``listenSSL``, ``connectSSL`` and ``startTLS`` work with a reactor that was made without TLS."""
    command = [sys.executable, "-c", _TLS_AFTERWARDS, str(tmp_path / "tls")]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert told.stdout.strip() == "[b'HELLO', b'HELLO']", told.stderr


def loaded_by(*words: str) -> set[str]:
    script = f"import sys; sys.argv = {['provd', *words]!r}\ntry:\n import provd.__main__ as m; m.main()\nfinally:\n print('\\n' + ' '.join(sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    return set(told.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("words", [["--help"], ["system", "edit", "--help"], ["system", "list", "--socket", "/none"]])
def test_a_command_loads_little(words: list[str]) -> None:
    """No service, no schema of the configuration, nothing for tables: the command line answers at once."""
    loaded = loaded_by(*words)
    assert "provd.cli.dynamic" in loaded
    slow = {"twisted", "msgspec", "rich", "jinja2", "pluggy", "tomlkit", "provd.config.settings", "provd.service"}
    assert loaded & slow == set()


def test_the_default_socket_is_the_configured_one() -> None:
    assert ServerConfig().socket == DEFAULT_SOCKET


def test_a_configured_socket_is_found_without_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "provd.toml"
    for text in ('user = ""', 'socket = "run/s"', 'socket = "/abs/s"'):
        file.write_text(text)
        context = Context(str(file), "", lambda _path: 0, local_client)
        assert context.socket_path() == load(file).socket
