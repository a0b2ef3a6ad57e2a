"""The networks that grade a clip, by name; free of torch, since the configuration reads it."""

from typing import Literal, NamedTuple, get_args

Network = Literal[
    "vgg16", "resnet50", "vit", "swin", "convit", "mlp_mixer",
    "r3d", "r2plus1d", "i3d", "slowfast", "x3d", "timesformer", "vivit",
    "rostfine", "slowfast_timesformer", "ours",
]  # fmt: skip
Size = Literal["full", "tiny"]
FRAMES = 16
"""Of a clip."""


class About(NamedTuple):
    """What is known of a network.

    Attributes:
        kind: ``image`` looks at the first frame, ``video`` at several.
        frames: how many of the 16.
        paper: mean squared error (1e-2) that the paper reports, with its SD, or empty.
        follow_up: the same of the authors' later work (RoSTFine), or empty.
        source: where the architecture is published.
    """

    kind: Literal["image", "video"]
    frames: int
    paper: str
    follow_up: str
    source: str


ABOUT: dict[str, About] = {
    "vgg16": About("image", 1, "1.52 (0.07)", "1.517", "Simonyan and Zisserman, ICLR 2015"),
    "resnet50": About("image", 1, "1.58 (0.04)", "", "He et al., CVPR 2016"),
    "vit": About("image", 1, "1.67 (0.12)", "", "Dosovitskiy et al., ICLR 2021"),
    "swin": About("image", 1, "1.53 (0.09)", "", "Liu et al., ICCV 2021"),
    "convit": About("image", 1, "1.59 (0.08)", "", "d'Ascoli et al., ICML 2021"),
    "mlp_mixer": About("image", 1, "1.61 (0.10)", "", "Tolstikhin et al., NeurIPS 2021"),
    "r3d": About("video", 16, "1.34 (0.08)", "1.365", "Tran et al., CVPR 2018"),
    "r2plus1d": About("video", 16, "1.70 (0.08)", "1.702", "Tran et al., CVPR 2018"),
    "i3d": About("video", 16, "1.45 (0.09)", "1.376", "Carreira and Zisserman, CVPR 2017"),
    "slowfast": About("video", 16, "1.30 (0.14)", "1.346", "Feichtenhofer et al., ICCV 2019"),
    "x3d": About("video", 16, "1.71 (0.09)", "1.808", "Feichtenhofer, CVPR 2020"),
    "timesformer": About("video", 8, "1.24 (0.08)", "1.186", "Bertasius et al., ICML 2021"),
    "vivit": About("video", 16, "1.35 (0.05)", "1.406", "Arnab et al., ICCV 2021"),
    "rostfine": About("video", 8, "", "1.104", "Fujii et al., 2023"),
    "slowfast_timesformer": About("video", 16, "", "", "the next step that the paper names"),
    "ours": About("video", 16, "", "", "this workflow"),
}
assert set(ABOUT) == set(get_args(Network))
