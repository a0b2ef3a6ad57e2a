"""RoSTFine rebuilt: fine features of the patches that TimeSformer attends to most.

Fujii et al. 2023: the three patches of each frame with the most attention of the class token in
the last layer are read again over all frames (FGT) and frame by frame (FGS); three heads are
averaged, and their features are kept apart by the mean absolute cosine.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from snakescope.sperm.networks.heads import GRADES, GradeNetwork, shares
from snakescope.sperm.networks.transformers import TimeSformer


class Fine(nn.Module):
    """Two layers of attention without shortcut and an MLP, on a class token of its own."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.norm = nn.LayerNorm(width)
        self.attention = nn.ModuleList(
            nn.MultiheadAttention(width, heads, batch_first=True) for _ in range(2)
        )
        self.out_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Features (B, D) of tokens (B, N, D)."""
        x = torch.cat([self.token.expand(len(tokens), -1, -1), tokens], dim=1)
        for layer in self.attention:
            normed = self.norm(x)
            x = layer(normed, normed, normed, need_weights=False)[0]
        found: Tensor = self.mlp(self.out_norm(x))[:, 0]
        return found


class RoSTFine(GradeNetwork):
    """TimeSformer with fine features in time and in space.

    Args:
        base: without its head.
        top: patches of each frame that are read again.
        alpha: weight of the cosine between the three features.
    """

    def __init__(self, base: TimeSformer, top: int = 3, alpha: float = 1.0) -> None:
        super().__init__()
        width = base.norm.normalized_shape[0]
        base.head = nn.Identity()  # type: ignore[assignment]
        heads: int = cast(Any, base.blocks[0].attn).num_heads
        self.base, self.top, self.alpha = base, top, alpha
        self.temporal, self.spatial = Fine(width, heads), Fine(width, heads)
        self.heads = nn.ModuleList(nn.Linear(width, GRADES) for _ in range(3))

    def _features(self, clips: Tensor) -> list[Tensor]:
        frames, attn = self.base.frames, cast(Any, self.base.blocks[-1].attn)
        seen = clips[:, :: clips.shape[1] // frames][:, None].expand(-1, 3, -1, -1, -1)
        kept: list[Tensor] = []
        # The queries and keys of the last attention over space, before it answers.
        hook = attn.qkv.register_forward_hook(lambda *made: kept.append(made[2]))
        tokens = self.base.tokens(seen)
        hook.remove()
        b, d = tokens.shape[0], tokens.shape[2]
        heads: int = attn.num_heads
        q, k, _ = kept[0].reshape(b * frames, -1, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        attention = (q[:, :, :1] @ k.transpose(-2, -1) * (d // heads) ** -0.5).softmax(-1)
        of_patches = attention.sum(1)[:, 0, 1:].reshape(b, frames, -1)
        places = of_patches.topk(self.top, dim=2).indices
        patches = tokens[:, 1:].reshape(b, -1, frames, d).transpose(1, 2)
        fine = patches.gather(2, places[..., None].expand(-1, -1, -1, d))
        by_frame = self.spatial(fine.flatten(0, 1)).reshape(b, frames, d).mean(1)
        return [tokens[:, 0], self.temporal(fine.flatten(1, 2)), by_frame]

    def _probabilities(self, features: list[Tensor]) -> list[Tensor]:
        return [
            functional.softmax(head(one), 1) for head, one in zip(self.heads, features, strict=True)
        ]

    def log_probabilities(self, clips: Tensor, motion: Tensor) -> Tensor:
        found = self._probabilities(self._features(clips))
        return torch.stack(found).mean(0).clamp_min(1e-8).log()

    def losses(self, clips: Tensor, motion: Tensor, votes: Tensor) -> dict[str, Tensor]:
        features = self._features(clips)
        wanted = shares(votes)
        errors = [(one - wanted).square().mean() for one in self._probabilities(features)]
        pairs = [(0, 1), (0, 2), (1, 2)]
        alike = [
            functional.cosine_similarity(features[a], features[b]).abs().mean() for a, b in pairs
        ]
        # As published, the cosine has weight alpha beside errors of about 0.01.
        return {
            "squared": torch.stack(errors).mean(),
            "cosine": self.alpha * torch.stack(alike).mean(),
        }
