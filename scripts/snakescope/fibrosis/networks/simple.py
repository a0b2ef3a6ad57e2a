"""Models without convolutions: logistic regression on texture measures, the most frequent class."""

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn


class Logistic(nn.Module):
    """Standardised measures to class probabilities."""

    mean: Tensor
    sd: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, measures: int, classes: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(measures, dtype=torch.float64))
        self.register_buffer("sd", torch.ones(measures, dtype=torch.float64))
        self.register_buffer("weight", torch.zeros(classes, measures, dtype=torch.float64))
        self.register_buffer("bias", torch.zeros(classes, dtype=torch.float64))

    @classmethod
    def fitted(cls, measures: ArrayLike, labels: ArrayLike, classes: int) -> "Logistic":
        """Fit to measures (N, M) and labels (N,), with weak ridge regularisation (C = 1)."""
        values, truth = np.asarray(measures, np.float64), np.asarray(labels, np.int64)
        model = cls(values.shape[1], classes)
        mean, sd = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-9)
        fit = LogisticRegression(C=1.0, max_iter=2000).fit((values - mean) / sd, truth)
        weight, bias = fit.coef_, fit.intercept_
        if len(fit.classes_) == 2:  # scikit-learn keeps one row of two classes
            weight, bias = np.vstack([-weight, weight]) / 2, np.r_[-bias, bias] / 2
        model.bias[:] = -1e3  # of a class that the training scans lack
        model.mean[:], model.sd[:] = torch.from_numpy(mean), torch.from_numpy(sd)
        for row, number in enumerate(fit.classes_):
            model.weight[number] = torch.from_numpy(weight[row])
            model.bias[number] = float(bias[row])
        return model

    def forward(self, measures: Tensor) -> Tensor:
        """(N, M) to logits (N, classes)."""
        return (measures.double() - self.mean) / self.sd @ self.weight.T + self.bias


class Majority(nn.Module):
    """The shares of classes among the training scans, whatever the scan."""

    share: Tensor

    def __init__(self, classes: int):
        super().__init__()
        self.register_buffer("share", torch.full((classes,), 1 / classes, dtype=torch.float64))

    @classmethod
    def fitted(cls, labels: ArrayLike, classes: int) -> "Majority":
        """Count labels (N,)."""
        model = cls(classes)
        counts = np.bincount(np.asarray(labels, np.int64), minlength=classes)
        model.share[:] = torch.from_numpy(counts / counts.sum())
        return model

    def forward(self, measures: Tensor) -> Tensor:
        """(N, M) to logits (N, classes)."""
        return torch.log(self.share.clamp_min(1e-6)).expand(len(measures), -1)
