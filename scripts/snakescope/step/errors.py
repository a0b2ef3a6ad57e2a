"""The one kind of failure that a user is meant to read."""


class StepError(Exception):
    """Work that cannot be done, told in one sentence.

    The message names the file, what was expected, what was found and what to do.
    """
