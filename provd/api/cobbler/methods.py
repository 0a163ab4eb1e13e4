"""Every method that Cobbler's clients may call."""

from __future__ import annotations

from provd.api.cobbler import (
    actions,
    blending,
    editing,
    power,
    reading,
    repo_config,
    saving,
    session,
    templates,
    transactions,
    values,
)
from provd.api.cobbler.registry import Registry


def every_method() -> Registry:
    """The whole registry."""
    methods = Registry()
    for module in (
        session, reading, repo_config, saving, editing, blending, actions, power, values, templates, transactions,
    ):  # fmt: skip
        module.register(methods)
    return methods
