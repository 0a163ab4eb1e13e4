"""A simulated network boot client: firmware, loaders and installer as generators that do no I/O themselves.

A stage yields actions (:mod:`provd.simulate.actions`) and is sent their results; a driver carries them out, in
process or over sockets. The packets have the shape of those captured from real firmware.
"""
