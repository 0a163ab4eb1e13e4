"""Nimbus: what a stranger brings to provd."""
