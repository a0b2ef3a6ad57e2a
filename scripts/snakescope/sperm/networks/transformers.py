"""TimeSformer and ViViT on the blocks of a vision transformer.

Bertasius et al., ICML 2021, section 3: divided space-time attention. Arnab et al., ICCV 2021,
section 3.3, model 2: the factorised encoder. Tensors are (batch, channels, time, y, x).
"""

from typing import Any

import torch
from timm.layers import DropPath
from timm.models.vision_transformer import Attention, Block, Mlp
from torch import Tensor, nn


def positions(count: int, width: int) -> nn.Parameter:
    """Learned embeddings (1, count, width), from a narrow normal distribution."""
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(1, count, width), std=0.02))


def drop_rates(rate: float, depth: int) -> list[float]:
    """Stochastic depth that grows linearly to ``rate`` (Huang et al., ECCV 2016)."""
    return [rate * at / max(1, depth - 1) for at in range(depth)]


class DividedBlock(nn.Module):
    """Attention over time at each place, then over space at each time, then an MLP."""

    def __init__(self, width: int, heads: int, drop_path: float = 0.0) -> None:
        super().__init__()
        self.temporal_norm1 = nn.LayerNorm(width, eps=1e-6)
        self.temporal_attn = Attention(width, heads, qkv_bias=True)
        self.temporal_fc = nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads, qkv_bias=True)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width, 4 * width)
        self.drop_path: Any = DropPath(drop_path) if drop_path else nn.Identity()

    def forward(self, x: Tensor, frames: int) -> Tensor:
        """Args: x: (B, 1 + N * T, D), the class token first, then places with their times."""
        b, _, d = x.shape
        cls, patches = x[:, :1], x[:, 1:]
        n = patches.shape[1] // frames
        over_time = patches.reshape(b * n, frames, d)
        moved = self.drop_path(self.temporal_attn(self.temporal_norm1(over_time)))
        patches = patches + self.temporal_fc(moved.reshape(b, n * frames, d))
        # Each frame gets the class token; its answers are averaged over the frames.
        by_frame = patches.reshape(b, n, frames, d).transpose(1, 2).reshape(b * frames, n, d)
        tokens = torch.cat([cls.repeat_interleave(frames, 0), by_frame], dim=1)
        seen = self.drop_path(self.attn(self.norm1(tokens)))
        cls = cls + seen[:, :1].reshape(b, frames, d).mean(1, keepdim=True)
        by_place = seen[:, 1:].reshape(b, frames, n, d).transpose(1, 2).reshape(b, n * frames, d)
        x = torch.cat([cls, patches + by_place], dim=1)
        found: Tensor = x + self.drop_path(self.mlp(self.norm2(x)))
        return found


class TimeSformer(nn.Module):
    """Divided space-time attention; the defaults are TimeSformer-B of 8 frames.

    Args:
        size_px: side of a frame, a multiple of ``patch``.
    """

    def __init__(
        self, classes: int = 400, size_px: int = 224, frames: int = 8, patch: int = 16,
        width: int = 768, depth: int = 12, heads: int = 12, drop_path: float = 0.1,
    ) -> None:  # fmt: skip
        super().__init__()
        self.frames, self.side = frames, size_px // patch
        self.patch_embed = nn.Conv2d(3, width, patch, patch)
        self.cls_token = positions(1, width)
        self.pos_embed = positions(self.side**2 + 1, width)
        self.time_embed = nn.Parameter(torch.zeros(1, frames, width))
        self.blocks = nn.ModuleList(
            DividedBlock(width, heads, rate) for rate in drop_rates(drop_path, depth)
        )
        for block in list(self.blocks)[1:]:  # as published: only the first starts with time
            nn.init.zeros_(block.temporal_fc.weight)
            nn.init.zeros_(block.temporal_fc.bias)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def tokens(self, x: Tensor) -> Tensor:
        """Normed tokens (B, 1 + N * T, D) after the last block."""
        b, c, t, h, w = x.shape
        patches = self.patch_embed(x.transpose(1, 2).reshape(b * t, c, h, w))
        patches = patches.flatten(2).transpose(1, 2) + self.pos_embed[:, 1:]
        n, d = patches.shape[1:]
        timed = patches.reshape(b, t, n, d).transpose(1, 2) + self.time_embed[:, None]
        cls = (self.cls_token + self.pos_embed[:, :1]).expand(b, -1, -1)
        tokens = torch.cat([cls, timed.reshape(b, n * t, d)], dim=1)
        for block in self.blocks:
            tokens = block(tokens, t)
        normed: Tensor = self.norm(tokens)
        return normed

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.tokens(x)[:, 0])
        return found


class ViViT(nn.Module):
    """Factorised encoder: a transformer of each tubelet time, then one over the times.

    The defaults are ViViT-B/16x2 of 16 frames with 4 temporal layers.
    """

    def __init__(
        self, classes: int = 400, size_px: int = 224, frames: int = 16, patch: int = 16,
        tubelet: int = 2, width: int = 768, depth: int = 12, heads: int = 12,
        temporal_depth: int = 4, drop_path: float = 0.1,
    ) -> None:  # fmt: skip
        super().__init__()
        places, times = (size_px // patch) ** 2, frames // tubelet
        kernel = (tubelet, patch, patch)
        self.embed = nn.Conv3d(3, width, kernel, kernel)
        self.cls_token, self.pos_embed = positions(1, width), positions(places + 1, width)
        self.spatial = nn.ModuleList(
            Block(width, heads, qkv_bias=True, drop_path=rate)
            for rate in drop_rates(drop_path, depth)
        )
        self.spatial_norm = nn.LayerNorm(width, eps=1e-6)
        self.time_token, self.time_embed = positions(1, width), positions(times + 1, width)
        self.temporal = nn.ModuleList(
            Block(width, heads, qkv_bias=True) for _ in range(temporal_depth)
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.embed(x)
        b, d, t = maps.shape[:3]
        tokens = maps.flatten(3).permute(0, 2, 3, 1).reshape(b * t, -1, d)
        tokens = torch.cat([self.cls_token.expand(b * t, -1, -1), tokens], 1) + self.pos_embed
        for block in self.spatial:
            tokens = block(tokens)
        frames = self.spatial_norm(tokens)[:, 0].reshape(b, t, d)
        frames = torch.cat([self.time_token.expand(b, -1, -1), frames], 1) + self.time_embed
        for block in self.temporal:
            frames = block(frames)
        found: Tensor = self.head(self.norm(frames)[:, 0])
        return found
