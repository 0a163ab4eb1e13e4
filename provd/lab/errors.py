"""What goes wrong in the laboratory."""


class LabError(Exception):
    """One sentence for people: which machine, network or program, and what happened."""
