"""The certificate of the listener: given or self-made, its fingerprint where an operator looks; faults stop the start."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest

from provd.app.tls import own_certificate
from tests.json_api.api_server import ApiServer


def fingerprint(certificate: Path) -> str:
    """As `openssl x509 -fingerprint -sha256` prints it."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).digest().hex(":").upper()


def test_a_given_certificate_is_the_one_that_is_shown(tmp_path: Path) -> None:
    certificate, key = own_certificate(tmp_path / "given", ())
    api = ApiServer(tmp_path, f'tls_certificate = "{certificate}"\ntls_key = "{key}"\n', trust=certificate)
    try:
        assert not (tmp_path / "data" / "api").exists()
        told = api.call("status", "read").body["result"]["api"]
        assert told == {
            "urls": [f"https://127.0.0.1:{api.port}"],
            "certificate_sha256": fingerprint(certificate),
        }
    finally:
        assert api.server.stop() == 0


def test_the_fingerprint_of_the_self_made_one_is_in_the_status(api: ApiServer) -> None:
    told = api.call("status", "read").body["result"]["api"]
    assert told["certificate_sha256"] == fingerprint(api.server.folder / "data" / "api" / "certificate.pem")


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_certificate_that_cannot_be_used_stops_the_start_with_a_sentence(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "own.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(AssertionError, match=r"api\.tls_certificate .*own\.pem: it cannot be used with its key"):
        ApiServer(tmp_path, f'tls_certificate = "{file}"\n')
