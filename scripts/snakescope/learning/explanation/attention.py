"""What transformers attend to: rollout, and relevance by gradients.

Abnar and Zuidema, ACL 2020, and Chefer et al., ICCV 2021 (their generic rule, not the propagation
of the CVPR paper). Rollout ignores what comes after the attention, the head among it: it shows the
same for every score, also for a network whose head is random.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def recorded(attentions: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Within, the attention of each module is kept in order, with its gradient.

    Args:
        attentions: of timm (``Attention``, with ``attn_drop`` and ``fused_attn``). Fused kernels
            never hold the attention itself, so they are switched off meanwhile.

    Yields:
        A list that each call of a module adds (B, heads, N, N) to.
    """
    found: list[Tensor] = []

    def keep(module: nn.Module, inputs: Any, output: Tensor) -> None:
        if output.requires_grad:
            output.retain_grad()
        found.append(output)

    modules: list[Any] = list(attentions)
    fused = [one.fused_attn for one in modules]
    hooks = [one.attn_drop.register_forward_hook(keep) for one in modules]
    for one in modules:
        one.fused_attn = False
    try:
        yield found
    finally:
        for hook, one, before in zip(hooks, modules, fused, strict=True):
            hook.remove()
            one.fused_attn = before


def rollout(attentions: Sequence[Tensor]) -> Tensor:
    """Attention through all layers, shape (B, N, N): from outputs (rows) to inputs.

    Equation 1 of the paper: the mean over heads and the identity, for the shortcut, in equal parts.
    """
    count = attentions[0].shape[-1]
    whole = torch.eye(count).expand(attentions[0].shape[0], -1, -1)
    for one in attentions:
        mean = one.detach().float().cpu().mean(1) + torch.eye(count)
        whole = (mean / mean.sum(-1, keepdim=True)) @ whole
    return whole


def relevance(attentions: Sequence[Tensor]) -> Tensor:
    """Relevance for the score whose gradient the attentions hold, shape (B, N, N).

    Equations 5 and 6 of the paper: the positive part of attention times gradient, mean over heads.
    """
    count = attentions[0].shape[-1]
    whole = torch.eye(count).expand(attentions[0].shape[0], -1, -1)
    for one in attentions:
        if one.grad is None:
            raise ValueError("attention without a gradient: run the score backwards before")
        weighted = (one.grad * one).detach().float().cpu().clamp_min(0).mean(1)
        whole = whole + weighted @ whole
    return whole


def explained(
    attentions: Sequence[nn.Module], score: Callable[[], Tensor], gradients: bool
) -> Tensor:
    """Rollout, or relevance, of a score that a call computes; shape (B, N, N).

    Args:
        score: runs the model on a batch; a sum over the batch is taken.
    """
    with recorded(attentions) as found, torch.enable_grad():
        total = score().sum()
        if gradients:
            total.backward()
        return relevance(found) if gradients else rollout(found)
