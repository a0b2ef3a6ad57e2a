"""The best scores that a simulated set allows, and those of the Nakagami parameter alone."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from snakescope.learning.intervals import bootstrap_interval
from snakescope.learning.scores import auc

STAGE_NUMBER = {"F0": 0, "F1": 1, "F2": 2, "F3": 3, "F4": 4}
THRESHOLDS = {"auc_ge_f1": 1, "auc_ge_f2": 2, "auc_ge_f3": 3, "auc_ge_f4": 4}


def class_of(stage: ArrayLike) -> NDArray[np.int64]:
    """The class of Kang et al. of stages 0 to 4: 0 (F0, F1), 1 (F2, F3), 2 (F4)."""
    number = np.asarray(stage, dtype=np.int64)
    return (number >= 2).astype(np.int64) + (number >= 4)


def posterior(f: ArrayLike, counts: ArrayLike, latent_sd: float) -> NDArray[np.float64]:
    """Probability (N, 5) of the stages given the latent value f, by Bayes' rule.

    f of stage s is normal around s / 4, and cut to 0 .. 1.2, where all that is beyond collects.

    Args:
        counts: shape (5,), how many patients or images have each stage.
    """
    values = np.asarray(f, np.float64)[:, None]
    means = np.arange(5) / 4
    density = stats.norm.pdf(values, means, latent_sd)
    density = np.where(values <= 0, stats.norm.cdf(0, means, latent_sd), density)
    density = np.where(values >= 1.2, stats.norm.sf(1.2, means, latent_sd), density)
    weighted = density * np.asarray(counts, np.float64)
    return np.asarray(weighted / weighted.sum(axis=1, keepdims=True))


def oracle_table(truth: pd.DataFrame, latent_sd: float, seed: int = 1) -> pd.DataFrame:
    """Scores of the best rule on f, and AUC of the Nakagami parameter, of every image.

    Args:
        truth: of :func:`snakescope.fibrosis.simulation.simulate.simulate_set`.

    Returns:
        Columns method (oracle or nakagami), metric, value, low, high (95 %, patients resampled), n.
    """
    stage = truth["stage"].map(STAGE_NUMBER).to_numpy()
    patients = truth["patient"].to_numpy(str)
    counts = np.bincount(stage, minlength=5)
    probability = posterior(truth["f"], counts, latent_sd)
    classes = np.stack(
        [probability[:, :2].sum(1), probability[:, 2:4].sum(1), probability[:, 4]], axis=1
    )
    right = classes.argmax(axis=1) == class_of(stage)
    accuracy = bootstrap_interval(lambda rows: float(right[rows].mean()), patients, seed)
    rows = [("oracle", "accuracy", *accuracy, len(truth))]
    scores = {"oracle": truth["f"].to_numpy(), "nakagami": -truth["nakagami_m"].to_numpy()}
    for method, score in scores.items():
        there = np.isfinite(score)
        for metric, least in THRESHOLDS.items():
            positive = stage >= least
            if positive[there].all() or not positive[there].any():
                continue

            def area(
                drawn: NDArray[np.intp],
                positive: NDArray[np.bool_] = positive[there],
                score: NDArray[np.float64] = score[there],
            ) -> float:
                both = 0 < positive[drawn].sum() < len(drawn)
                return auc(positive[drawn], score[drawn]).value if both else np.nan

            interval = bootstrap_interval(area, patients[there], seed, 500)
            rows.append((method, metric, *interval, int(there.sum())))
    return pd.DataFrame(rows, columns=["method", "metric", "value", "low", "high", "n"])
