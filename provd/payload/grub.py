"""A GRUB with the modules that signed builds lack, put together by ``grub-mkimage``."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from provd.payload.catalogue import GrubImage
from provd.payload.errors import PayloadError

# Loaded by UEFI HTTP boot, GRUB knows neither its address nor the server: it asks DHCP itself, and takes the server
# from option 54 of that answer, which net_get_dhcp_option gives as eight hex digits; numbers of an address may be hex.
# It cannot know the server's port either, so the two usual ones are tried. Loaded by PXE it has a prefix.
EARLY_CONFIG = r"""if [ -z "$net_default_server" ]; then
  net_dhcp
  for card in efinet0 efinet1 efinet2 efinet3; do
    eval "provd_mac=\$net_${card}_dhcp_mac"
    if [ -n "$provd_mac" ]; then
      net_get_dhcp_option provd_hex ${card}:dhcp 54 hex
      if regexp --set=1:a --set=2:b --set=3:c --set=4:d "^(..)(..)(..)(..)" "$provd_hex"; then
        for port in 80 8080; do
          configfile "(http,0x$a.0x$b.0x$c.0x$d:$port)/grub/$provd_mac/grub.cfg"
        done
      fi
    fi
  done
  echo "GRUB got no configuration: DHCP gave no address, or no HTTP server answered on port 80 or 8080."
  sleep 10
  reboot
fi
configfile $prefix/grub.cfg
"""


def build_image(image: GrubImage, modules: Path, mkimage: Path, target: Path) -> None:
    """Write ``target``.

    Args:
        image: what to build.
        modules: folder with the platform's modules.
        mkimage: the ``grub-mkimage`` to call.
        target: file to write.

    Raises:
        PayloadError: grub-mkimage cannot run here or refuses.
    """
    missing = [name for name in image.modules if not (modules / f"{name}.mod").is_file()]
    if missing:
        raise PayloadError(f"{modules} lacks the GRUB modules {', '.join(missing)}")
    early, memdisk = target.with_suffix(".cfg"), target.with_suffix(".tar")
    # The embedded configuration is read by the rescue parser, which knows no `if`: it only starts the one in memory.
    early.write_text("normal (memdisk)/grub.cfg\n")
    with tarfile.open(memdisk, "w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo("grub.cfg")
        member.size = len(EARLY_CONFIG.encode())
        tar.addfile(member, io.BytesIO(EARLY_CONFIG.encode()))
    command = [str(mkimage), "-O", image.platform, "-d", str(modules), "-o", str(target)]
    try:
        # The prefix comes last: -m sets one of its own.
        command += ["-c", str(early), "-m", str(memdisk), "-p", image.prefix, *image.modules]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise PayloadError(f"grub-mkimage cannot be started ({error}); install grub-common") from error
    early.unlink()
    memdisk.unlink()
    if run.returncode != 0:
        raise PayloadError(f"grub-mkimage could not build {image.file}: {run.stderr.strip() or run.returncode}")
