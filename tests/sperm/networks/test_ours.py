"""The network of this workflow: what it learns of the drift before pictures."""

import numpy as np
import torch

from snakescope.sperm.networks.build import build
from snakescope.sperm.networks.heads import shares
from snakescope.sperm.networks.ours import Drift
from snakescope.sperm.training.data import Clips
from snakescope.sperm.training.fit import train
from snakescope.sperm.training.settings import FitSettings


def moving(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Series whose speed decides between A and E, and their votes."""
    rng = np.random.default_rng(1)
    speed = rng.uniform(0, 1, (count, 1))
    series = speed + 0.1 * rng.standard_normal((count, 15))
    rest = np.hstack([speed, speed, np.ones((count, 1)), series.std(axis=1, keepdims=True)])
    fast = np.round(40 * speed)
    votes = np.hstack([fast, np.zeros((count, 3)), 40 - fast])
    return torch.tensor(np.hstack([series, rest])).float(), torch.tensor(votes).float()


def test_the_drift_is_learnt_before_pictures() -> None:
    torch.manual_seed(1)
    network = build("ours", "tiny", 64)
    motion, votes = moving(120)
    network.begin(motion[:80], votes[:80])
    network.eval()
    clips = torch.randn(40, 16, 64, 64)
    with torch.no_grad():
        found = network(clips, motion[80:]).exp()
        other = network(torch.zeros(40, 16, 64, 64), motion[80:]).exp()
    assert torch.allclose(found, other, atol=1e-6)  # pictures say nothing yet
    wanted = shares(votes[80:])
    mean = shares(votes[:80]).mean(0)
    error, of_mean = ((one - wanted).square().mean() for one in (found, mean))
    assert error < 0.3 * of_mean
    assert all(one.grad is None or not one.grad.any() for one in network.parameters())


def test_the_order_of_steps_says_less_than_their_sizes() -> None:
    drift = Drift(19, 8).eval()
    motion, _ = moving(5)
    drift.scale(motion)
    known = (drift.known(motion) - drift.mean) / drift.sd
    assert torch.allclose(known.mean(0), torch.zeros(36), atol=1e-4)
    other = motion.clone()
    other[:, :15] = motion[:, :15].flip(1)
    assert torch.equal(drift.known(other)[:, 19:], drift.known(motion)[:, 19:])
    # A drift that was measured wrongly says what the farthest one does.
    far, farther = torch.full((1, 19), 1e6), torch.full((1, 19), 1e8)
    assert torch.equal(drift(far), drift(farther))


def test_a_training_begins_with_the_drift_of_its_own_clips() -> None:
    motion, votes = moving(12)
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 256, (12, 16, 64, 64), np.uint8)
    clips = Clips(frames, motion.numpy(), votes.numpy().astype(np.int64))
    roles = np.array(["train"] * 8 + ["validation"] * 4)
    settings = FitSettings(size="tiny", size_px=64, epochs=1, batch=4, device="cpu")
    network = train("ours", clips, roles, settings, {})
    wanted = network.motion.known(motion[:8]).mean(0)
    assert torch.allclose(network.motion.mean, wanted, atol=1e-5)
