"""Plugins: the contract, the host that calls them, and where they come from."""
