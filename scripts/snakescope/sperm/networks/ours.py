"""The network of this workflow: all frames, an ordered quality, and the drift of the background.

A crop follows the head of its sperm, so that how fast it swims is seen only in how the background
drifts; networks of a few hundred clips hardly learn that. Here the drift is measured
(:mod:`snakescope.sperm.clips.motion`) and given to the network. The loss is the likelihood of the
votes, with the squared earth mover's distance (Hou et al., 2016).

What is said by the drift is fitted first, in a second, as it takes many steps and no pictures; the
steps with pictures begin there. Pictures have a quality of their own as well while they train
(deep supervision; Lee et al., AISTATS 2015): what the drift explains would teach them nothing.
"""

import torch
from torch import Tensor, nn

from snakescope.sperm.networks.heads import GradeNetwork, Ordinal, shares

DRIFT = 32
"""Features of the drift."""
SCALE_UM_S = 20.0
"""What speeds were divided by before the network."""
LEAST_SD, FARTHEST = 1e-3, 4.0
"""SD of a value that is the same in all clips; how far values may be from their mean (SD)."""
FIRST_STEPS, FIRST_RATE = 100, 0.01
"""Of the fit of the drift."""


class Mixed(nn.Module):
    """A residual block: 3 x 3 in space, 3 in time (Tran et al., CVPR 2018), group norm."""

    def __init__(self, ci: int, co: int, stride: int, drop: float) -> None:
        super().__init__()
        self.space = nn.Conv3d(ci, co, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False)
        self.time = nn.Conv3d(co, co, (3, 1, 1), 1, (1, 0, 0), bias=False)
        self.out = nn.Conv3d(co, co, (1, 3, 3), 1, (0, 1, 1), bias=False)
        self.norms = nn.ModuleList(nn.GroupNorm(8, co) for _ in range(3))
        self.shortcut: nn.Module = nn.Identity()
        if ci != co or stride != 1:
            self.shortcut = nn.Conv3d(ci, co, 1, (1, stride, stride), bias=False)
        self.drop = nn.Dropout3d(drop)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norms[0](self.space(x)))
        y = torch.relu(self.norms[1](self.time(y)))
        y = self.norms[2](self.out(y))
        return torch.relu(self.drop(y) + self.shortcut(x))


class Drift(nn.Module):
    """What the series of the drift says of a sperm, (B, 19) to (B, features).

    Its values also in order of size, as the time of a step says nothing, and speeds as logarithms;
    each with mean 0 and SD 1 over the clips that it was fitted to.
    """

    def __init__(self, motion: int, features: int) -> None:
        super().__init__()
        self.series = motion - 4
        known = motion + self.series + 2
        self.register_buffer("mean", torch.zeros(known))
        self.register_buffer("sd", torch.ones(known))
        self.mean: Tensor
        self.sd: Tensor
        self.layers = nn.Sequential(
            nn.Linear(known, features), nn.GELU(), nn.Dropout(0.2),
            nn.Linear(features, features), nn.GELU(),
        )  # fmt: skip

    def known(self, motion: Tensor) -> Tensor:
        """The values, those in order, and logarithms of VSL and VCL, not scaled."""
        ordered = motion[:, : self.series].sort(dim=1).values
        speeds = motion[:, self.series : self.series + 2]
        return torch.cat([motion, ordered, torch.log1p(SCALE_UM_S * speeds.clamp_min(0))], dim=1)

    def scale(self, motion: Tensor) -> None:
        """Learn means and SDs of values."""
        known = self.known(motion)
        self.mean.copy_(known.mean(0))
        self.sd.copy_(known.std(0, correction=0) + LEAST_SD)

    def forward(self, motion: Tensor) -> Tensor:
        scaled = (self.known(motion) - self.mean) / self.sd
        found: Tensor = self.layers(scaled.clamp(-FARTHEST, FARTHEST))
        return found


