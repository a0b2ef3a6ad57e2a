"""The network of this workflow: all frames, an ordered quality, and the drift of the background.

A crop follows the head of its sperm, so that how fast it swims is seen only in how the background
drifts; networks of a few hundred clips hardly learn that. Here the drift is measured
(:mod:`snakescope.sperm.clips.motion`) and given to the network. The loss is the likelihood of the
votes, with the squared earth mover's distance (Hou et al., 2016).
"""

import torch
from torch import Tensor, nn

from snakescope.sperm.networks.heads import GradeNetwork, Ordinal, shares


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


class Ours(GradeNetwork):
    """Grey values and their differences in time, mixed in space and time; drift joined late.

    Args:
        widths: channels of the stages, the first at a quarter of the resolution.
        motion: values of the series of the drift.
        emd: weight of the squared earth mover's distance.
    """

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
        self.motion = nn.Sequential(
            nn.Linear(motion, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 32), nn.GELU()
        )
        self.dropout = nn.Dropout(0.3)
        self.head = Ordinal(2 * widths[-1] + 32)
        self.emd = emd

    def features(self, clips: Tensor) -> Tensor:
        """The last maps (B, C, T, y, x)."""
        change = torch.diff(clips, dim=1, prepend=clips[:, :1])
        found: Tensor = self.stages(self.stem(torch.stack([clips, change], dim=1)))
        return found

    def joined(self, clips: Tensor, motion: Tensor) -> Tensor:
        """What the head sees of clips and of their drift, (B, F)."""
        maps = self.features(clips)
        pooled = [maps.mean((2, 3, 4)), maps.amax((3, 4)).mean(2), self.motion(motion)]
        found: Tensor = self.dropout(torch.cat(pooled, dim=1))
        return found

    def quality(self, clips: Tensor, motion: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and SD of the latent quality, each (B,)."""
        found: tuple[Tensor, Tensor] = self.head.quality(self.joined(clips, motion))
        return found

    def log_probabilities(self, clips: Tensor, motion: Tensor) -> Tensor:
        found: Tensor = self.head(self.joined(clips, motion))
        return found

    def losses(self, clips: Tensor, motion: Tensor, votes: Tensor) -> dict[str, Tensor]:
        found = self.log_probabilities(clips, motion)
        wanted = shares(votes)
        likelihood = -(wanted * found).sum(1).mean()
        distance = (found.exp() - wanted).cumsum(1)[:, :-1].square().sum(1).mean()
        return {"likelihood": likelihood, "emd": self.emd * distance}
