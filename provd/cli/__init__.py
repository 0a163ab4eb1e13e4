"""The command line: a client of the local API, and what works without a running service."""
