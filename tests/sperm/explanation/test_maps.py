"""Maps of tiny networks: their shape, what they follow, and which network has which."""

import numpy as np
import pytest
import torch

from snakescope.sperm.explanation.maps import (
    frames_of,
    maps_of,
    mean_grade,
    methods_of,
    time_attention,
)
from snakescope.sperm.networks.build import build
from snakescope.sperm.networks.catalogue import ABOUT

METHODS = {
    "vgg16": ("grad_cam",), "resnet50": ("grad_cam",), "vit": ("rollout", "relevance"),
    "swin": (), "convit": (), "mlp_mixer": (), "r3d": ("grad_cam",), "r2plus1d": ("grad_cam",),
    "i3d": ("grad_cam",), "slowfast": ("grad_cam",), "x3d": ("grad_cam",),
    "timesformer": ("rollout", "relevance"), "vivit": ("rollout", "relevance"),
    "rostfine": ("rollout", "relevance"),
    "slowfast_timesformer": ("grad_cam", "rollout", "relevance"),
    "ours": ("integrated_gradients", "grad_cam"),
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


def test_integrated_gradients_show_what_makes_the_grade_worse():
    """Of a network whose grade is worse the brighter one corner and the darker another is."""
    torch.manual_seed(1)
    network = build("ours", "tiny", 64).eval()

    def quality(clips, motion):
        mean = 3 * (
            clips[:, :, 52:60, 52:60].mean((1, 2, 3)) - clips[:, :, 4:12, 4:12].mean((1, 2, 3))
        )
        return mean, torch.ones(len(clips))

    network.log_probabilities = lambda clips, motion: of_quality(network, *quality(clips, motion))
    clip = torch.zeros(16, 64, 64)
    clip[:, 6:10, 6:10] = 2
    clip[:, 54:58, 54:58] = 2
    found = maps_of(network, "integrated_gradients", clip, MOTION)
    better, worse = found[:, 48:, 48:].sum(), found[:, :16, :16].sum()
    assert found.shape == (16, 64, 64) and min(better, worse) < 0.2 * max(better, worse)
    assert found[:, 20:44].sum() < 1e-3 * found.sum()
    grade = [float(mean_grade(network, one[None], MOTION[None])) for one in (clip, without(clip))]
    assert (worse > better) == (grade[0] > grade[1])


def without(clip):
    """The clip without what is in its first corner."""
    other = clip.clone()
    other[:, :16, :16] = 0
    return other


def of_quality(network, mean, sd):
    below = torch.special.ndtr((network.head.thresholds() - mean[:, None]) / sd[:, None])
    ends = below.new_zeros(len(below), 1)
    return torch.diff(torch.cat([ends, below, ends + 1], 1), dim=1).clamp_min(1e-6).log()


def test_maps_of_integrated_gradients_are_those_of_pictures_not_of_the_drift():
    torch.manual_seed(1)
    network = build("ours", "tiny", 64).eval()
    torch.nn.init.normal_(network.head.project.weight)
    flat = torch.full((16, 64, 64), 0.5)
    assert not maps_of(network, "integrated_gradients", flat, torch.ones(19)).any()
