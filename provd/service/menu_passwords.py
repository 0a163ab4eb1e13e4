"""Passwords of menus: read by reference, hashed for the boot loaders, and never handed on in any other form.

The hashes are made once for each password and process, so that a configuration that is fetched again has the same ones.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from provd.model.menu import Menu, PasswordHashes

_CRYPT_ROUNDS: Final = 5000
"""The default of SHA-512 crypt, which a loader works through in real mode."""
_PBKDF2_ROUNDS: Final = 10_000
"""The default of grub-mkpasswd-pbkdf2."""
_MOST: Final = 1000
"""Passwords whose hashes are remembered."""


class MenuPasswordError(ValueError):
    """A password cannot be had; the sentence names the reference, never the value."""


class MenuPasswords:
    """Fills the hashes into a menu.

    Args:
        resolve: gives the value of a reference to a secret, and whether it may be read once only.
    """

    def __init__(self, resolve: Callable[[object], tuple[object, bool]]) -> None:
        self._resolve = resolve
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, PasswordHashes] = {}

    def fill(self, menu: Menu) -> Menu:
        """The menu with the hashes of the passwords that it and its entries have.

        Raises:
            MenuPasswordError: one of them cannot be read, or is empty.
        """
        if menu.password is not None:
            own: PasswordHashes | None = self._hashes(f"menu {menu.name}", menu.password)
        else:
            # Without a password of its own a loader would let everybody past the menu to a prompt.
            guarded = any(entry.password is not None for entry in menu.all_entries())
            own = self._hashed(self._key.hex()) if guarded else None
        return replace(self._inside(menu), hashes=own)

    def _inside(self, menu: Menu) -> Menu:
        entries = tuple(
            replace(entry, hashes=self._hashes(f"entry {entry.name} of menu {menu.name}", entry.password))
            if entry.password is not None
            else entry
            for entry in menu.entries
        )
        return replace(menu, entries=entries, menus=tuple(self._inside(one) for one in menu.menus))

    def _hashes(self, whose: str, reference: Mapping[str, object]) -> PasswordHashes:
        try:
            value, _once = self._resolve(reference)
        except ValueError as error:
            raise MenuPasswordError(
                f"the password of {whose} cannot be had: {str(error).removeprefix(': ')}"
            ) from error
        password = str(value)
        if not password or not password.isprintable():
            raise MenuPasswordError(f"the password of {whose} is empty or cannot be typed")
        return self._hashed(password)

    def _hashed(self, password: str) -> PasswordHashes:
        # Taken when the first menu has a password: most services have none, and it is most of a MiB.
        from passlib.hash import grub_pbkdf2_sha512, sha512_crypt

        # The password itself is not kept.
        key = hmac.digest(self._key, password.encode(), "sha256")
        if key not in self._known:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = PasswordHashes(
                sha512_crypt.using(rounds=_CRYPT_ROUNDS).hash(password),
                grub_pbkdf2_sha512.using(rounds=_PBKDF2_ROUNDS).hash(password),
            )
        return self._known[key]
