"""Commands made from operations: each operation is one, also those that plugins of the running service bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import click

from provd.cli import cobbler_habits
from provd.cli.arguments import DOCUMENTS, Argument, arguments_of, options_of, value_of
from provd.cli.context import Context, example, output_parameter, sentences, service_parameters
from provd.cli.groups import Group
from provd.cli.known import Description, find, running, shipped
from provd.cli.names import name_completer

_OPTIONAL: Final[Mapping[str, tuple[str, ...]]] = {
    "boots": ("system",),
    "answer.preview": ("system",),
    "lint": ("profile",),
}
"""Arguments that need not be named but stand without an option where they are."""

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refinement:
    """What a command has beside the arguments of its operation.

    Attributes:
        parameters: further options.
        hidden: arguments that they replace.
        refine: changes what click collected into arguments of the operation, before the call.
        call: makes the call and prints the result; None for the usual way.
        many: what any number of words without an option are, found in ``more``; empty for the required arguments.
    """

    parameters: Callable[[], Sequence[click.Parameter]] = list
    hidden: frozenset[str] = frozenset()
    refine: Callable[[Context, Values, Values], None] | None = None
    call: Callable[[Context, str, Values, str], None] | None = None
    many: str = ""


@dataclass(frozen=True, slots=True)
class Extras:
    """Refinements by name of the operation, and by its verb for every noun."""

    operations: Mapping[str, Refinement] = field(default_factory=dict)
    verbs: Mapping[str, Callable[[str], Refinement]] = field(default_factory=dict)

    def of(self, operation: str) -> Refinement:
        """The refinement of an operation."""
        noun, _, verb = operation.partition(".")
        made = self.verbs.get(verb)
        return self.operations.get(operation) or (made(noun) if made else Refinement())


class OperationGroup(Group):
    """A group whose commands are operations, beside those it has itself.

    Args:
        noun: first part of its operations' names; empty for the top level.
        extras: refinements.
    """

    def __init__(self, *args: Any, noun: str = "", extras: Extras | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.noun, self.extras = noun, extras or Extras()

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """A context; at the top with a state of its own, so that one invocation leaves nothing to the next."""
        first = self.context_settings.get("obj")
        if parent is None and isinstance(first, Context):
            extra.setdefault("obj", replace(first))
        return super().make_context(info_name, args, parent, **extra)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Its own command, else one made from an operation."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        operation = find(ctx, f"{self.noun}.{cmd_name}" if self.noun else cmd_name)
        if operation is not None:
            return operation_command(cmd_name, operation, self.extras.of(str(operation["name"])))
        return None if self.noun else self._noun_group(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, or a near miss in the error."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not near or near[0] in error.message:
                raise
            raise click.UsageError(f"{error.message} Did you mean '{near[0]}'?", ctx=ctx) from error

    def _noun_group(self, ctx: click.Context, noun: str) -> click.Command | None:
        """A group for a noun that only plugins know."""
        for known in (shipped(), running(ctx)):
            verbs = [one for name, one in known.items() if name.startswith(f"{noun}.")]
            if verbs:
                text, line = f"Operations on {noun}.", example(str(verbs[0]["example"]))
                return OperationGroup(noun, noun=noun, extras=self.extras, help=text, epilog=line)
        return None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Its own commands and the operations."""
        prefix = f"{self.noun}." if self.noun else ""
        known = {*shipped(), *running(ctx)}
        theirs = {name.removeprefix(prefix).partition(".")[0] for name in known if name.startswith(prefix)}
        return sorted({*super().list_commands(ctx), *theirs})


