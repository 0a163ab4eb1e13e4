"""A login at another server in the settings of a plugin: a user, and a reference to the password."""

from __future__ import annotations

from collections.abc import Mapping

from provd.model.secret import NO_REFERENCE, SECRET_KINDS


def check_login(user: str, password: Mapping[str, object]) -> None:
    """Refuse half a login, and a password that is no reference; for ``__post_init__`` of settings.

    Args:
        user: empty for no login.
        password: what ``Runtime.secret`` reads later: a table with one of the keys ``file``, ``env``, ``credential``.

    Raises:
        ValueError: it is one of them; the sentence does not hold the password.
    """
    if bool(user) != bool(password):
        raise ValueError("user and password go together")
    if not password.keys() <= set(SECRET_KINDS):
        raise ValueError(f"password: {NO_REFERENCE}")
