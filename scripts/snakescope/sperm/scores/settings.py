"""Settings of the scores of predicted distributions."""

from typing import ClassVar

from snakescope.learning.settings import ScoreSettings


class GradeScoreSettings(ScoreSettings):
    """Scores of predicted distributions over grades."""

    version: ClassVar[int] = 2
