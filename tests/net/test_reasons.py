"""Why a connection failed, in words."""

from __future__ import annotations

from typing import Any

import pytest
from OpenSSL.SSL import Error as TlsError
from service_identity import VerificationError
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.error import DNSLookupError
from twisted.python.failure import Failure
from twisted.web.client import ResponseNeverReceived

from provd.net.reasons import reason

# Twisted's classes carry no annotations
_refused: Any = Refused
_never: Any = ResponseNeverReceived
_failure: Any = Failure
UNTRUSTED = TlsError([("SSL routines", "", "certificate verify failed")])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (_refused("111: Connection refused"), "Connection refused"),
        (DNSLookupError("no results for hostname lookup: x.invalid"), "its name has no address"),
        (UNTRUSTED, "its certificate is not signed by an authority that is trusted here"),
        (
            _never([_failure(UNTRUSTED)]),
            "its certificate is not signed by an authority that is trusted here",
        ),
        (
            TlsError([("SSL routines", "", "wrong version number")]),
            "it speaks no TLS that is known here (wrong version number)",
        ),
        (VerificationError(errors=[]), "its certificate is that of another name"),
        (ValueError(), "ValueError"),
    ],
)
def test_what_is_told(error: Exception, words: str) -> None:
    assert reason(error) == words
