"""A job that failed, as the tables of failures and the trees know it."""

from typing import NamedTuple


class Failure(NamedTuple):
    """A job that failed for good, with the reason that its log gives in one sentence.

    Attributes:
        subject: what the sheet has a row of, such as a plate; empty where the job is of none.
        rule: its rule, without the name of the tree.
        block: which part of the subject it worked on.
        reason: one sentence.
        log: its log file.
        attempts: how often it was tried.
        status: ``failed``; ``unusable`` for a subject whose raw data cannot be used; ``excluded``
            for one that the sheet leaves out.
    """

    subject: str
    rule: str
    block: str
    reason: str
    log: str
    attempts: int
    status: str = "failed"
