"""Words of GRUB's script language."""

from __future__ import annotations


def argument(text: str) -> str:
    """One kernel argument as GRUB must be given it: it sets the double quotes round blanks itself.

    Raises:
        ValueError: GRUB would change it.
    """
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError(f"kernel argument {text!r} holds a control character")
    if "\\" in text or "'" in text:
        raise ValueError(f"kernel argument {text!r} holds a backslash or a single quote, which GRUB changes")
    if text.count('"') % 2:
        raise ValueError(f"kernel argument {text!r} holds an unpaired double quote")
    return text.replace('"', "")


def quoted(text: str) -> str:
    """One word of GRUB's script language, taken literally."""
    return "'" + text.replace("'", "'\\''") + "'"
