"""TLS of listeners: a given certificate, or one that provd makes for itself."""

from __future__ import annotations

import datetime as dt
import os
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

from twisted.internet.ssl import ContextFactory

from provd.app.listeners import ListenError

_YEARS: Final = 10


class GivenContext(ContextFactory):
    """A context that was made once."""

    def __init__(self, made: Any) -> None:
        self._made = made

    def getContext(self) -> Any:  # noqa: N802  Twisted's name
        """The context."""
        return self._made


def context(certificate: Path | str, key: Path | str, setting: str) -> GivenContext:
    """What TLS is answered with: version 1.2 or later.

    Args:
        certificate: PEM file, chain included.
        key: PEM file of its private key.
        setting: key path, for the error sentence.

    Raises:
        ListenError: a file cannot be read, or the two do not fit.
    """
    from OpenSSL import SSL

    made = SSL.Context(SSL.TLS_SERVER_METHOD)
    try:
        made.use_certificate_chain_file(str(certificate))
        made.use_privatekey_file(str(key))
        made.check_privatekey()
    except SSL.Error as error:
        raise ListenError(f"{setting} {certificate}: it cannot be used with its key") from error
    made.set_min_proto_version(SSL.TLS1_2_VERSION)
    return GivenContext(made)


def own_certificate(folder: Path, addresses: Iterable[IPv4Address]) -> tuple[Path, Path]:
    """Certificate and key that provd made for itself; made now where they are missing, or end within a month.

    Args:
        folder: where they are kept (``certificate.pem``, ``key.pem``; mode 0700, 0600).
        addresses: what it is valid for, besides this machine's name, ``localhost`` and 127.0.0.1.

    Raises:
        ListenError: they cannot be written.
    """
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    try:
        if not (certificate.is_file() and key.is_file() and _lasts(certificate)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(certificate, key, addresses)
    except (OSError, ValueError) as error:
        raise ListenError(f"the API's certificate in {folder}: {error}") from error
    return certificate, key


def fingerprint(certificate: Path | str) -> str:
    """SHA-256 of the first certificate of a PEM file, as OpenSSL prints it.

    Raises:
        ListenError: it cannot be read.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    try:
        found = x509.load_pem_x509_certificate(Path(certificate).read_bytes())
    except (OSError, ValueError) as error:
        raise ListenError(f"{certificate}: {error}") from error
    return found.fingerprint(hashes.SHA256()).hex(":").upper()


def _lasts(certificate: Path) -> bool:
    from cryptography import x509

    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    return found.not_valid_after_utc > dt.datetime.now(dt.UTC) + dt.timedelta(days=30)


def _make(certificate: Path, key: Path, addresses: Iterable[IPv4Address]) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    name = socket.gethostname()[:64]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    known = dict.fromkeys([IPv4Address("127.0.0.1"), *(one for one in addresses if int(one))])
    names: list[x509.GeneralName] = [x509.DNSName(one) for one in dict.fromkeys((name, socket.getfqdn(), "localhost"))]
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([*names, *map(x509.IPAddress, known)]), critical=False)
        .sign(private, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    _write(key, private.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain), 0o600)
    _write(certificate, made.public_bytes(encoding), 0o644)


def _write(path: Path, octets: bytes, mode: int) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(octets)
    beside.replace(path)
