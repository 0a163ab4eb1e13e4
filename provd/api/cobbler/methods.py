"""Every method that Cobbler's clients may call."""

from __future__ import annotations

from provd.api.cobbler import actions, blending, editing, reading, saving, session, templates, transactions, values
from provd.api.cobbler.registry import Registry


def every_method() -> Registry:
    """The whole registry."""
    methods = Registry()
    for module in (session, reading, saving, editing, blending, actions, values, templates, transactions):
        module.register(methods)
    return methods
