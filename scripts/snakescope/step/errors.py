"""The exception whose message is shown to users without a traceback."""


class StepError(Exception):
    """An error that users can repair, described in one sentence.

    The message names the file, what was expected, what was found and what to do.
    """
