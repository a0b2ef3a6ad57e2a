"""Learning rates as functions of the optimiser step.

Every function takes the step (from 0) and the number of steps in all, and returns the rate, with
``peak`` as its highest value. They keep no state, so a training can be resumed at any step.
"""

import math
from collections.abc import Callable


def warmup_linear(
    step: int, steps: int, warmup_steps: int, cooldown: float, peak: float = 1.0
) -> float:
    """Linear warm-up, a plateau, and a linear decay to 0 (Hu et al. 2024, "MiniCPM").

    Up to the decay the rate does not depend on ``steps``, so a training can be made longer.

    Args:
        warmup_steps: steps of the warm-up; the last of them has the rate ``peak``.
        cooldown: share of ``steps``, the last ones, over which the rate decays (0-1).
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    decay_steps = max(1, round(cooldown * steps))
    return peak * min(1.0, (steps - step) / decay_steps)


def warmup_cosine(step: int, steps: int, warmup_steps: int, peak: float = 1.0) -> float:
    """Linear warm-up, then half a cosine to 0 (Loshchilov and Hutter 2017, "SGDR", equation 5).

    For a rate that stays the same within an epoch, give numbers of epochs in place of steps.
    """
    if step < warmup_steps:
        return peak * ((step + 1) / warmup_steps)
    rest = (step - warmup_steps) / max(1, steps - warmup_steps)
    return peak * (0.5 * (1 + math.cos(math.pi * min(1.0, rest))))


def cosine_annealing(steps: int, peak: float) -> Callable[[int], float]:
    """The rates of ``torch.optim.lr_scheduler.CosineAnnealingLR``, to the last bit.

    torch computes each rate from the one before. :func:`warmup_cosine` without warm-up gives the
    same numbers but for rounding; this function is for trainings that have to repeat older ones.
    """
    rates = [peak]
    for step in range(1, steps):
        now, before = (1 + math.cos(math.pi * at / steps) for at in (step, step - 1))
        rates.append(now / before * rates[-1])
    return rates.__getitem__
