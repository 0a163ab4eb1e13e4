"""Cobbler's XML-RPC: names, attributes and habits of Cobbler 3.3, translated to provd's operations."""
