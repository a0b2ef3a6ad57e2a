"""A training that is stopped and taken up again ends bit for bit where it would have ended."""

import pytest
import torch

from snakescope.learning.training import Training, resume, run_epoch, seed_everything, train
from snakescope.step.errors import StepError


def batches(rng):
    for _ in range(3):
        inputs = torch.from_numpy(rng.normal(size=(4, 5))).float()
        yield inputs, inputs.sum(dim=1, keepdim=True)


def loss_of(model, batch, rng):
    inputs = batch[0] + float(rng.normal()) * 0.01
    return (model(inputs) - batch[1]).square().mean()


def training(seed=3, loss=loss_of):
    rng = seed_everything(seed)
    model = torch.nn.Sequential(
        torch.nn.Linear(5, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.1), torch.nn.Linear(8, 1)
    )
    optimiser = torch.optim.RAdam(model.parameters(), lr=0.03)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 90)
    return Training(model, optimiser, schedule, batches, loss, rng, {"seed": seed}, clip_norm=1.0)


def parameters(one):
    return torch.cat([tensor.flatten().double() for tensor in one.model.state_dict().values()])


def test_resumed_and_uninterrupted_trainings_are_equal(tmp_path):
    train(whole := training(), 4)
    train(first := training(), 2, tmp_path / "c.pt")
    second = training()
    train(second, 4, tmp_path / "c.pt")
    assert second.epoch == 4
    assert torch.equal(parameters(whole), parameters(second))
    assert not torch.equal(parameters(first), parameters(second))


def test_a_finished_training_is_not_repeated(tmp_path):
    train(training(), 2, tmp_path / "c.pt")
    done = training()
    reported = []
    train(done, 2, tmp_path / "c.pt", report=lambda epoch: reported.append(epoch) or "")
    assert reported == []
    assert done.epoch == 2


def test_the_loss_falls():
    one = training()
    losses = [run_epoch(one) for _ in range(30)]
    assert losses[-1] < 0.7 * losses[0]


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    train(training(seed=3), 1, tmp_path / "c.pt")
    with pytest.raises(StepError, match="found one with another seed"):
        resume(tmp_path / "c.pt", training(seed=4))


def test_something_else_is_no_checkpoint(tmp_path):
    (tmp_path / "c.pt").write_bytes(b"nothing")
    with pytest.raises(StepError, match="expected a training checkpoint"):
        resume(tmp_path / "c.pt", training())


def test_a_loss_that_is_no_number_ends_the_training():
    broken = training(loss=lambda model, batch, rng: model(batch[0]).mean() * float("nan"))
    with pytest.raises(StepError, match="lower the learning rate"):
        run_epoch(broken)