class OperationCommand(click.Command):
    """A command whose required arguments stand without an option or with it.

    Args:
        placed: the arguments that may stand without.
    """

    def __init__(self, *args: Any, placed: Sequence[Argument] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.placed = placed

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, and say what is missing as click does.

        Raises:
            click.MissingParameter: fewer words than required arguments without their option.
        """
        rest = super().parse_args(ctx, args)
        if ctx.resilient_parsing:
            return rest
        open_ = [one for one in self.placed if ctx.params.get(one.name) is None]
        for one in open_[len(ctx.params["words"]) :]:
            if one.required:
                raise click.MissingParameter(ctx=ctx, param_hint=f"'{one.name.upper()}'", param_type="argument")
        return rest


def operation_command(name: str, description: Description, refinement: Refinement) -> click.Command:
    """A command whose options are the arguments of an operation."""
    operation = str(description["name"])
    noun = operation.partition(".")[0] if "." in operation else ""
    arguments = [one for one in arguments_of(description["arguments"]) if one.name not in refinement.hidden]
    placed = _placed(operation, arguments)

    @sentences
    def invoke(words: tuple[str, ...], output: str, **given: Any) -> None:
        context = click.get_current_context().ensure_object(Context)
        values = _values(arguments, placed, () if refinement.many else words, given)
        cobbler_habits.take(values, given)
        if refinement.refine:
            refinement.refine(context, values, {**given, "more": words})
        _check_required(arguments, values)
        (refinement.call or call_and_show)(context, operation, values, output)
        if values.get("dry_run") and output == "table":
            click.echo("a dry run: nothing is changed", err=True)

    parameters: list[click.Parameter] = list(refinement.parameters())
    parameters += [*options_of(arguments, noun), *cobbler_habits.hidden_options(arguments), output_parameter()]
    for one in parameters:
        if isinstance(one, click.Option) and not one.help and one.name in {known.name for known in placed}:
            one.help = f"The same as {one.name.upper()}."
    taken = {parameter.name for parameter in parameters}
    parameters += [one for one in service_parameters() if one.name not in taken]
    parameters.insert(0, _words_argument(placed, noun, refinement.many))
    summary = str(description["summary"])
    epilog = example(*_examples(operation, description))
    words = [] if refinement.many else placed
    return OperationCommand(name, callback=invoke, params=parameters, help=summary, epilog=epilog, placed=words)


def call_and_show(context: Context, operation: str, values: Values, output: str) -> None:
    """Call the operation and print what it told, as most commands do."""
    from provd.cli.output import show_result, waiting

    with waiting(f"{operation} runs"):
        result = context.client.call(operation, values)
    show_result(operation, result, output)


def _examples(operation: str, description: Description) -> list[str]:
    from provd.cli.examples import MORE

    return [str(description["example"]), *MORE.get(operation, ())]


def _placed(operation: str, arguments: Sequence[Argument]) -> list[Argument]:
    """Arguments that may stand without their option: NAME, and the like."""
    optional = _OPTIONAL.get(operation, ())
    return [
        one
        for one in arguments
        if (one.required and (one.kind == "text" or one.name in DOCUMENTS)) or one.name in optional
    ]


def _words_argument(placed: Sequence[Argument], noun: str, many: str) -> click.Argument:
    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
        if many:
            found = name_completer("name", noun)
            return found(ctx, parameter, incomplete) if found else []
        open_ = [one for one in placed if ctx.params.get(one.name) is None]
        number = len(ctx.params.get("words") or ())
        found = name_completer(open_[number].name, noun) if number < len(open_) else None
        return found(ctx, parameter, incomplete) if found else []

    metavar = (
        f"[{many}]..." if many else " ".join("FILE" if one.name in DOCUMENTS else one.name.upper() for one in placed)
    )
    return click.Argument(["words"], nargs=-1, metavar=metavar, shell_complete=complete)


def _values(arguments: Sequence[Argument], placed: Sequence[Argument], words: tuple[str, ...], given: Values) -> Values:
    """Arguments of the operation: what was named on the command line, nothing else.

    Raises:
        click.UsageError: there are more words than the command takes.
    """
    named = {one.name: given[one.name] for one in arguments if given.get(one.name) not in (None, ())}
    left = list(words)
    for one in placed:
        if left and one.name not in named:
            word = left.pop(0)
            named[one.name] = f"@{word}" if one.name in DOCUMENTS and word != "-" else word
    if left:
        raise click.UsageError(f"Got unexpected extra argument{'s' * (len(left) > 1)} ({' '.join(left)})")
    values = {one.name: value_of(one, named[one.name]) for one in arguments if one.name in named}
    for key in given.get("inherit") or ():
        values[str(key).replace("-", "_")] = None
    return values


def _check_required(arguments: Sequence[Argument], values: Values) -> None:
    """Say what is missing of that which stands behind an option.

    Raises:
        click.UsageError: something that the operation needs.
    """
    for one in arguments:
        if one.required and one.name not in values:
            raise click.UsageError(f"Missing option '{one.flag}'.")
