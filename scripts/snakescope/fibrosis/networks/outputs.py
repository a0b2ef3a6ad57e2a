"""What the networks of this tree return."""

from typing import NamedTuple

from torch import Tensor


class Output(NamedTuple):
    """Output of a network that segments and classifies.

    Attributes:
        masks: logits of the liver, finest first, each (N, 1, Y, X).
        stage: logits of the class branch: (N, classes), or of cumulative thresholds (N, 4) for
            stages >= F1, F2, F3, F4.
        features: (N, channels), what the class branch sees: tells unusual scans.
    """

    masks: tuple[Tensor, ...]
    stage: Tensor
    features: Tensor
