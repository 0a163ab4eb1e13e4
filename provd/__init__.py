"""provd: a plugin-based network provisioning server."""
