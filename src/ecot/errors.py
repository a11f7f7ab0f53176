"""The one exception that a user may see: its text is the whole message."""


class EcotError(Exception):
    """A mistake or a fault outside the program; the text names it, where it is and the way out."""
