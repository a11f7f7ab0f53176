"""The exceptions that a user may see: the text is the whole message.

One rule gives the exit status of every command: 2 for what the user gave, 1 for what the machine did not do.
"""


class EcotError(Exception):
    """A fault outside the program: a missing or damaged file, a full disk, a device that is not there.

    The text names it, where it is and the way out.
    """

    exit_code = 1


class MistakeError(EcotError):
    """What the user gave cannot be meant: a setting, a name, an option. Running it again changes nothing."""

    exit_code = 2