def losses_of(found: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Likelihood of shares (B, 5) and squared earth mover's distance of log probabilities."""
    likelihood = -(wanted * found).sum(1).mean()
    distance = (found.exp() - wanted).cumsum(1)[:, :-1].square().sum(1).mean()
    return likelihood, distance


class Ours(GradeNetwork):
    """Grey values and their differences in time, mixed in space and time; drift joined late.

    Args:
        widths: channels of the stages, the first at a quarter of the resolution.
        motion: values of the series of the drift.
        emd: weight of the squared earth mover's distance.
    """

    rate = 3.0

    def __init__(
        self, widths: tuple[int, ...] = (32, 64, 128), motion: int = 19, emd: float = 1.0,
        drop: float = 0.1,
    ) -> None:  # fmt: skip
        super().__init__()
        first = widths[0]
        self.stem = nn.Sequential(
            nn.Conv3d(2, first, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            nn.GroupNorm(8, first),
            nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        pairs = zip((first, *widths), widths, strict=False)
        self.stages = nn.Sequential(
            *(Mixed(ci, co, 1 if at == 0 else 2, drop) for at, (ci, co) in enumerate(pairs))
        )
        self.seen = 2 * widths[-1]
        self.motion = Drift(motion, DRIFT)
        self.dropout = nn.Dropout(0.3)
        self.head = Ordinal(self.seen + DRIFT)
        self.pictured = Ordinal(self.seen)
        self.emd = emd

    def features(self, clips: Tensor) -> Tensor:
        """The last maps (B, C, T, y, x)."""
        change = torch.diff(clips, dim=1, prepend=clips[:, :1])
        found: Tensor = self.stages(self.stem(torch.stack([clips, change], dim=1)))
        return found

    def pictures(self, clips: Tensor) -> Tensor:
        """What is seen in clips, (B, F)."""
        maps = self.features(clips)
        return torch.cat([maps.mean((2, 3, 4)), maps.amax((3, 4)).mean(2)], dim=1)

    def with_drift(self, pictures: Tensor, motion: Tensor) -> Tensor:
        """What the head sees of pictures (B, F) and of the drift."""
        return torch.cat([self.dropout(pictures), self.motion(motion)], dim=1)

    def begin(self, motion: Tensor, votes: Tensor) -> None:
        """Fit what the drift says, with all clips in a step and pictures that say nothing."""
        self.motion.scale(motion)
        wanted, empty = shares(votes), motion.new_zeros(len(motion), self.seen)
        drift = list(self.motion.parameters())
        optimiser = torch.optim.AdamW(
            [*drift, *self.head.parameters()], lr=FIRST_RATE, weight_decay=0.1
        )
        with torch.no_grad():
            self.head.project.weight[:, : self.seen] = 0  # and stays so: its gradient is 0
        self.train()
        for step in range(FIRST_STEPS):
            optimiser.param_groups[0]["lr"] = FIRST_RATE * (1 - step / FIRST_STEPS)
            optimiser.zero_grad()
            likelihood, distance = losses_of(self.head(self.with_drift(empty, motion)), wanted)
            (likelihood + self.emd * distance).backward()
            optimiser.step()
        optimiser.zero_grad()

    def quality(self, clips: Tensor, motion: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and SD of the latent quality, each (B,)."""
        found: tuple[Tensor, Tensor] = self.head.quality(
            self.with_drift(self.pictures(clips), motion)
        )
        return found

    def log_probabilities(self, clips: Tensor, motion: Tensor) -> Tensor:
        found: Tensor = self.head(self.with_drift(self.pictures(clips), motion))
        return found

    def losses(self, clips: Tensor, motion: Tensor, votes: Tensor) -> dict[str, Tensor]:
        pictures, wanted = self.pictures(clips), shares(votes)
        likelihood, distance = losses_of(self.head(self.with_drift(pictures, motion)), wanted)
        alone = losses_of(self.pictured(pictures), wanted)
        return {
            "likelihood": likelihood,
            "emd": self.emd * distance,
            "pictures": alone[0] + self.emd * alone[1],
        }
