"""Parameter counts of the networks, as published, and one step of each tiny one."""

import pytest
import torch

from snakescope.sperm.networks.build import build, image_network, parameters, video_network
from snakescope.sperm.networks.catalogue import ABOUT
from snakescope.sperm.networks.published import begin_with, renamed
from snakescope.step.errors import StepError

PUBLISHED = {
    # ImageNet, 1000 classes: timm and torchvision state these counts.
    "vgg16": (1000, 138_357_544, "138.4M"),
    "resnet50": (1000, 25_557_032, "25.6M"),
    "vit": (1000, 86_567_656, "86.6M"),
    "swin": (1000, 28_288_354, "28.3M"),
    "convit": (1000, 86_540_040, "86.5M"),
    "mlp_mixer": (1000, 59_880_472, "59.9M"),
    # Kinetics, 400 classes: torchvision; PyTorchVideo's model zoo; the papers.
    "r3d": (400, 33_371_472, "33.4M"),
    "r2plus1d": (400, 31_505_325, "31.5M"),
    "i3d": (400, 28_043_472, "28.0M"),
    "slowfast": (400, 34_566_488, "34.6M"),
    "x3d": (400, 3_794_274, "3.8M"),
    "timesformer": (400, 121_566_352, "121.6M"),
    "vivit": (400, 115_056_784, "115.1M"),
}
GRADING = {
    "vgg16": 134_281_029, "resnet50": 23_518_277, "vit": 85_802_501, "swin": 27_523_199,
    "convit": 85_774_885, "mlp_mixer": 59_115_317, "r3d": 33_168_837, "r2plus1d": 31_302_690,
    "i3d": 27_234_117, "slowfast": 33_656_013, "x3d": 2_984_919, "timesformer": 121_262_597,
    "vivit": 114_753_029, "rostfine": 133_089_807, "slowfast_timesformer": 154_918_605,
    "ours": 3_353_004,
}  # fmt: skip
"""With five grades."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_of_the_published_network(name: str):
    classes, count, rounded = PUBLISHED[name]
    make = image_network if ABOUT[name].kind == "image" else video_network
    with torch.device("meta"):
        assert parameters(make(name, "full", classes, 224)) == count
    assert f"{count / 1e6:.1f}M" == rounded


@pytest.mark.parametrize("name", ABOUT)
def test_parameters_with_five_grades(name: str):
    with torch.device("meta"):
        assert parameters(build(name)) == GRADING[name]


@pytest.mark.parametrize("name", ABOUT)
def test_tiny_networks_take_a_step_and_begin_again_from_their_weights(name: str):
    torch.manual_seed(0)
    network = build(name, "tiny", 64)
    clips, motion = torch.randn(2, 16, 64, 64), torch.randn(2, 19)
    votes = torch.tensor([[40.0, 0, 0, 0, 0], [0, 0, 0, 10, 30]])
    optimiser = torch.optim.SGD(network.parameters(), 0.01)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    loss = torch.stack(list(network.losses(clips, motion, votes).values())).sum()
    loss.backward()
    idle = [key for key, value in network.named_parameters() if value.grad is None]
    assert not idle
    optimiser.step()
    assert any((before[key] != value).any() for key, value in network.state_dict().items())
    network.eval()
    with torch.no_grad():
        found = network(clips, motion).exp()
        again = build(name, "tiny", 64).eval()
        again.load_state_dict(network.state_dict())
        assert torch.equal(again(clips, motion).exp(), found)
    assert found.shape == (2, 5) and torch.allclose(found.sum(1), torch.ones(2), atol=1e-3)


@pytest.mark.parametrize("name", [name for name in ABOUT if ABOUT[name].kind == "image"])
def test_image_networks_see_the_first_frame_only(name: str):
    network = build(name, "tiny", 64).eval()
    clips, motion = torch.randn(1, 16, 64, 64), torch.zeros(1, 19)
    other = clips.clone()
    other[:, 1:] = 0
    with torch.no_grad():
        assert torch.equal(network(clips, motion), network(other, motion))


def published_names(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The weights of our TimeSformer as its authors name them."""
    return {
        f"model.{key}".replace("model.patch_embed.", "model.patch_embed.proj."): value
        for key, value in network.state_dict().items()
    }


def test_published_weights_are_read_by_their_names(tmp_path):
    source = video_network("timesformer", "tiny", 400, 64)
    torch.save({"model_state": published_names(source)}, tmp_path / "k400.pyth")
    wrapped = build("timesformer", "tiny", 64)
    begin_with(wrapped, "timesformer", tmp_path / "k400.pyth")
    given = source.state_dict()
    for key, value in wrapped.network.state_dict().items():
        same = value.shape == given[key].shape and torch.equal(value, given[key])
        assert same != key.startswith("head."), key


@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        ("i3d", "blocks.1.res_blocks.0.branch1_conv.weight", "stages.0.0.shortcut.0.weight"),
        ("i3d", "blocks.3.res_blocks.2.branch2.norm_b.bias", "stages.1.2.norm_b.bias"),
        ("slowfast", "blocks.0.multipathway_blocks.1.conv.weight", "fast_stem.conv.weight"),
        (
            "slowfast",
            "blocks.2.multipathway_fusion.conv_fast_to_slow.weight",
            "fuse.2.conv.weight",
        ),
        (
            "slowfast",
            "blocks.4.multipathway_blocks.0.res_blocks.1.branch2.conv_c.weight",
            "slow.3.1.conv_c.weight",
        ),
        ("x3d", "blocks.0.conv.conv_t.weight", "stem_yx.weight"),
        (
            "x3d",
            "blocks.2.res_blocks.0.branch2.norm_b.1.block.2.bias",
            "stages.1.0.squeeze.expand.bias",
        ),
    ],
)
def test_names_of_the_model_zoo_become_ours(name: str, theirs: str, ours: str):
    with torch.device("meta"):
        known = video_network(name, "full", 400, 224).state_dict()
    assert ours in known
    assert list(renamed(name, {theirs: torch.zeros(1)})) == [ours]


def test_other_files_give_one_sentence(tmp_path):
    network = build("x3d", "tiny", 64)
    with pytest.raises(StepError, match="found no such file"):
        begin_with(network, "x3d", tmp_path / "none.pyth")
    torch.save({"a": torch.zeros(1)}, tmp_path / "a.pyth")
    with pytest.raises(StepError, match="expected the published weights of x3d, found no stem"):
        begin_with(network, "x3d", tmp_path / "a.pyth")
    (tmp_path / "b.pyth").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(StepError, match="tensors only"):
        begin_with(network, "x3d", tmp_path / "b.pyth")
