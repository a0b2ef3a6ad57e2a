"""SlowFast and TimeSformer joined, which the paper names as the next step.

SlowFast sees motion with little detail in space, TimeSformer the whole clip; their features are
joined before one linear layer.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from snakescope.sperm.networks.heads import GRADES, GradeNetwork
from snakescope.sperm.networks.residual3d import SlowFast
from snakescope.sperm.networks.transformers import TimeSformer


class SlowFastTimeSformer(GradeNetwork):
    """One linear layer on the features of both networks."""

    def __init__(self, slowfast: SlowFast, timesformer: TimeSformer) -> None:
        super().__init__()
        features = slowfast.head.in_features + timesformer.head.in_features
        slowfast.head = nn.Identity()  # type: ignore[assignment]
        timesformer.head = nn.Identity()  # type: ignore[assignment]
        self.slowfast, self.timesformer = slowfast, timesformer
        self.head = nn.Linear(features, GRADES)

    def log_probabilities(self, clips: Tensor, motion: Tensor) -> Tensor:
        seen = clips[:, None].expand(-1, 3, -1, -1, -1)
        every = clips.shape[1] // self.timesformer.frames
        both = [self.slowfast(seen), self.timesformer(seen[:, :, ::every])]
        return functional.log_softmax(self.head(torch.cat(both, dim=1)), dim=1)
