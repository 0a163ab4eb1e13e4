"""Operations that the command line knows: those it was shipped with, and those the running service has beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import click

from provd.cli.context import Context

SHIPPED: Final = Path(__file__).with_name("operations.json")
"""What ``GET /v1/operations`` told when this version was made (``python -m provd.app.operations_page``)."""

Description = Mapping[str, Any]
"""One operation: ``name``, ``summary``, ``permission``, ``example``, ``result``, ``arguments`` (a JSON Schema)."""


@cache
def shipped() -> Mapping[str, Description]:
    """The operations of provd and the plugins that are enabled by default, by name; no service is asked."""
    return {str(one["name"]): one for one in json.loads(SHIPPED.read_bytes())}


def running(ctx: click.Context) -> Mapping[str, Description]:
    """Operations of the running service, by name; none where it does not run."""
    from provd.api.client import ApiError, NotReachableError

    context = ctx.find_object(Context)
    if context is None:
        return {}
    context.take(ctx.find_root().params)
    try:
        return context.operations()
    except (ApiError, NotReachableError, click.ClickException):
        return {}


def find(ctx: click.Context, name: str) -> Description | None:
    """An operation by its name: the shipped one, else the running service's."""
    return shipped().get(name) or running(ctx).get(name)
