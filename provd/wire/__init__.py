"""Octets to values and back: DHCP, PXE options, option 82, TFTP. Standard library only."""
