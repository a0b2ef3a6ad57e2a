"""Networks by name, in full and tiny size."""

from typing import Any

import timm
from timm.models.mlp_mixer import MlpMixer
from torch import Tensor, nn
from torchvision.models.video.resnet import (
    BasicBlock,
    BasicStem,
    Conv2Plus1D,
    Conv3DSimple,
    R2Plus1dStem,
    VideoResNet,
)

from snakescope.sperm.networks.catalogue import ABOUT, Network, Size
from snakescope.sperm.networks.heads import GRADES, GradeNetwork, Softmax
from snakescope.sperm.networks.joined import SlowFastTimeSformer
from snakescope.sperm.networks.ours import Ours
from snakescope.sperm.networks.residual3d import I3D, SlowFast
from snakescope.sperm.networks.rostfine import RoSTFine
from snakescope.sperm.networks.transformers import TimeSformer, ViViT
from snakescope.sperm.networks.x3d import X3D

TIMM = {
    "vgg16": "vgg16",
    "resnet50": "resnet50",
    "vit": "vit_base_patch16_224",
    "swin": "swin_tiny_patch4_window7_224",
    "convit": "convit_base",
    "mlp_mixer": "mixer_b16_224",
}
"""The paper states no size of Swin and ConViT: the smallest and the base one."""
TINY_TRANSFORMER = {"width": 192, "depth": 4, "heads": 3}
TINY_DEPTHS = (1, 1, 1, 1)


class TinyVGG(nn.Module):
    """3 x 3 convolutions and poolings as in VGG, on fewer channels, with norms and a mean."""

    def __init__(self, classes: int, widths: tuple[int, ...] = (16, 32, 64, 128)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for ci, co in zip((3, *widths), widths, strict=False):
            for one in (ci, co):
                layers += [nn.Conv2d(one, co, 3, padding=1), nn.BatchNorm2d(co), nn.ReLU()]
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(widths[-1], classes))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.features(x).mean((2, 3)))
        return found


class TinyVideoResNet(VideoResNet):
    """torchvision's video ResNet with one block a stage and a quarter of the channels."""

    def __init__(self, simple: bool, classes: int) -> None:
        convolution = Conv3DSimple if simple else Conv2Plus1D
        super().__init__(BasicBlock, [convolution] * 4, [1] * 4, self._stem, classes)
        self.fc = nn.Linear(128, classes)

    @staticmethod
    def _stem() -> nn.Sequential:
        convolution = nn.Conv3d(3, 16, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False)
        return nn.Sequential(convolution, nn.BatchNorm3d(16), nn.ReLU())

    def _make_layer(
        self, block: Any, conv_builder: Any, planes: int, blocks: int, stride: int = 1
    ) -> nn.Sequential:
        if planes == 64:
            self.inplanes = 16
        return super()._make_layer(block, conv_builder, planes // 4, blocks, stride)


def image_network(name: str, size: Size, classes: int, size_px: int) -> nn.Module:
    """A network of images (B, 3, y, x) by timm."""
    sized: dict[str, Any] = {} if name in ("vgg16", "resnet50") else {"img_size": size_px}
    if size == "full":
        return timm.create_model(TIMM[name], num_classes=classes, **sized)
    match name:
        case "vgg16":  # five poolings, as the large one, and fewer channels
            return TinyVGG(classes)
        case "resnet50":
            return timm.create_model("resnet10t", num_classes=classes)
        case "swin":
            return timm.create_model(
                "swin_tiny_patch4_window7_224", num_classes=classes, img_size=size_px,
                embed_dim=24, depths=(1, 1, 1, 1), num_heads=(1, 2, 4, 8),
                window_size=size_px // 32,
            )  # fmt: skip
        case "mlp_mixer":
            return MlpMixer(classes, size_px, num_blocks=4, embed_dim=128)
    of_vit = {"vit": "vit_tiny_patch16_224", "convit": "convit_tiny"}[name]
    options: dict[str, Any] = {"depth": 4, "embed_dim": 192 if name == "vit" else 48}
    if name == "convit":
        options |= {"local_up_to_layer": 3}
    return timm.create_model(of_vit, num_classes=classes, img_size=size_px, **options)


def video_network(name: str, size: Size, classes: int, size_px: int) -> nn.Module:
    """A network of clips (B, 3, T, y, x)."""
    full = size == "full"
    match name:
        case "r3d" | "r2plus1d":
            simple = name == "r3d"
            if not full:
                return TinyVideoResNet(simple, classes)
            convolution = Conv3DSimple if simple else Conv2Plus1D
            layers = [2, 2, 2, 2]
            stem = BasicStem if simple else R2Plus1dStem
            return VideoResNet(BasicBlock, [convolution] * 4, layers, stem, num_classes=classes)
        case "i3d":
            return I3D(classes) if full else I3D(classes, 16, TINY_DEPTHS)
        case "slowfast":
            return SlowFast(classes) if full else SlowFast(classes, 24, TINY_DEPTHS)
        case "x3d":
            return X3D(classes) if full else X3D(classes, (16, 24, 48, 96), (1, 2, 3, 2), 2.25, 256)
        case "timesformer":
            return TimeSformer(classes, size_px, **({} if full else TINY_TRANSFORMER))
    tiny = {**TINY_TRANSFORMER, "temporal_depth": 2}
    return ViViT(classes, size_px, **({} if full else tiny))


def build(name: Network, size: Size = "full", size_px: int = 224) -> GradeNetwork:
    """A network that grades clips, with random weights.

    Args:
        size_px: side of the frames it will see; a multiple of 32.

    Raises:
        ValueError: no such network.
    """
    if name not in ABOUT:
        raise ValueError(f"no network {name!r}; there are {', '.join(ABOUT)}")
    full, about = size == "full", ABOUT[name]
    if name == "ours":
        return Ours((48, 96, 192, 384)) if full else Ours((24, 48, 96))
    if name == "rostfine":
        base = video_network("timesformer", size, GRADES, size_px)
        assert isinstance(base, TimeSformer)
        return RoSTFine(base)
    if name == "slowfast_timesformer":
        one = video_network("slowfast", size, GRADES, size_px)
        other = video_network("timesformer", size, GRADES, size_px)
        assert isinstance(one, SlowFast) and isinstance(other, TimeSformer)
        return SlowFastTimeSformer(one, other)
    if about.kind == "image":
        return Softmax(image_network(name, size, GRADES, size_px), 1, image=True)
    network = video_network(name, size, GRADES, size_px)
    return Softmax(network, about.frames, image=False)


def parameters(network: nn.Module) -> int:
    """Number of trained values."""
    return sum(one.numel() for one in network.parameters())
