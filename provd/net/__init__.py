"""Sockets and Twisted protocols: DHCP, TFTP and HTTP as they come from the wire, and the plugin runtime."""
