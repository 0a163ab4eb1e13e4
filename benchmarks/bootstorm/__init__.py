"""Whole boots of many machines at once: provd beside sets of daemons that do the same together."""
