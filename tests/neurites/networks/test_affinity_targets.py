"""Affinity targets: what every channel is of, what is left out, and how classes are balanced."""

import numpy as np
import pytest
import torch

from snakescope.neurites.networks.affinity_scores import score_affinities
from snakescope.neurites.networks.affinity_targets import (
    ISOTROPIC_OFFSETS,
    NEAREST,
    OFFSETS,
    affinity_targets,
    balanced_loss,
    balanced_weights,
    with_outlines,
)


def test_the_twelve_pairs_of_the_paper() -> None:
    assert len(set(OFFSETS)) == 12
    assert OFFSETS[:NEAREST] == ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    assert {o[0] for o in OFFSETS if o[0]} == {1, 2, 3, 4}
    assert {o[1] for o in OFFSETS if o[1]} == {1, 3, 9, 27}
    assert {o[2] for o in OFFSETS if o[2]} == {1, 3, 9, 27}
    assert all(sum(1 for far in o if far) == 1 for o in OFFSETS)


def test_pairs_of_cubes_are_alike_along_every_axis() -> None:
    assert ISOTROPIC_OFFSETS[:NEAREST] == OFFSETS[:NEAREST]
    assert len(set(ISOTROPIC_OFFSETS)) == len(OFFSETS)
    along = [{far[axis] for far in ISOTROPIC_OFFSETS} for axis in range(3)]
    assert along[0] == along[1] == along[2]
    labels = torch.arange(20)[None, :, None, None].expand(1, 20, 20, 20) // 10 + 1
    affinity, present = affinity_targets(labels, ISOTROPIC_OFFSETS)
    far = ISOTROPIC_OFFSETS.index((9, 0, 0))
    assert int(present[:, far].sum()) == 11 * 400
    assert int(affinity[:, far].sum()) == 2 * 400  # voxels 9 and 19 along z
    logits = 20 * (affinity - 0.5)
    assert float(balanced_loss(logits, labels, ISOTROPIC_OFFSETS)) < 1e-3
    assert float(balanced_loss(logits, labels)) > 0.1


def test_outlines_are_drawn_where_objects_touch() -> None:
    labels = torch.ones(1, 6, 8, 10, dtype=torch.int64)
    labels[:, :, :, 4:] = 7
    assert torch.equal(with_outlines(labels, 0), labels)
    one, two = with_outlines(labels, 1), with_outlines(labels, 2)
    assert one[0, 0, 0].tolist() == [1, 1, 1, 0, 0, 7, 7, 7, 7, 7]
    assert two[0, 0, 0].tolist() == [1, 1, 0, 0, 0, 0, 7, 7, 7, 7]
    for axis in (1, 2):
        turned = with_outlines(labels.transpose(axis, 3).contiguous(), 1)
        assert torch.equal(turned.transpose(axis, 3), one)


def test_every_channel_is_of_a_voxel_and_the_one_before_it() -> None:
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, (2, 6, 12, 30))
    affinity, present = affinity_targets(torch.from_numpy(labels))
    for channel, offset in enumerate(OFFSETS):
        for n, z, y, x in rng.integers(0, (2, 6, 12, 30), (200, 4)):
            pz, py, px = z - offset[0], y - offset[1], x - offset[2]
            inside = min(pz, py, px) >= 0
            assert bool(present[n, channel, z, y, x]) == inside
            same = inside and labels[n, z, y, x] == labels[n, pz, py, px] != 0
            assert bool(affinity[n, channel, z, y, x]) == bool(same)


def test_a_patch_smaller_than_a_pair_has_none() -> None:
    _, present = affinity_targets(torch.ones(1, 3, 5, 5, dtype=torch.int64))
    assert present[:, OFFSETS.index((0, 27, 0))].sum() == 0
    assert present[:, OFFSETS.index((4, 0, 0))].sum() == 0
    assert present[:, OFFSETS.index((2, 0, 0))].sum() == 25


def test_joined_and_separate_pairs_weigh_the_same() -> None:
    labels = torch.ones(1, 4, 8, 8, dtype=torch.int64)
    labels[:, :, :, 6:] = 2
    affinity, present = affinity_targets(labels)
    weights = balanced_weights(affinity, present)
    channel = OFFSETS.index((0, 0, 1))
    joined = (weights * affinity)[:, channel].sum()
    separate = (weights * (1 - affinity))[:, channel].sum()
    assert float(joined) == pytest.approx(0.5, abs=1e-5)
    assert float(separate) == pytest.approx(0.5, abs=1e-5)
    assert float((weights * (1 - present)).sum()) == 0


def test_the_loss_is_small_only_where_the_logits_are_right() -> None:
    labels = torch.randint(0, 3, (1, 6, 30, 30), generator=torch.manual_seed(3))
    affinity, _ = affinity_targets(labels)
    right = 20 * (affinity - 0.5)
    assert float(balanced_loss(right, labels)) < 1e-3
    assert float(balanced_loss(-right, labels)) > 5
    assert float(balanced_loss(0 * right, labels)) == pytest.approx(np.log(2), abs=0.05)
    assert float(balanced_loss(right[:, :3], labels)) < 1e-3


def test_scores_of_true_and_of_wrong_affinities() -> None:
    labels = np.zeros((3, 8, 8), np.uint64)
    labels[:, :, :4], labels[:, :, 5:] = 1, 2
    target, _ = affinity_targets(torch.from_numpy(labels.astype(np.int64))[None])
    perfect = score_affinities(target[0, :3].numpy(), labels)
    assert (perfect.balanced_accuracy, perfect.outline_accuracy, perfect.outline_f) == (1, 1, 1)
    none = score_affinities(np.ones((3, 3, 8, 8), np.float32), labels)
    assert none.balanced_accuracy == 0.5
    assert none.outline_f == 0
    assert 0.5 < none.outline_accuracy < 1
