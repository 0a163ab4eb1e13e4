"""Commands for operations that plugins bring: they appear as soon as the running service has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from provd.cli.context import Context, example, sentences
from provd.cli.output import show

_TYPES: Mapping[str, click.ParamType[Any]] = {
    "integer": click.INT,
    "number": click.FLOAT,
    "boolean": click.BOOL,
    "string": click.STRING,
}


class OperationGroup(click.Group):
    """A group that asks the service for commands it does not have itself.

    Args:
        noun: first part of its operations' names; empty for the top level.
    """

    def __init__(self, *args: Any, noun: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.noun = noun

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Its own command, else one made from an operation."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        known = _operations(ctx)
        name = f"{self.noun}.{cmd_name}" if self.noun else cmd_name
        if name in known:
            return operation_command(cmd_name, known[name])
        verbs = [one for one in known if not self.noun and one.startswith(f"{cmd_name}.")]
        if not verbs:
            return None
        line = str(known[verbs[0]]["example"])
        return OperationGroup(cmd_name, noun=cmd_name, help=f"Operations on {cmd_name}.", epilog=example(line))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Its own commands and those the service offers beside them."""
        prefix = f"{self.noun}." if self.noun else ""
        theirs = {name.removeprefix(prefix).partition(".")[0] for name in _operations(ctx) if name.startswith(prefix)}
        return sorted({*super().list_commands(ctx), *theirs})


def _operations(ctx: click.Context) -> dict[str, dict[str, Any]]:
    """Operations of the running service; none where it does not run."""
    from provd.api.client import ApiError, NotReachableError

    context = ctx.find_object(Context)
    if context is None:
        return {}
    try:
        return {str(one["name"]): one for one in context.client.operations()}
    except (ApiError, NotReachableError, click.ClickException):
        return {}


def operation_command(name: str, description: Mapping[str, Any]) -> click.Command:
    """A command whose options are the arguments of an operation."""
    properties, required = _arguments(description["arguments"])

    @sentences
    def invoke(**given: Any) -> None:
        output = given.pop("output")
        context = click.get_current_context().ensure_object(Context)
        arguments = {key: value for key, value in given.items() if value is not None}
        show(context.client.call(str(description["name"]), arguments), output)

    parameters: list[click.Parameter] = [
        _option(key, schema, required=key in required) for key, schema in properties.items()
    ]
    choice = click.Choice(["table", "json"])
    parameters.append(click.Option(["-o", "--output"], type=choice, default="table", help="How to print."))
    return click.Command(
        name, callback=invoke, params=parameters, help=description["summary"], epilog=example(description["example"])
    )


def _arguments(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], frozenset[str]]:
    """Properties and required names of the structure that a schema describes."""
    if "$ref" in schema:
        schema = schema["$defs"][str(schema["$ref"]).rpartition("/")[2]]
    return schema.get("properties", {}), frozenset(schema.get("required", ()))


def _option(key: str, schema: Mapping[str, Any], *, required: bool) -> click.Option:
    kind = _TYPES.get(str(schema.get("type", "")))
    name = f"--{key.replace('_', '-')}"
    if kind is not None:
        return click.Option([name, key], type=kind, required=required, help=schema.get("description"))
    return click.Option([name, key], callback=_json, required=required, metavar="JSON", help=schema.get("description"))


def _json(_context: click.Context, parameter: click.Parameter, value: str | None) -> object:
    if value is None:
        return None
    try:
        return json.loads(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not JSON", param=parameter) from error
