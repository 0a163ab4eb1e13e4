"""What authors of plugins test with: a whole provd in memory, simulated machines, sample values, the conformance kit.

With provd installed, pytest has the fixtures of :mod:`provd.testing.fixtures`.
"""
