"""Decisions: facts, state and the time in, an outcome out. No I/O, no clock, no Twisted."""
