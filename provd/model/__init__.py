"""Frozen values: what provd talks about, without any behaviour that needs the world."""
