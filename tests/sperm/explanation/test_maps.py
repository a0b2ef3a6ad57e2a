"""Maps of tiny networks: their shape, what they follow, and which network has which."""

import numpy as np
import pytest
import torch

from snakescope.sperm.explanation.maps import frames_of, maps_of, methods_of, time_attention
from snakescope.sperm.networks.build import build
from snakescope.sperm.networks.catalogue import ABOUT

METHODS = {
    "vgg16": ("grad_cam",), "resnet50": ("grad_cam",), "vit": ("rollout", "relevance"),
    "swin": (), "convit": (), "mlp_mixer": (), "r3d": ("grad_cam",), "r2plus1d": ("grad_cam",),
    "i3d": ("grad_cam",), "slowfast": ("grad_cam",), "x3d": ("grad_cam",),
    "timesformer": ("rollout", "relevance"), "vivit": ("rollout", "relevance"),
    "rostfine": ("rollout", "relevance"),
    "slowfast_timesformer": ("grad_cam", "rollout", "relevance"), "ours": ("grad_cam",),
}  # fmt: skip
FRAMES = {"image": {1}, "video": {2, 4, 8, 16}}
MOTION = torch.zeros(19)


@pytest.mark.parametrize("name", ABOUT)
def test_each_network_has_a_map_a_frame_by_each_of_its_methods(name: str):
    torch.manual_seed(0)
    network = build(name, "tiny", 64).eval()
    assert methods_of(network) == METHODS[name]
    clip = torch.randn(16, 64, 64)
    for method in METHODS[name]:
        maps = maps_of(network, method, clip, MOTION)
        assert maps.ndim == 3 and len(maps) in FRAMES[ABOUT[name].kind], (method, maps.shape)
        assert (maps >= 0).all() and maps.max() == pytest.approx(1)
        assert frames_of(maps)[-1] < 16
    if not METHODS[name]:
        with pytest.raises(ValueError, match="cannot explain"):
            maps_of(network, "rollout", clip, MOTION)


def test_grad_cam_lies_where_the_network_was_made_to_look():
    """A network whose grade depends on one corner only."""
    network = build("vgg16", "tiny", 64).eval()
    clip = torch.zeros(16, 64, 64)
    clip[:, 4:16, 4:16] = torch.randn(12, 12) * 3
    found = maps_of(network, "grad_cam", clip, MOTION)[0]
    assert np.unravel_index(found.argmax(), found.shape) < (found.shape[0] // 2,) * 2


def test_attention_over_time_sums_to_one():
    network = build("timesformer", "tiny", 64).eval()
    found = time_attention(network, torch.randn(16, 64, 64), MOTION)
    assert found.shape == (4, 8, 8)
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-4)
    with pytest.raises(ValueError, match="no attention over time"):
        time_attention(build("vgg16", "tiny", 64).eval(), torch.randn(16, 64, 64), MOTION)
