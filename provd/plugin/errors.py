"""What leaves a plugin off, or stops a swap: one sentence about one plugin."""

from __future__ import annotations


class PluginError(Exception):
    """A plugin cannot be used; the text is one sentence that names the plugin and what is wrong with it.

    Attributes:
        plugin: name of the plugin, or the file where the name is not known yet.
        rule: what is wrong with it.
    """

    def __init__(self, plugin: str, rule: str) -> None:
        super().__init__(f"plugin {plugin}: {rule}")
        self.plugin, self.rule = plugin, rule
