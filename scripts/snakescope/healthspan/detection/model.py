"""Mask R-CNN for worms (Matsuo et al., section 3.2.2), from components of torchvision.

Differences to the defaults of torchvision:

- One grey channel without resizing: tiles have the pixel size of the model.
- Proposals from strides 8 and 16 only, with elongated anchors; stride 4 has three quarters of all
  anchors, and no worm is small enough to need them.
- Masks are pooled from stride 4 to 28 x 28 and predicted at 56 x 56: on the default 28 x 28, a
  worm 8 px wide in a box of 100 px is two cells wide.
- The mask head is a small U-Net, whose receptive field covers the box: which of two crossing worms
  a box belongs to depends on where the worms meet its borders.
- Boxes of crossing worms overlap, so non-maximum suppression of boxes has a high threshold, and
  duplicates are removed by their masks (:mod:`snakescope.healthspan.detection.merge`).
"""

import math
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.mask_rcnn import MaskRCNNPredictor
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign, nms

from snakescope.healthspan.detection.pooling import BoxPool, Pool, proposed
from snakescope.learning.precision import computing_in

LEVELS = ("stride4", "stride8", "stride16")
PROPOSAL_LEVELS = ("stride8", "stride16")
ANCHOR_SIZES = ((28, 44), (64, 100))
ANCHOR_RATIOS = (0.22, 0.5, 1.0, 2.0, 4.5)
SLENDER_RATIOS = (0.1, *ANCHOR_RATIOS, 10.0)
"""A straight worm along the rows of the image has a box of 128 x 12 px: of the other anchors none
shares half of it."""
GREY_MEAN, GREY_SPREAD = 0.27, 0.16
MASK_POOL = Pool("stride4", 4, 28, 2)

UNSURE_SCORE = 0.5
UNSURE_OVERLAP = 0.5
"""No mask is made for a box of a lower score whose intersection over union with the box of a surer
one exceeds this: nearly all are second boxes of one worm, and masks are a third of the work."""


@dataclass(frozen=True)
class Plan:
    """An architecture: name and options of the backbone in timm, widths of the heads, anchors."""

    trunk: str
    options: dict[str, Any]
    levels: tuple[int, int, int]
    pyramid: int
    box: int
    mask: tuple[int, int, int]
    ratios: tuple[float, ...] = ANCHOR_RATIOS


_FULL: dict[str, Any] = {"pyramid": 256, "box": 1024, "mask": (128, 192, 256)}
_COMPACT: dict[str, Any] = {"pyramid": 64, "box": 256, "mask": (32, 48, 64)}
_HALF: dict[str, Any] = {"channels": (32, 64, 128, 256), "stem_type": "deep", "stem_width": 16}

ARCHITECTURES = {
    "resnet18_half": Plan("resnet18", _HALF, (1, 2, 3), **_COMPACT),
    "resnet18_half_slender": Plan("resnet18", _HALF, (1, 2, 3), **_COMPACT, ratios=SLENDER_RATIOS),
    "mobilenet_v3": Plan("mobilenetv3_large_100", {}, (1, 2, 3), **_COMPACT),
    "resnet18": Plan("resnet18", {}, (1, 2, 3), **_FULL),
    "resnet50": Plan("resnet50", {}, (1, 2, 3), **_FULL),
    "resnet101": Plan("resnet101", {}, (1, 2, 3), **_FULL),
}


