"""Whether a key of the operator's keyring signed a file: gpgv(1)."""

from __future__ import annotations

from pathlib import Path

from provd.plugin.api import Runtime

from .digests import DigestError


async def must_be_signed(runtime: Runtime, keyring: str, *files: Path, output: Path | None = None) -> None:
    """Refuse a file that no key of the keyring signed.

    Args:
        runtime: runs gpgv.
        keyring: public keys in gpgv's binary form.
        files: a clear-signed file, or a detached signature and the file that it signs.
        output: where what was signed is written, for a clear-signed file may hold more; must not be there.

    Raises:
        DigestError: nobody of the keyring signed it so.
        OSError: gpgv cannot be run.
    """
    out = ["--output", str(output)] if output is not None else []
    argv = ["gpgv", "--keyring", keyring, *out, *map(str, files)]
    result = await runtime.run_process(argv, timeout_s=20.0)
    if result.status != 0:
        said = result.stderr.decode("utf-8", "replace").strip().splitlines()
        raise DigestError(f"no key of {keyring} signed it: {said[-1] if said else 'gpgv says nothing'}")
