"""What comes out of a network: log probabilities of the grades, and what it is trained with."""

import torch
from torch import Tensor, nn
from torch.nn import functional

GRADES = 5
LEAST_RISE = 1e-3
"""From one threshold of the quality to the next, at least."""


class GradeNetwork(nn.Module):
    """A clip to the distribution of its grades.

    Subclasses define ``log_probabilities``. ``motion`` holds the series of
    :func:`snakescope.sperm.clips.motion.features`; most networks do not look at it.

    Attributes:
        rate: what the learning rate of the settings is multiplied by.
    """

    rate = 1.0

    def begin(self, motion: Tensor, votes: Tensor) -> None:
        """What is fitted before the first step with pictures; nothing in most networks.

        Args:
            motion: of the clips that are trained on, (N, 19); votes: counts (N, 5).
        """

    def log_probabilities(self, clips: Tensor, motion: Tensor) -> Tensor:
        """Log probabilities (B, 5) of clips (B, 16, y, x), normalised grey values."""
        raise NotImplementedError

    def losses(self, clips: Tensor, motion: Tensor, votes: Tensor) -> dict[str, Tensor]:
        """Losses by name; as in the paper, the squared error of the distribution.

        Args:
            votes: counts (B, 5).
        """
        found = self.log_probabilities(clips, motion).exp()
        return {"squared": (found - shares(votes)).square().mean()}

    def forward(self, clips: Tensor, motion: Tensor) -> Tensor:
        return self.log_probabilities(clips, motion)


def shares(votes: Tensor) -> Tensor:
    """Votes as shares that sum to 1, (B, 5)."""
    return votes / votes.sum(1, keepdim=True)


class Softmax(GradeNetwork):
    """A published network with five outputs.

    Args:
        network: of RGB images (B, 3, y, x), or of clips (B, 3, T, y, x).
        frames: how many frames, evenly spread, it looks at; 1: the first.
        image: whether it takes images.
    """

    def __init__(self, network: nn.Module, frames: int, image: bool) -> None:
        super().__init__()
        self.network, self.frames, self.image = network, frames, image

    def seen(self, clips: Tensor) -> Tensor:
        """What the network is given of clips (B, 16, y, x)."""
        if self.image:
            return clips[:, :1].expand(-1, 3, -1, -1)
        chosen = clips[:, :: clips.shape[1] // self.frames]
        return chosen[:, None].expand(-1, 3, -1, -1, -1)

    def log_probabilities(self, clips: Tensor, motion: Tensor) -> Tensor:
        return functional.log_softmax(self.network(self.seen(clips)), dim=1)


class Ordinal(nn.Module):
    """An ordered latent quality: its mean and spread, cut by learned thresholds.

    Instead of five free probabilities, a clip has two numbers; the thresholds are shared, as
    persons share what a grade means. Votes are probit: grade k lies between thresholds k and k + 1.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.project = nn.Linear(features, 2)
        nn.init.normal_(self.project.weight, std=0.01)
        nn.init.zeros_(self.project.bias)
        self.first = nn.Parameter(torch.tensor(-0.9))
        self.steps = nn.Parameter(torch.full((GRADES - 2,), -0.2))

    def thresholds(self) -> Tensor:
        """Ascending (4,)."""
        rises = functional.softplus(self.steps) + LEAST_RISE
        return torch.cat([self.first[None], self.first + rises.cumsum(0)])

    def quality(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and SD of the quality, each (B,)."""
        mean, spread = self.project(features).unbind(1)
        return mean, 0.3 + functional.softplus(spread + 0.5)

    def forward(self, features: Tensor) -> Tensor:
        """Log probabilities (B, 5)."""
        mean, sd = self.quality(features)
        below = torch.special.ndtr((self.thresholds() - mean[:, None]) / sd[:, None])
        ends = below.new_zeros(len(below), 1)
        found = torch.diff(torch.cat([ends, below, ends + 1], 1), dim=1)
        return found.clamp_min(1e-6).log()

    @torch.no_grad()
    def correct(self, stretch: float, widen: float) -> None:
        """Spread qualities about the middle of the thresholds by a factor, their SDs by another.

        Only ratios to the SD count: wider SDs are written as thresholds and means that lie closer,
        so that the parameters, and files of them, stay the same in kind.
        """
        middle = self.thresholds().mean()
        self.project.weight[0] *= stretch / widen
        self.project.bias[0] = (middle + stretch * (self.project.bias[0] - middle)) / widen
        rises = torch.diff(self.thresholds()) / widen - LEAST_RISE
        self.first.div_(widen)
        self.steps.copy_(rises.clamp_min(1e-6).expm1().log())
