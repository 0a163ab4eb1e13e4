"""Menus that people choose from at a machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

LOCAL: Final = "local"
"""Name of the entry that every menu begins with: the machine's own disk."""


@dataclass(frozen=True, slots=True)
class PasswordHashes:
    """One password in the forms that boot loaders can check.

    Attributes:
        crypt: SHA-512 crypt, ``$6$SALT$HASH`` (pxelinux's menus).
        pbkdf2: ``grub.pbkdf2.sha512.ROUNDS.SALT.HASH`` (GRUB).
    """

    crypt: str = field(repr=False)
    pbkdf2: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One choice.

    Attributes:
        name: of the profile that it boots; unique in the whole menu.
        title: as it is shown.
        installs: it puts something on the disk.
        password: reference to its own secret, None for none.
        protected: it takes the menu's password, or its own.
        hashes: of its own password; filled in for the machine that is shown the menu.
    """

    name: str
    title: str
    installs: bool = True
    password: Mapping[str, object] | None = None
    protected: bool = False
    hashes: PasswordHashes | None = None


@dataclass(frozen=True, slots=True)
class Menu:
    """``menus/NAME.toml`` with what stands in it.

    Attributes:
        name: unique name.
        title: as it is shown.
        entries: in their order.
        menus: menus in this one.
        timeout_s: seconds until the default is started, 0 for never.
        default: name of the entry that is started then; it installs nothing.
        protect: which entries take the password: ``installs``, ``all`` or ``none``.
        password: reference to the secret that opens every entry, None for none.
        hashes: of that password; filled in for the machine that is shown the menu.
        adopt_as: pattern of the name that an unknown machine gets when it chooses to install; empty: it may not.
    """

    name: str
    title: str = ""
    entries: tuple[MenuEntry, ...] = ()
    menus: tuple[Menu, ...] = ()
    timeout_s: int = 20
    default: str = LOCAL
    protect: str = "installs"
    password: Mapping[str, object] | None = None
    hashes: PasswordHashes | None = None
    adopt_as: str = ""

    def all_entries(self) -> Iterator[MenuEntry]:
        """Entries of this menu and of those in it."""
        yield from self.entries
        for menu in self.menus:
            yield from menu.all_entries()

    def entry(self, name: str) -> MenuEntry | None:
        """The entry of this name, wherever it stands."""
        return next((one for one in self.all_entries() if one.name == name), None)
