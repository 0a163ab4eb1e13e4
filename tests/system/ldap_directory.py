"""A real slapd, unpacked and run in the foreground on loopback, with a few people and groups."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from provd.lab.unpacked import Unpacked, fetch
from tests.app.running_server import free_ports

BASE = "dc=example,dc=org"
READER, SECRET = f"cn=reader,{BASE}", "the reader's own"
CONFIG = """\
include {root}/etc/ldap/schema/core.schema
include {root}/etc/ldap/schema/cosine.schema
include {root}/etc/ldap/schema/inetorgperson.schema
modulepath {root}/usr/lib/ldap
moduleload back_mdb
pidfile {work}/slapd.pid
argsfile {work}/slapd.args
TLSCertificateFile {work}/cert.pem
TLSCertificateKeyFile {work}/key.pem
security tls=1
database mdb
suffix "dc=example,dc=org"
directory {work}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,dc=example,dc=org" read by * none
"""
PEOPLE = {"ann": "ann's password", "bob": "bob's password", "eve": "eve's password"}


def entries() -> str:
    """The directory as LDIF (RFC 2849)."""
    found = [
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: example\ndc: example\n",
        f"dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: {SECRET}\n",
        *(
            f"dn: ou={name},{BASE}\nobjectClass: organizationalUnit\nou: {name}\n"
            for name in ("people", "more", "groups")
        ),
        *(person(name, "people", password) for name, password in PEOPLE.items()),
        # One name twice: nobody can say which of them logs in.
        person("twin", "people", "twin's password"),
        person("twin", "more", "twin's password"),
        group("provd-admins", "ann"),
        group("ops", "ann", "bob"),
    ]
    return "\n".join(found)


def person(name: str, place: str, password: str) -> str:
    kind = "objectClass: inetOrgPerson"
    return f"dn: uid={name},ou={place},{BASE}\n{kind}\nuid: {name}\ncn: {name}\nsn: {name}\nuserPassword: {password}\n"


def group(name: str, *members: str) -> str:
    lines = "".join(f"member: uid={one},ou=people,{BASE}\n" for one in members)
    return f"dn: cn={name},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {name}\n{lines}"


class Directory:
    """Runs until it is stopped.

    Args:
        cache: laboratory cache.
        work: folder for its files, with ``cert.pem`` and ``key.pem`` of 127.0.0.1.
    """

    def __init__(self, cache: Path, work: Path) -> None:
        self._package: Unpacked = fetch("slapd", cache)
        self._config, self._log = work / "slapd.conf", work / "slapd.log"
        (work / "data").mkdir()
        self._config.write_text(CONFIG.format(root=self._package.root, work=work))
        (work / "entries.ldif").write_text(entries())
        self._slapd("-T", "add", "-l", str(work / "entries.ldif"))
        self.port, self.plain_port = free_ports(2)
        urls = f"ldaps://127.0.0.1:{self.port}/ ldap://127.0.0.1:{self.plain_port}/"
        argv = self._package.argv("slapd", "-d", "0", "-f", str(self._config), "-h", urls)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log)
        self._await()

    def _slapd(self, *words: str) -> None:
        argv = self._package.argv("slapd", *words, "-f", str(self._config))
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr

    def _await(self) -> None:
        end = time.monotonic() + 10
        while True:
            assert self._process.poll() is None, self._log.read_text()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < end, self._log.read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(10)
