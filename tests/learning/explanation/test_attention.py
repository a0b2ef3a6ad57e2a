"""Rollout and relevance of attentions whose answer is known."""

import pytest
import torch
from timm.models.vision_transformer import VisionTransformer

from snakescope.learning.explanation.attention import explained, recorded, relevance, rollout


def test_rollout_of_even_attention_is_even_but_for_the_shortcut():
    even = torch.full((1, 2, 4, 4), 0.25)
    found = rollout([even])
    torch.testing.assert_close(found[0], 0.5 * torch.eye(4) + 0.125)
    assert rollout([even, even]).sum(-1).allclose(torch.ones(1, 4))


def test_relevance_counts_only_what_raises_the_score():
    attention = torch.full((1, 1, 3, 3), 1 / 3, requires_grad=True)
    attention.retain_grad()
    (3 * attention[0, 0, 0, 1] - 5 * attention[0, 0, 0, 2]).backward()
    found = relevance([attention])[0]
    torch.testing.assert_close(found[0], torch.tensor([1.0, 1.0, 0.0]))
    with pytest.raises(ValueError, match="run the score backwards"):
        relevance([torch.rand(1, 1, 3, 3)])


def test_attentions_of_a_network_are_recorded_and_fused_kernels_come_back():
    torch.manual_seed(0)
    network = VisionTransformer(32, 8, num_classes=2, embed_dim=24, depth=3, num_heads=3).eval()
    modules = [block.attn for block in network.blocks]
    before = [one.fused_attn for one in modules]
    image = torch.randn(2, 3, 32, 32)
    plain = network(image)
    with recorded(modules) as found:
        torch.testing.assert_close(network(image), plain, atol=1e-5, rtol=1e-4)
    assert [tuple(one.shape) for one in found] == [(2, 3, 17, 17)] * 3
    assert [one.fused_attn for one in modules] == before
    for gradients in (False, True):
        maps = explained(modules, lambda: network(image)[:, 0], gradients)
        assert maps.shape == (2, 17, 17) and (maps >= 0).all()
