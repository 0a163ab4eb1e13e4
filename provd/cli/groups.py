"""Groups of commands, as their help lists them."""

from __future__ import annotations

import click

_WHOLE = 1000
"""Letters of a description: more than any has."""


class Group(click.Group):
    """A group that lists the whole first sentence of each command, over several lines where it is long."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands; click cuts a description off where a line of the terminal ends."""
        named = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, one.get_short_help_str(_WHOLE)) for name, one in named if one is not None and not one.hidden]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
