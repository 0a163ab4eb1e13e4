"""The web resource that Cobbler's clients post to, and the listener on loopback where its command expects one."""

# ruff: noqa: N802 - the names are Twisted's
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from provd.api.cobbler.dispatch import Dispatcher
from provd.api.cobbler.wire import MAX_BODY, fault

PATHS: Final = (b"", b"RPC2", b"cobbler_api")
"""Where clients of several ages post to."""


class CobblerResource(Resource):
    """Answers posts of XML-RPC.

    Args:
        dispatcher: decides.
    """

    isLeaf = True  # noqa: N815

    def __init__(self, dispatcher: Dispatcher) -> None:
        super().__init__()
        self._dispatcher = dispatcher
        self._log = Logger(namespace="provd.cobbler")

    def render_POST(self, request: Any) -> object:
        """Answer, once the operation has ended; a client that has gone does not stop it."""
        request.setHeader(b"content-type", b"text/xml")
        request.setHeader(b"cache-control", b"no-store")
        if request.requestHeaders.hasHeader(b"content-encoding"):
            return fault("encoded requests are refused", kind="ValueError")
        raw = request.content.read(MAX_BODY + 1)
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)
        work = Deferred.fromCoroutine(self._dispatcher.handle(raw, str(request.getClientIP() or "")))

        def send(answer: bytes) -> None:
            if not gone:
                request.setHeader(b"content-length", str(len(answer)).encode())
                request.write(answer)
                request.finish()

        def broken(failure: Failure) -> None:
            self._log.failure("the answer could not be written", failure)
            if not gone:
                request.loseConnection()

        work.addCallback(send).addErrback(broken)
        return NOT_DONE_YET


class _CappedRequest(Request):
    """Keeps the body in memory, up to the cap."""

    content: Any

    def gotLength(self, length: int | None) -> None:
        """Begin a body."""
        del length
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        """Keep one octet more than is allowed, so that the answer says so."""
        room = MAX_BODY + 1 - self.content.tell()
        self.content.write(data[:room])


def site_of(clock: IReactorTime, resource: CobblerResource) -> Site:
    """A site of its own: the paths of Cobbler's clients and nothing else."""
    root = Resource()
    for path in PATHS:
        root.putChild(path, resource)
    site = Site(root, requestFactory=_CappedRequest, reactor=clock, timeout=60)
    site.noisy = False
    return site
