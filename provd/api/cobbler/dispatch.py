"""From the octets of a request to the octets of its answer; whatever goes wrong is one fault."""

from __future__ import annotations

from functools import partial
from ipaddress import ip_address
from typing import Any

from twisted.logger import Logger

from provd.api.cobbler.absent import ABSENT
from provd.api.cobbler.call import Bridge, Call, CobblerError
from provd.api.cobbler.fields import FieldError
from provd.api.cobbler.methods import every_method
from provd.api.cobbler.reading import AT_ONCE
from provd.api.cobbler.registry import NOBODY, ArgumentError, Method
from provd.api.cobbler.wire import BadRequestError, answer, fault, parse
from provd.model.account import Caller
from provd.service.access import AccessError
from provd.service.operations import ANONYMOUS_READ, OperationError, permitted

_TYPE = "TypeError"
_VALUE = "ValueError"


class Dispatcher:
    """Answers requests.

    Args:
        bridge: what calls share.
    """

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.methods = every_method().methods
        self._log = Logger(namespace="provd.cobbler")

    async def handle(self, raw: bytes, peer: str) -> bytes:
        """The response to a request.

        Args:
            raw: its body.
            peer: address that it came from.
        """
        try:
            name, arguments = parse(raw)
        except BadRequestError as error:
            return fault(str(error), kind=_VALUE)
        try:
            value = await self._run(name, arguments, peer)
            if isinstance(value, list) and len(value) > AT_ONCE:
                # A system's item takes 0.2 ms to write.
                written: bytes = await self.bridge.in_thread(partial(answer, value))
                return written
            return answer(value)
        except ArgumentError as error:
            return fault(str(error), kind=_TYPE)
        except FieldError as error:
            return fault(str(error), kind=_VALUE)
        except (CobblerError, AccessError) as error:
            return fault(str(error))
        except OperationError as error:
            where = f"{error.field}: " if error.field and error.field not in str(error) else ""
            return fault(f"{where}{error}")
        except Exception as error:  # noqa: BLE001  one request never stops the service
            self._log.failure("method {name} failed", name=name[:80])
            return fault(f"{name[:80]} failed: {type(error).__name__}; the log has the error", kind="Exception")

    async def _run(self, name: str, arguments: tuple[Any, ...], peer: str) -> object:
        method = self.methods.get(name)
        if method is None:
            reason = f": {ABSENT[name]}" if name in ABSENT else ""
            raise CobblerError(f'method "{name[:80]}" is not supported{reason}')
        call = self._call(method, method.token(arguments), peer)
        return await method.run(call, *method.fixed, *method.checked(arguments))

    def _call(self, method: Method, token: object, peer: str) -> Call:
        """Who calls, if they may.

        Raises:
            AccessError: not let in.
        """
        loopback = is_loopback(peer)
        if method.permission == NOBODY:
            return Call(self.bridge, Caller("", "", via="xmlrpc", peer=peer), "", peer, loopback)
        if not token and method.permission == ANONYMOUS_READ:
            if not (loopback or self.bridge.anonymous(peer)):
                raise AccessError("reads without a token are answered to this machine only; log in first")
            # Granted by the way it came; the operations behind it only read.
            return Call(self.bridge, Caller("anonymous", "read", via="xmlrpc", peer=peer), "", peer, loopback)
        if not isinstance(token, str):
            raise AccessError("invalid token")
        caller = self.bridge.access.caller(token, via="xmlrpc", peer=peer)
        if not permitted(caller.role, method.permission):
            raise AccessError(f"authorization failure for user {caller.user}: {method.name} needs {method.permission}")
        return Call(self.bridge, caller, token, peer, loopback)


def is_loopback(peer: str) -> bool:
    """Whether an address is this machine's own loopback."""
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return False
