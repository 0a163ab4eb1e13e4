"""``provd plan``: what a change would do to every machine, before it is made."""
