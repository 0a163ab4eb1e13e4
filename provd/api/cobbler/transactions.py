"""Several saves as one: they wait until the commit, which is one operation."""

from __future__ import annotations

from typing import Any

from provd.api.cobbler.call import Call, CobblerError
from provd.api.cobbler.registry import Registry


async def transaction_begin(call: Call, token: str) -> object:
    """From now on writes of this token wait."""
    if token in call.bridge.transactions:
        raise CobblerError("a transaction has begun already")
    call.bridge.transactions[token] = []
    return True


async def transaction_commit(call: Call, token: str) -> object:
    """Do what waits, in order; where one would be refused, nothing is done."""
    waiting = _taken(call, token)
    if waiting:
        changes = [{"operation": operation, "arguments": arguments} for operation, arguments in waiting]
        await call.ask("change", changes=changes)
    return True


async def transaction_abort(call: Call, token: str) -> object:
    """Forget what waits."""
    _taken(call, token)
    return True


def _taken(call: Call, token: str) -> list[tuple[str, dict[str, Any]]]:
    waiting = call.bridge.transactions.pop(token, None)
    if waiting is None:
        raise CobblerError("no transaction has begun")
    return waiting


def register(methods: Registry) -> None:
    """Put the methods into the registry."""
    seen = "an object that waits is not seen by the writes behind it"
    methods.add("transaction_begin", "operate", transaction_begin)
    methods.add("transaction_commit", "operate", transaction_commit, differs=seen)
    methods.add("transaction_abort", "operate", transaction_abort)