class Pyramid(nn.Module):
    """Feature pyramid (FPN) of a backbone at strides 4, 8 and 16.

    Boxes of worms are at most 140 px, so stride 32 is not needed.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        trunk: Any = timm.create_model(
            plan.trunk,
            pretrained=False,
            features_only=True,
            out_indices=plan.levels,
            in_chans=1,
            **plan.options,
        )
        widths = trunk.feature_info.channels()
        self.trunk = trunk
        self.pyramid = FeaturePyramidNetwork(widths, plan.pyramid, norm_layer=nn.BatchNorm2d)
        self.out_channels = plan.pyramid

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        levels = zip(LEVELS, self.trunk(images), strict=True)
        return dict(self.pyramid(OrderedDict(levels)))


def _convolution(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False),
        nn.GroupNorm(8, outputs),
        nn.ReLU(inplace=True),
    )


class MaskHead(nn.Module):
    """U-Net mask head: (n, channels, 28, 28) -> (n, widths[0], 28, 28).

    The lowest of its three levels is 7 x 7, so the receptive field is the whole box.
    """

    def __init__(self, channels: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        high, middle, low = widths
        self.high = _convolution(channels, high)
        self.middle = _convolution(high, middle)
        self.low = nn.Sequential(_convolution(middle, low), _convolution(low, low))
        self.to_middle = _convolution(low + middle, middle)
        self.to_high = _convolution(middle + high, high)

    def forward(self, boxes: Tensor) -> Tensor:
        high = self.high(boxes)
        middle = self.middle(functional.max_pool2d(high, 2))
        low = self.low(functional.max_pool2d(middle, 2))
        middle = self.to_middle(
            torch.cat([functional.interpolate(low, scale_factor=2.0), middle], 1)
        )
        return self.to_high(torch.cat([functional.interpolate(middle, scale_factor=2.0), high], 1))  # type: ignore[no-any-return]


class LevelProposals(nn.Module):
    """A region proposal network on some levels of the pyramid."""

    def __init__(self, proposals: RegionProposalNetwork, levels: tuple[str, ...]) -> None:
        super().__init__()
        self.proposals = proposals
        self.levels = levels

    def forward(
        self,
        images: ImageList,
        features: dict[str, Tensor],
        targets: list[dict[str, Tensor]] | None = None,
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        chosen = {level: features[level] for level in self.levels}
        if not self.training:
            return proposed(self.proposals, images, list(chosen.values())), {}
        boxes, losses = self.proposals(images, chosen, targets)
        return boxes, losses


class Heads(RoIHeads):
    """Heads that make no masks for second boxes of a worm, see ``UNSURE_OVERLAP``."""

    def postprocess_detections(
        self,
        class_logits: Tensor,
        box_regression: Tensor,
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        found = super().postprocess_detections(
            class_logits, box_regression, proposals, image_shapes
        )
        kept = [worth_a_mask(*of_view) for of_view in zip(*found[:2], strict=True)]
        boxes, scores, labels = (
            [of_view[some] for of_view, some in zip(ones, kept, strict=True)] for ones in found
        )
        return boxes, scores, labels


def worth_a_mask(boxes: Tensor, scores: Tensor) -> Tensor:
    """Which boxes (n, 4) get a mask, (n,) boolean."""
    kept = scores >= UNSURE_SCORE
    kept[nms(boxes, scores, UNSURE_OVERLAP)] = True
    return kept


class AsIs(GeneralizedRCNNTransform):
    """Normalisation of tiles without resizing.

    The option of torchvision has no effect in evaluation.
    """

    def __init__(self) -> None:
        super().__init__(0, 0, [GREY_MEAN], [GREY_SPREAD])

    def resize(
        self, image: Tensor, target: dict[str, Tensor] | None = None
    ) -> tuple[Tensor, dict[str, Tensor] | None]:
        return image, target


def build_detector(
    architecture: str, score_threshold: float = 0.05, instances_per_view: int = 240
) -> MaskRCNN:
    """Build a Mask R-CNN with random weights; its input is a list of float (1, h, w) in 0 to 1.

    Args:
        architecture: a key of ``ARCHITECTURES``.
        score_threshold: minimum score of a detection.
        instances_per_view: maximum number of detections, best first.
    """
    plan = ARCHITECTURES[architecture]
    anchors = AnchorGenerator(ANCHOR_SIZES, (plan.ratios,) * len(ANCHOR_SIZES))
    model = MaskRCNN(
        Pyramid(plan),
        num_classes=None,
        rpn_anchor_generator=anchors,
        rpn_head=RPNHead(plan.pyramid, anchors.num_anchors_per_location()[0]),
        rpn_pre_nms_top_n_train=600,
        rpn_pre_nms_top_n_test=1600,
        rpn_post_nms_top_n_train=300,
        rpn_post_nms_top_n_test=600,
        rpn_nms_thresh=0.75,
        rpn_batch_size_per_image=128,
        box_roi_pool=MultiScaleRoIAlign(["stride8", "stride16"], 7, 2),
        box_head=TwoMLPHead(plan.pyramid * 49, plan.box),
        box_predictor=FastRCNNPredictor(plan.box, 2),
        mask_roi_pool=MultiScaleRoIAlign([MASK_POOL.level], MASK_POOL.cells, MASK_POOL.samples),
        mask_head=MaskHead(plan.pyramid, plan.mask),
        mask_predictor=MaskRCNNPredictor(plan.mask[0], plan.mask[0], 2),
    )
    heads = model.roi_heads
    model.roi_heads = Heads(
        *(heads.box_roi_pool, heads.box_head, heads.box_predictor),
        fg_iou_thresh=0.5,
        bg_iou_thresh=0.5,
        batch_size_per_image=64,
        positive_fraction=0.25,
        bbox_reg_weights=None,
        score_thresh=score_threshold,
        nms_thresh=0.7,
        detections_per_img=instances_per_view,
        mask_roi_pool=heads.mask_roi_pool,
        mask_head=heads.mask_head,
        mask_predictor=heads.mask_predictor,
    )
    model.transform = AsIs()
    model.rpn = LevelProposals(model.rpn, PROPOSAL_LEVELS)
    return model


def for_inference(
    model: MaskRCNN, device: torch.device, dtype: torch.dtype = torch.float32
) -> MaskRCNN:
    """The model in evaluation mode on a device, changed in place, as fast as it gets there.

    Batch normalisations are folded into the convolutions before them, which is the same function up
    to rounding. On a CPU the channels of a pixel lie together, as its convolutions want them; both
    take a quarter of the processor time away. What masks are made of is pooled in that layout.

    Args:
        dtype: arithmetic of the backbone and the mask head. Proposals and boxes stay in float32,
            in which a place beyond 256 px is not rounded to whole pixels.
    """
    _fold(model.eval())
    for part in (model.backbone, model.roi_heads.mask_head):
        computing_in(dtype, part)
    layout = torch.channels_last if device.type == "cpu" else torch.preserve_format
    if device.type == "cpu":
        model.roi_heads.mask_roi_pool = BoxPool(MASK_POOL)
    return model.to(device, memory_format=layout)  # type: ignore[call-overload, no-any-return]


def _fold(module: nn.Module) -> None:
    before: nn.Module | None = None  # The convolution that a normalisation here would follow.
    at: tuple[nn.Module, str] = (module, "")
    for name, child in module.named_children():
        # Not its subclasses, which have an activation as well.
        if type(child) is nn.BatchNorm2d and isinstance(before, nn.Conv2d):
            setattr(*at, torch.nn.utils.fusion.fuse_conv_bn_eval(before, child))
            setattr(module, name, nn.Identity())
        _fold(child)
        before, at = child, (module, name)
        if isinstance(child, nn.Sequential) and len(child):
            last = len(child) - 1
            before, at = child[last], (child, str(last))


def with_more_anchors(
    weights: dict[str, Tensor], before: str, architecture: str
) -> dict[str, Tensor] | None:
    """Weights for an architecture that differs from theirs by its anchors alone.

    An anchor begins as the one of the nearest ratio did.

    Args:
        before: the architecture of the weights.

    Returns:
        None if more than the anchors differs.
    """
    old, new = ARCHITECTURES[before], ARCHITECTURES[architecture]
    if replace(old, ratios=new.ratios) != new:
        return None
    sizes = len(ANCHOR_SIZES[0])
    nearest = [
        min(range(len(old.ratios)), key=lambda k: abs(math.log(old.ratios[k] / ratio)))
        for ratio in new.ratios
    ]
    anchors = torch.tensor([k * sizes + size for k in nearest for size in range(sizes)])
    changed = dict(weights)
    for name in weights:
        if ".head.cls_logits." in name:
            changed[name] = weights[name][anchors]
        elif ".head.bbox_pred." in name:
            corners = (anchors[:, None] * 4 + torch.arange(4)).flatten()
            changed[name] = weights[name][corners]
    return changed


def as_input(tile: Tensor) -> Tensor:
    """Convert a uint8 tile (h, w) to the input of the model, float (1, h, w) in 0 to 1."""
    return tile[None].to(torch.float32) / 255
